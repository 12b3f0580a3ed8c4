package dev.carom.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PersistentCloseTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")

        test("closing writes what is in the outbox, within the grace, and reports what was left") {
            persistentTest(setOf(a)) {
                connected()
                writer.pace = 1.seconds
                val sending = List(5) { test.async { runCatching { link.send("m$it") } } }
                after(500.milliseconds)
                val closing = test.async { link.close(3_000) }
                after(1.milliseconds)
                shouldThrow<PersistentException.Closed> { link.put("late") }
                shouldThrow<PersistentException.Closed> { link.trySend("late") }
                val report = closing.await()
                report.flushed shouldBe 3
                report.left shouldBe 2
                report.leftBytes shouldBe 4
                report.connections.toString() shouldContain "0 stuck"
                sending.awaitAll().map { it.isSuccess } shouldContainExactly listOf(true, true, true, false, false)
                link.close(0) shouldBe report
                test.currentTime shouldBeInRange 3_500L..3_600L
                link.current.value.shouldBeNull()
            }
        }

        test("closing with nothing to write ends at once; a second close shortens the grace of the first") {
            persistentTest(setOf(a)) {
                connected()
                link.close().left shouldBe 0
                test.currentTime shouldBe 0
            }
            persistentTest(emptySet()) {
                link.put("never")
                val long = test.async { link.close(100_000) }
                after(1.seconds)
                link.close(1_000).left shouldBe 1
                test.currentTime shouldBeInRange 2_000L..2_001L
                long.await().left shouldBe 1
            }
        }

        test("closing ends in time although a write does not let itself be cancelled") {
            val stuck = CompletableDeferred<Unit>()
            persistentTest(setOf(a), PersistentPolicy()) {
                connected()
                writer.hold = { withContext(NonCancellable) { stuck.await() } }
                link.put("0")
                link.put("1")
                after(1.milliseconds)
                val report = link.close(1_000)
                report.left shouldBe 2
                test.currentTime shouldBeInRange 4_000L..7_001L
                network.live.shouldBeEmpty()
                stuck.complete(Unit)
                after(1.milliseconds)
                writer.begun shouldContainExactly listOf("0")
            }
        }

        test("cancelling the scope at any moment ends everything, and every sender learns of it") {
            for (moment in 0L..40L) {
                val network = FakeNetwork().apply {
                    connectDelay = 3.milliseconds
                    closeDelay = 2.milliseconds
                }
                persistentTest(setOf(a), PersistentPolicy(maxMessages = 2), network) {
                    writer.pace = 2.milliseconds
                    writer.failing = { message, on -> if (message == "m2" && on.id == 1) Refused("reset") else null }
                    val sending = List(6) { test.async { runCatching { link.send("m$it") } } }
                    test.launch {
                        delay(12.milliseconds)
                        listed.value = setOf(b)
                        delay(15.milliseconds)
                        link.close(5)
                    }
                    after(moment.milliseconds)
                    scope.coroutineContext[Job]!!.cancelAndJoin()
                    network.live.shouldBeEmpty()
                    for (outcome in sending.awaitAll()) {
                        outcome.exceptionOrNull()?.shouldBeInstanceOf<PersistentException.Closed>()
                    }
                }
            }
        }
    })
