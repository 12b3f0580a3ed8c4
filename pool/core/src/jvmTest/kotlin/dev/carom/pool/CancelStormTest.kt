package dev.carom.pool

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * 20,000 coroutines at a time over 64 connections, 30 % of them cancelled wherever they happen to be, while backends come, go
 * and break: no connection is used by two, none is lost. Two seconds in the ordinary run, a minute with `-Psoak`.
 */
class CancelStormTest :
    FunSpec({
        val length = (System.getProperty("carom.soak.seconds")?.toInt() ?: 2).seconds

        test("a storm of cancellations for $length leaks nothing and lends nothing twice (D4)") {
            withContext(Dispatchers.Default) {
                val network = PreparingNetwork()
                val backends = List(4) { backend("$it") }
                val listed = MutableStateFlow(backends.toSet())
                val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
                val policy = PoolPolicy(
                    spares = 32,
                    maxSlots = 64,
                    claimTimeout = 60.seconds,
                    healthInterval = 100.milliseconds,
                    lease = LeasePolicy(warnAfter = 30.seconds),
                )
                val pool = scope.openPool("storm", listed.asResolver(), network, policy)
                val storm = Storm(pool)
                val start = TimeSource.Monotonic.markNow()
                var seed = 0
                while (start.elapsedNow() < length) {
                    coroutineScope {
                        repeat(20_000) { n -> launch { storm.visit(Random(seed + n)) } }
                        launch { storm.shake(backends, listed, network, Random(seed)) }
                    }
                    listed.value = backends.toSet()
                    seed += 20_000
                }
                storm.served.get() shouldBeGreaterThan 1_000
                storm.places.size shouldBeGreaterThan 0
                pool.awaitReady(64)
                val all = List(64) { pool.claim() }
                all.map { it.connection.id }.toSet().size shouldBe 64
                all.forEach { it.close() }
                pool.close(0).stuck shouldBe 0
                println("cancel storm: $storm")
                network.live.shouldBeEmpty()
                network.opened shouldBe network.closed
                scope.coroutineContext[Job]!!.children.filterNot { it.isCompleted }.toList().shouldBeEmpty()
                scope.coroutineContext[Job]!!.cancelAndJoin()
            }
        }
    })

/** Has every hook, so that there are more places to be cancelled at. */
private class PreparingNetwork : FakeNetwork() {
    override suspend fun onAcquire(connection: FakeConnection) = yield()

    override suspend fun onRecycle(connection: FakeConnection) = yield()
}

private class Storm(private val pool: Pool<FakeConnection>) {
    val served = AtomicInteger()
    private val cancelled = AtomicInteger()

    /** Where coroutines were when they were cancelled. */
    val places: MutableSet<String> = ConcurrentHashMap.newKeySet()

    suspend fun visit(random: Random) = coroutineScope {
        var place = "before the claim"
        val visitor = launch {
            try {
                if (random.nextBoolean()) yield()
                place = "in the claim"
                val claim = pool.claim()
                place = "with the connection"
                try {
                    claim.connection.enter()
                    try {
                        repeat(random.nextInt(3)) { yield() }
                    } finally {
                        claim.connection.leave()
                    }
                    served.incrementAndGet()
                } finally {
                    if (random.nextInt(50) == 0) claim.discard(Refused("at random")) else claim.close()
                }
                place = "after the claim"
                yield()
            } catch (e: PoolException) {
                place = "refused: ${e::class.simpleName}"
            }
        }
        if (random.nextInt(10) < 3) {
            repeat(random.nextInt(6)) { yield() }
            if (visitor.isActive) {
                cancelled.incrementAndGet()
                visitor.cancel()
                places += place
            }
        }
    }

    suspend fun shake(
        backends: List<Backend>,
        listed: MutableStateFlow<Set<Backend>>,
        network: FakeNetwork,
        random: Random,
    ) {
        repeat(20) {
            listed.value = backends.filter { random.nextInt(4) > 0 }.toSet().ifEmpty { backends.toSet() }
            network.live.randomOrNull(random)?.hangUp(if (random.nextBoolean()) Refused("shaken") else null)
            delay(5.milliseconds)
        }
    }

    override fun toString(): String =
        "${served.get()} served, ${cancelled.get()} cancelled at ${places.size} kinds of places: ${places.sorted()}"
}
