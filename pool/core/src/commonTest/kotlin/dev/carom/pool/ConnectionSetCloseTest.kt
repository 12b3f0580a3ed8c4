package dev.carom.pool

import app.cash.turbine.test
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.withContext
import kotlin.coroutines.ContinuationInterceptor
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Ends: of the set, of a scope, of a caller. */
class ConnectionSetCloseTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")
        val c = backend("c")
        val moved = a.copy(host = "10.0.0.99")

        test("closing waits for leases up to the grace, then closes under their holders, and reports") {
            setTest(setOf(a, b, c)) {
                set.awaitReady(3)
                val short = on(a).lease().shouldNotBeNull()
                val long = on(b).lease().shouldNotBeNull()
                test.launch {
                    delay(1.seconds)
                    short.close()
                }
                val report = set.close(2_000)
                test.currentTime shouldBeInRange 2_000L..2_001L
                report.toString() shouldBe "closed 2, forced 1, refused 0 waiting, 0 stuck"
                set.close(0) shouldBe report
                shouldThrow<PoolException.Closed> { set.tryLease() }
                shouldThrow<PoolException.Closed> { set.lease() }
                long.close()
                set.snapshot.value.phase shouldBe PoolSnapshot.Phase.Closed
            }
        }

        test("closing ends in time although a close hangs") {
            val network = object : FakeNetwork() {
                override suspend fun close(connection: FakeConnection) {
                    try {
                        awaitCancellation()
                    } finally {
                        super.close(connection)
                    }
                }
            }
            setTest(setOf(a), SetPolicy(closeTimeout = 2.seconds), network) {
                set.awaitReady()
                val waiting = test.async { runCatching { set.close(0) } }
                after(2_001.milliseconds)
                waiting.isCompleted shouldBe true
                after(1.seconds)
            }
        }

        test("closing ends in time although a connect does not let itself be cancelled, and says that it is stuck") {
            val stuck = CompletableDeferred<Unit>()
            val network = object : FakeNetwork() {
                override suspend fun connect(backend: Backend): FakeConnection = withContext(NonCancellable) {
                    if (backend == b) stuck.await()
                    super.connect(backend)
                }
            }
            setTest(setOf(a, b), SetPolicy(closeTimeout = 2.seconds), network) {
                set.awaitReady()
                set.close(1_000).toString() shouldBe "closed 1, forced 0, refused 0 waiting, 1 stuck"
                test.currentTime shouldBeInRange 3_000L..3_001L
                // What it opens after all is closed all the same.
                stuck.complete(Unit)
                after(1.milliseconds)
                network.closed shouldBe 2
            }
        }

        test("cancelling the scope closes everything, held or not, and ends all flows") {
            setTest(setOf(a, b)) {
                set.awaitReady(2)
                set.lease()
                val changes = test.async { set.changes.toList() }
                val notices = test.async { set.notices.toList() }
                val waiter = test.async { runCatching { set.awaitReady(5) }.exceptionOrNull() }
                after(1.milliseconds)
                scope.coroutineContext[Job]!!.cancelAndJoin()
                network.live.shouldBeEmpty()
                changes.await().shouldHaveSize(4)
                notices.await()
                waiter.await().shouldBeInstanceOf<PoolException.Closed>()
                set.connections.value.shouldBeEmpty()
                shouldThrow<PoolException.Closed> { set.lease() }
            }
        }

        test(
            "the scope may be cancelled at any moment of connecting, checking, draining and closing: nothing is left",
        ) {
            for (moment in 0L..60L) {
                val network = FakeNetwork().apply {
                    connectDelay = 3.milliseconds
                    closeDelay = 2.milliseconds
                    valid = {
                        delay(2.milliseconds)
                        true
                    }
                }
                setTest(setOf(a, b), SetPolicy(checkInterval = 5.milliseconds), network) {
                    test.launch {
                        delay(15.milliseconds)
                        listed.value = setOf(moved, c)
                        delay(20.milliseconds)
                        set.close(5)
                    }
                    val user = test.launch { runCatching { set.use { delay(12.milliseconds) } } }
                    after(moment.milliseconds)
                    scope.coroutineContext[Job]!!.cancelAndJoin()
                    network.live.shouldBeEmpty()
                    network.closed shouldBe network.opened
                    user.cancelAndJoin()
                }
            }
        }

        test("a lease may be cancelled at each of its resumptions, and none is lost") {
            var last = 1
            var at = 0
            while (at++ < last + 1) {
                setTest(setOf(a), network = FakeNetwork().apply { connectDelay = 1.milliseconds }) {
                    val inner = test.coroutineContext[ContinuationInterceptor] as CoroutineDispatcher
                    val dispatcher = CancelledAt(inner, at)
                    val user = test.launch(dispatcher) { set.use { delay(1.milliseconds) } }
                    user.join()
                    last = maxOf(last, dispatcher.dispatches)
                    after(1.seconds)
                    on(a).leases shouldBe 0
                }
            }
            last shouldBeGreaterThan 2
        }
    })
