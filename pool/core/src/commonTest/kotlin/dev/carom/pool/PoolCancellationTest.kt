package dev.carom.pool

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Delay
import kotlinx.coroutines.InternalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Connections that need preparation and clean-up, both of which suspend; every third preparation fails. */
open class HookedNetwork : FakeNetwork() {
    private var prepared = 0

    override suspend fun onAcquire(connection: FakeConnection) {
        delay(1.milliseconds)
        if (++prepared % 3 == 0) throw Refused("not today")
        delay(1.milliseconds)
    }

    override suspend fun onRecycle(connection: FakeConnection) {
        delay(1.milliseconds)
    }
}

/** Cancels the coroutine just as it is about to go on for the [at]th time. */
@OptIn(InternalCoroutinesApi::class)
private class CancelAt(private val delegate: CoroutineDispatcher, private val at: Int) :
    CoroutineDispatcher(),
    Delay by (delegate as Delay) {
    var dispatches = 0
        private set

    override fun dispatch(context: CoroutineContext, block: Runnable) {
        if (++dispatches == at) context[Job]!!.cancel()
        delegate.dispatch(context, block)
    }
}

class PoolCancellationTest :
    FunSpec({
        val a = backend("a")
        val policy = PoolPolicy(spares = 2, maxSlots = 2, claimTimeout = 10.seconds)

        /** All there is can be had, and nothing is out that nobody has. */
        suspend fun PoolWorld.isWhole() {
            after(1.seconds)
            now.claimed shouldBe 0
            now.waiting shouldBe 0
            val all = List(2) { pool.claim() }
            all.forEach { it.connection.isClosed shouldBe false }
            all.forEach { it.close() }
            after(1.seconds)
            now.ready shouldBe 2
        }

        listOf(false, true).forEach { contended ->
            val how = if (contended) "that has to wait" else "of a free connection"

            test("a claim $how may be cancelled at each of its resumptions, and nothing is lost") {
                var last = 1
                var at = 0
                while (at++ < last + 1) {
                    poolTest(setOf(a), policy, HookedNetwork().apply { connectDelay = 1.milliseconds }) {
                        after(1.seconds)
                        val others = if (contended) List(2) { pool.claim() } else emptyList()
                        val inner = test.coroutineContext[ContinuationInterceptor] as CoroutineDispatcher
                        val dispatcher = CancelAt(inner, at)
                        val claimer = test.launch(dispatcher) { pool.use { delay(1.milliseconds) } }
                        after(2.milliseconds)
                        others.forEach { it.close() }
                        claimer.join()
                        last = maxOf(last, dispatcher.dispatches)
                        isWhole()
                    }
                }
                last shouldBeGreaterThan 3
            }

            test("a claim $how may be cancelled at any moment, and nothing is lost") {
                for (moment in 0L..12L) {
                    poolTest(setOf(a), policy, HookedNetwork().apply { connectDelay = 1.milliseconds }) {
                        after(1.seconds)
                        val others = if (contended) List(2) { pool.claim() } else emptyList()
                        val claimer = test.launch { pool.use { delay(2.milliseconds) } }
                        after(moment.milliseconds / 2)
                        others.forEach { it.close() }
                        after(moment.milliseconds / 2)
                        claimer.cancel()
                        claimer.join()
                        isWhole()
                    }
                }
            }
        }

        test("cancelling 100 claimers at every moment of a busy pool loses nothing") {
            for (moment in 0L..30L) {
                poolTest(setOf(a), policy, HookedNetwork()) {
                    val claimers = List(100) { test.launch { pool.use { delay(1.milliseconds) } } }
                    after(moment.milliseconds)
                    claimers.filterIndexed { i, _ -> i % 3 != 0 }.forEach { it.cancel() }
                    claimers.forEach { it.join() }
                    isWhole()
                }
            }
        }

        test("a claim's deadline covers queueing, preparation and retries together") {
            val never = object : FakeNetwork() {
                override suspend fun onAcquire(connection: FakeConnection): Unit = throw Refused("never")
            }
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1, claimTimeout = 3.seconds), never) {
                val failure = runCatching { pool.claim() }.exceptionOrNull()
                (failure is PoolException.NotPrepared) shouldBe true
                test.testScheduler.currentTime shouldBeInRange 3_000L..3_001L
            }
        }

        test("a preparation that hangs is cut off, its connection closed, and the claim goes on with another") {
            val network = object : FakeNetwork() {
                var calls = 0

                override suspend fun onAcquire(connection: FakeConnection) {
                    if (++calls == 1) delay(1_000.seconds)
                }
            }
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1, acquireTimeout = 2.seconds), network) {
                pool.use { it.id shouldBe 2 }
                test.testScheduler.currentTime shouldBeInRange 2_000L..2_100L
            }
        }
    })
