package dev.carom.pool.testkit

import dev.carom.pool.Backend
import dev.carom.pool.Pool
import dev.carom.pool.PoolException
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.use
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.seconds

class FakeBackendsTest :
    FunSpec({
        val a = Backend("a", "10.0.0.1", 1)
        val b = Backend("b", "10.0.0.2", 1)

        suspend fun TestScope.pooled(
            network: FakeBackends,
            policy: PoolPolicy = PoolPolicy(spares = 2, maxSlots = 4, claimTimeout = 3.seconds),
            block: suspend (Pool<FakeConnection>) -> Unit,
        ) {
            val pool = openVirtualPool("db", ScriptedResolver(a, b), network, policy)
            block(pool)
            pool.close(0)
            network.assertAllClosed()
            network.opened shouldBe network.closed
        }

        test("a backend that refuses is passed by, and comes back when it accepts") {
            runTest {
                val network = FakeBackends()
                network.on(b).refuses()
                pooled(network) { pool ->
                    passUntil(pool.snapshot) { it.backend(a)?.ready == 1 && it.failures(b) > 0 }
                    repeat(10) { pool.use { it.backend shouldBe a } }
                    network.on(b).accepts()
                    passUntil(pool.snapshot) { it.backend(b)?.ready == 1 }
                    network.on(b).opened shouldBe 1
                }
            }
        }

        test("connecting takes as long as it was told, and the most connections at once are remembered") {
            runTest {
                val network = FakeBackends()
                network.on(a).connect.delayMillis = 70
                pooled(network) { pool ->
                    network.on(b).connect.hangs()
                    passUntil(pool.snapshot) { it.ready(a) > 0 }
                    currentTime shouldBe 70
                    network.on(b).connect.underWay shouldBe 1
                    pass(10)
                    network.on(a).mostLive shouldBe network.on(a).live.size
                }
            }
        }

        test("broken connections are replaced; a backend that dies has none") {
            runTest {
                val network = FakeBackends()
                pooled(network) { pool ->
                    passUntil(pool.snapshot) { it.ready == 2 }
                    network.on(a).breaks()
                    settle()
                    network.on(a).closed shouldBe 1
                    passUntil(pool.snapshot) { it.ready == 2 }
                    network.on(a).dies()
                    passUntil(pool.snapshot) { it.backend(a)?.online == false }
                    network.on(a).live.shouldBeEmpty()
                }
            }
        }

        test("connections that die at once, and checks that say no, are failures of their backend") {
            runTest {
                val network = FakeBackends()
                network.on(a).diesAtOnce = true
                network.on(b).valid = false
                val policy = PoolPolicy(spares = 2, maxSlots = 4, healthInterval = 1.seconds, healthReserve = 0)
                pooled(network, policy) { pool ->
                    pass(5_000)
                    (pool.snapshot.value.failures(b) > 0) shouldBe true
                    (network.on(a).closed > 1) shouldBe true
                }
            }
        }

        for (hook in listOf("acquire", "recycle", "close", "check")) {
            test("hanging in $hook, a connection is closed all the same and nothing is lost") {
                runTest {
                    val network = HookedFakeBackends()
                    val fake = network.on(a)
                    val call = mapOf(
                        "acquire" to fake.acquire,
                        "recycle" to fake.recycle,
                        "close" to fake.close,
                        "check" to fake.check,
                    ).getValue(hook)
                    network.on(b).refuses()
                    val policy = PoolPolicy(spares = 1, maxSlots = 1, healthInterval = 1.seconds, healthReserve = 0)
                    pooled(network, policy) { pool ->
                        call.hangs()
                        runCatching { pool.claim().apply { if (hook == "close") discard() else close() } }
                        pass(2_000)
                        (call.count > 0) shouldBe true
                        call.works()
                        pass(10_000)
                        pool.use { it.isClosed shouldBe false }
                    }
                }
            }
        }

        test("a failure may be told for the next calls only") {
            runTest {
                val network = FakeBackends()
                network.on(a).connect.failsNext(2)
                pooled(network) { pool ->
                    passUntil(pool.snapshot) { it.ready(a) > 0 }
                    network.on(a).connect.count shouldBe 3
                    network.on(a).opened shouldBe 1
                }
            }
        }

        test("what is misused is refused and remembered") {
            runTest {
                val network = FakeBackends()
                val connection = network.connect(a)
                connection.enter()
                shouldThrow<IllegalStateException> { connection.enter() }.message shouldContain "used twice at once"
                network.close(connection)
                shouldThrow<IllegalStateException> { network.close(connection) }
                network.connect(b)
                val lines = shouldThrow<AssertionError> { network.assertAllClosed() }.message!!.lines()
                lines shouldContainExactly listOf(
                    "connection 1 to a (10.0.0.1:1) is used twice at once",
                    "connection 1 to a (10.0.0.1:1) was closed twice",
                    "connection 2 to b (10.0.0.2:1) was not closed",
                )
            }
        }

        test("waiting for what does not come ends, in virtual time, with what there is instead") {
            runTest {
                pooled(FakeBackends()) { pool ->
                    launch { shouldThrow<PoolException> { pool.awaitReady(4) } }.cancel()
                    val error = shouldThrow<AssertionError> { passUntil(pool.snapshot, 1_000) { it.ready > 4 } }
                    error.message shouldContain "not within 1000 ms of virtual time: db: Open"
                    currentTime shouldBe 1_000
                }
            }
        }
    }) {
    private companion object {
        fun PoolSnapshot.backend(backend: Backend) = backends.singleOrNull { it.backend == backend }

        fun PoolSnapshot.ready(backend: Backend) = backend(backend)?.ready ?: 0

        fun PoolSnapshot.failures(backend: Backend) = backend(backend)?.failures ?: 0
    }
}
