package dev.carom.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.INFINITE
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Runs [block] in virtual time with a pool, closes the pool and checks that nothing is left. */
fun poolTest(
    backends: Set<Backend>,
    policy: PoolPolicy = PoolPolicy(),
    network: FakeNetwork = FakeNetwork(),
    block: suspend PoolWorld.() -> Unit,
) = runTest {
    val listed = MutableStateFlow(backends)
    val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
    val pool = scope.openPool("db", listed.asResolver(), network, policy, testScheduler.timeSource, Random(1))
    PoolWorld(this, pool, network, listed, scope).block()
    pool.close(0)
    network.live.shouldBeEmpty()
    network.closed shouldBe network.opened
    scope.coroutineContext[Job]!!.children.toList().shouldBeEmpty()
    scope.coroutineContext[Job]!!.cancelAndJoin()
}

class PoolWorld(
    val test: TestScope,
    val pool: Pool<FakeConnection>,
    val network: FakeNetwork,
    val listed: MutableStateFlow<Set<Backend>>,
    val scope: CoroutineScope,
) {
    val now: PoolSnapshot get() = pool.snapshot.value

    /** Lets everything happen that is due by then. */
    fun after(time: Duration) {
        test.advanceTimeBy(time)
        test.runCurrent()
    }

    fun on(backend: Backend): BackendSnapshot = now.backends.single { it.backend == backend }
}

class PoolTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")

        test("a pool opens its spares, and a claim gets one of them at once") {
            poolTest(setOf(a)) {
                after(1.milliseconds)
                now.ready shouldBe 8
                val claim = pool.claim()
                test.currentTime shouldBe 1
                claim.backend shouldBe a
                claim.connection.backend shouldBe a
                claim.close()
            }
        }

        test("a connector without hooks has ready connections lent without suspending; one with a hook has not") {
            poolTest(setOf(a)) {
                after(1.milliseconds)
                pool.tryClaim()!!.close()
            }
            listOf(HookedNetwork(), object : HookedNetwork() {}).forEach { hooked ->
                poolTest(setOf(a), network = hooked) {
                    after(1.milliseconds)
                    pool.tryClaim().shouldBeNull()
                }
            }
        }

        test("a claim waits for the first backend to be listed") {
            poolTest(emptySet()) {
                val claim = test.async { pool.claim() }
                after(3.seconds)
                listed.value = setOf(a)
                claim.await().close()
                test.currentTime shouldBe 3_000
            }
        }

        test("a claim that nobody can serve ends at its deadline and says why") {
            poolTest(emptySet(), PoolPolicy(claimTimeout = 2.seconds)) {
                shouldThrow<PoolException.NoBackends> { pool.claim() }.message shouldContain "the resolver lists none"
                test.currentTime shouldBe 2_000
            }
        }

        test("when every backend refuses, the refusal has the last error of each") {
            val network = FakeNetwork().apply {
                set(a, FakeNetwork.Mode.Refusing)
                set(b, FakeNetwork.Mode.Refusing)
            }
            poolTest(setOf(a, b), PoolPolicy(claimTimeout = 2.seconds), network) {
                val refusal = shouldThrow<PoolException.NoneOnline> { pool.claim() }
                refusal.lastErrors.keys shouldBe setOf(a, b)
                refusal.message shouldContain "connection refused by"
                now.refused shouldBe 1
            }
        }

        test("when all connections are on loan, the refusal names who has them and for how long") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 2, claimTimeout = 3.seconds)) {
                val held = test.async(CoroutineName("checkout")) { pool.claim() }.await()
                val other = pool.claim("report")
                after(2.seconds)
                val refusal = shouldThrow<PoolException.AllClaimed> { pool.claim() }
                refusal.holders.map { it.name } shouldBe listOf("checkout", "report")
                refusal.holders.first().ageMillis shouldBe 5_000L
                refusal.message shouldContain "2 of 2 connections claimed"
                refusal.message shouldContain "oldest holder \"checkout\" for 5s"
                held.close()
                other.close()
            }
        }

        test("a closed claim cannot be used, and closing it again does nothing") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1)) {
                val claim = pool.claim()
                claim.close()
                claim.close()
                claim.discard()
                shouldThrow<IllegalStateException> { claim.connection }.message shouldContain "has ended"
                val next = pool.claim()
                claim.close()
                pool.tryClaim().shouldBeNull()
                next.close()
            }
        }

        test("waiters are served first come, first served, and nobody overtakes them") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1)) {
                val first = pool.claim()
                val served = mutableListOf<Int>()
                repeat(5) { i ->
                    test.launch {
                        pool.use {
                            served += i
                            delay(1.seconds)
                        }
                    }
                    test.runCurrent()
                }
                first.close()
                pool.tryClaim().shouldBeNull()
                after(10.seconds)
                served shouldContainExactly listOf(0, 1, 2, 3, 4)
            }
        }

        test("a cancelled waiter never consumes a connection") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1)) {
                val held = pool.claim()
                val waiters = List(50) { test.launch { pool.claim() } }
                after(100.milliseconds)
                now.waiting shouldBe 50
                waiters.forEach { it.cancel() }
                test.runCurrent()
                held.close()
                test.runCurrent()
                after(1.seconds)
                now.claims shouldBe 1
                now.ready shouldBe 1
            }
        }

        test("a discarded connection is closed and another opened in its place") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1)) {
                val claim = pool.claim()
                claim.discard()
                pool.claim().apply { connection.id shouldBe 2 }.close()
            }
        }

        test("one backend grows to four: each gets its share, and no loan is touched") {
            val more = (1..4).map { backend("$it") }
            poolTest(setOf(more[0]), PoolPolicy(spares = 16, maxSlots = 16)) {
                val held = List(3) { pool.claim() }
                after(1.seconds)
                now.connected shouldBe 16
                listed.value = more.toSet()
                after(1.seconds)
                more.map { on(it).connected } shouldBe listOf(4, 4, 4, 4)
                held.forEach { it.connection.isClosed shouldBe false }
                held.forEach { it.close() }
            }
        }

        test("the same name at a new address moves traffic without a failed claim") {
            val moved = a.copy(port = 2000)
            poolTest(setOf(a), PoolPolicy(spares = 4, maxSlots = 4)) {
                val held = pool.claim()
                listed.value = setOf(moved)
                after(1.milliseconds)
                held.connection.isClosed shouldBe false
                pool.use { it.backend shouldBe moved }
                now.slots shouldBeLessThanOrEqual 4
                held.close()
                after(1.seconds)
                network.live(a) shouldBe 0
                network.live(moved) shouldBe 4
            }
        }

        test("one healthy backend beside eight dead ones serves every claim") {
            val dead = (1..8).map { backend("dead$it") }
            val network = FakeNetwork().apply { dead.forEach { set(it, FakeNetwork.Mode.Refusing) } }
            poolTest(dead.toSet() + a, PoolPolicy(), network) {
                after(5.seconds)
                coroutineScope {
                    repeat(100) {
                        launch { pool.use { delay(10.milliseconds) } }
                    }
                }
                on(a).connected shouldBeInRange 8..16
                now.slots shouldBeLessThanOrEqual 16
                // The healthy one is not churned: a handful of connects, not hundreds a second.
                network.attempts.getValue("a") shouldBeLessThanOrEqual 40
            }
        }

        test("the count of claims outlives a backend that was down when it was removed") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 2)) {
                repeat(10) { pool.use {} }
                network.set(a, FakeNetwork.Mode.Refusing)
                network.live.forEach { it.hangUp(Refused("reset")) }
                after(10.seconds)
                now.claims shouldBe 10
                listed.value = setOf(b)
                after(1.seconds)
                now.claims shouldBe 10
            }
        }

        test("priority 10 is used only while nothing of priority 5 is up") {
            val best = backend("best", priority = 5)
            val spare = backend("spare", priority = 10)
            poolTest(setOf(best, spare), PoolPolicy(spares = 2, maxSlots = 4)) {
                after(1.seconds)
                repeat(20) { pool.use { it.backend shouldBe best } }
                network.set(best, FakeNetwork.Mode.Refusing)
                network.live.filter { it.backend == best }.forEach { it.hangUp(Refused("reset")) }
                after(1.seconds)
                repeat(20) { pool.use { it.backend shouldBe spare } }
                network.set(best, FakeNetwork.Mode.Up)
                after(1.minutes)
                repeat(20) { pool.use { it.backend shouldBe best } }
            }
        }

        test("closing waits for loans up to the grace, then closes them under their holders") {
            poolTest(setOf(a), PoolPolicy(spares = 5, maxSlots = 5, closeTimeout = 1.seconds)) {
                after(1.milliseconds)
                val holds = listOf(500, 1000, 1500, 1900, 2500).map { hold ->
                    val claim = pool.claim()
                    test.launch {
                        delay(hold.milliseconds)
                        claim.close()
                    }
                }
                val waiting = test.async { runCatching { pool.claim() } }
                test.runCurrent()
                val report = pool.close(2_000)
                test.currentTime shouldBe 2_001
                report.forced shouldBe 1
                report.closed shouldBe 4
                report.refused shouldBe 1
                report.stuck shouldBe 0
                waiting.await().exceptionOrNull()!!.message shouldContain "closed"
                pool.close(5_000) shouldBe report
                shouldThrow<PoolException.Closed> { pool.claim() }
                shouldThrow<PoolException.Closed> { pool.tryClaim() }
                holds.forEach { it.join() }
            }
        }

        test("closing returns in time even if a connector's close never ends") {
            val network = FakeNetwork().apply { closeDelay = 1.minutes }
            poolTest(setOf(a), PoolPolicy(spares = 2, maxSlots = 2, closeTimeout = 1.seconds), network) {
                after(1.milliseconds)
                pool.close(500)
                test.currentTime shouldBe 1_001
                after(1.minutes)
            }
        }

        test("cancelling the scope closes everything, and claims say that it ended") {
            runTest {
                val network = FakeNetwork()
                val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
                val pool = scope.openPool(
                    "db",
                    fixedResolver(a),
                    network,
                    PoolPolicy(),
                    testScheduler.timeSource,
                    Random(1),
                )
                val claim = pool.claim()
                val waiters = List(20) { async { runCatching { pool.claim() } } }
                runCurrent()
                scope.coroutineContext[Job]!!.cancelAndJoin()
                network.live.shouldBeEmpty()
                waiters.awaitAll().count { it.exceptionOrNull() is PoolException.Closed } shouldBeGreaterThanOrEqualTo 1
                shouldThrow<PoolException.Closed> { pool.claim() }
                claim.close()
                pool.snapshot.value.phase shouldBe PoolSnapshot.Phase.Closed
            }
        }

        test("a resolver that fails or completes never empties the pool, and is asked again after a failure") {
            runTest {
                var asked = 0
                val resolver = Resolver {
                    flow {
                        asked++
                        if (asked > 1) error("name server down")
                        emit(setOf(a))
                        delay(1.seconds)
                        error("name server gone")
                    }
                }
                val network = FakeNetwork()
                val pool = backgroundScope.openPool(
                    "db",
                    resolver,
                    network,
                    PoolPolicy(),
                    testScheduler.timeSource,
                    Random(1),
                )
                delay(1.minutes)
                asked shouldBeInRange 4..8
                pool.use { it.backend shouldBe a }
                pool.close(0)
            }
        }

        test("awaitReady connects in parallel and returns when so many are open") {
            val network = FakeNetwork().apply { connectDelay = 100.milliseconds }
            poolTest(setOf(a), PoolPolicy(spares = 2, maxSlots = 16), network) {
                pool.awaitReady(16)
                test.currentTime shouldBe 400
                now.ready shouldBe 16
            }
        }

        test("awaitReady that fails says what each backend's error was") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.Refusing) }
            poolTest(setOf(a), PoolPolicy(claimTimeout = 2.seconds), network) {
                val failure = shouldThrow<PoolException.NotReady> { pool.awaitReady(2) }
                failure.message shouldContain "0 of 2 connections ready"
                failure.message shouldContain "connection refused by"
            }
        }

        test("10,000 coroutines on one thread over a pool of 4 take the theoretical time") {
            poolTest(setOf(a), PoolPolicy(spares = 4, maxSlots = 4, claimTimeout = INFINITE)) {
                after(1.milliseconds)
                coroutineScope {
                    repeat(10_000) { launch { pool.use { delay(10.milliseconds) } } }
                }
                test.currentTime shouldBe 25_001
            }
        }
    })
