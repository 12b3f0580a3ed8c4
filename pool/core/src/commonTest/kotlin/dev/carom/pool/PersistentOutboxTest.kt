package dev.carom.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlin.coroutines.ContinuationInterceptor
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Messages that wait to be written. */
class PersistentOutboxTest :
    FunSpec({
        val a = backend("a")

        test("Suspend: senders wait for room, in the order they came; trySend does not overtake them") {
            persistentTest(emptySet(), PersistentPolicy(maxMessages = 2, maxBytes = 10)) {
                link.trySend("0") shouldBe true
                link.trySend("1") shouldBe true
                link.trySend("2") shouldBe false
                val waiting = (2..9).map { test.async { link.put("$it") } }
                after(1.seconds)
                waiting.none { it.isCompleted } shouldBe true
                link.snapshot.messages shouldBe 2
                link.trySend("overtaker") shouldBe false
                listed.value = setOf(a)
                waiting.awaitAll()
                link.send("10")
                writer.messages shouldContainExactly (0..10).map { "$it" }
            }
        }

        test("the bound in bytes holds beside the bound in number; one larger than all is refused at once") {
            persistentTest(emptySet(), PersistentPolicy(maxMessages = 100, maxBytes = 10, overflow = Overflow.Refuse)) {
                link.put("12345")
                link.trySend("123456") shouldBe false
                val full = shouldThrow<PersistentException.OutboxFull> { link.put("123456") }
                full.message shouldBe "bus: the outbox is full, 1 of 100 messages, 5 of 10 bytes"
                link.put("54321")
                shouldThrow<PersistentException.TooLarge> { link.trySend("12345678901") }.message!! shouldContain
                    "11 bytes, the outbox takes at most 10"
            }
        }

        test("DropOldest: the newest are kept, senders of dropped ones are told, what is being written stays") {
            persistentTest(setOf(a), PersistentPolicy(maxMessages = 2, overflow = Overflow.DropOldest)) {
                connected()
                writer.pace = 1.seconds
                val first = test.async { link.send("0") }
                after(1.milliseconds)
                val second = test.async { runCatching { link.send("1") } }
                after(1.milliseconds)
                (2..4).forEach { link.trySend("$it") shouldBe true }
                second.await().exceptionOrNull().shouldBeInstanceOf<PersistentException.Dropped>()
                first.await()
                link.send("5")
                writer.messages shouldContainExactly listOf("0", "3", "4", "5")
                link.snapshot.dropped shouldBe 2
            }
        }

        test("a sender that is cancelled takes its message out of the outbox, unless it is being written") {
            persistentTest(emptySet()) {
                link.put("0")
                val cancelled = test.launch { link.send("1") }
                link.trySend("2")
                after(1.milliseconds)
                cancelled.cancelAndJoin()
                link.snapshot.messages shouldBe 2
                listed.value = setOf(a)
                writer.pace = 1.seconds
                after(3.seconds)
                val late = test.launch { link.send("3") }
                after(500.milliseconds)
                late.cancelAndJoin()
                after(1.seconds)
                writer.messages shouldContainExactly listOf("0", "2", "3")
            }
        }

        test("a sender may be cancelled at each of its resumptions: its message is written once or not at all") {
            var last = 1
            var at = 0
            while (at++ < last + 1) {
                persistentTest(setOf(a), PersistentPolicy(maxMessages = 1)) {
                    val inner = test.coroutineContext[ContinuationInterceptor] as CoroutineDispatcher
                    val dispatcher = CancelledAt(inner, at)
                    writer.pace = 1.milliseconds
                    repeat(2) { link.put("before") }
                    val sender = test.launch(dispatcher) { link.send("mine") }
                    sender.join()
                    last = maxOf(last, dispatcher.dispatches)
                    link.send("after")
                    (writer.messages.count { it == "mine" } <= 1) shouldBe true
                    if (!sender.isCancelled) writer.messages shouldContain "mine"
                    writer.messages.last() shouldBe "after"
                    link.snapshot.messages shouldBe 0
                }
            }
            last shouldBeGreaterThan 2
        }
    })
