package dev.carom.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PersistentConnectionTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")

        test("messages sent before there is a connection are written when there is, in order") {
            persistentTest(emptySet()) {
                link.state.value shouldBe PersistentState.WaitingForBackends
                val sending = List(5) { test.async { link.send("m$it") } }
                after(10.seconds)
                writer.written.shouldBeEmpty()
                listed.value = setOf(a)
                sending.awaitAll()
                writer.messages shouldContainExactly List(5) { "m$it" }
                connected().backend shouldBe a
                link.snapshot.written shouldBe 5
            }
        }

        test("it follows the best backend: by priority, then weight; among equals it stays") {
            val spare = backend("spare", priority = 1, weight = 9)
            persistentTest(setOf(spare)) {
                connected().backend shouldBe spare
                listed.value = setOf(spare, a)
                after(1.milliseconds)
                connected().backend shouldBe a
                listed.value = setOf(spare, a, b)
                after(100.seconds)
                connected().backend shouldBe a
                val heavy = backend("heavy", weight = 2)
                listed.value = setOf(spare, a, b, heavy)
                after(1.milliseconds)
                connected().backend shouldBe heavy
                network.set(heavy, FakeNetwork.Mode.Refusing)
                link.current.value.shouldNotBeNull().fail(Refused("reset"))
                after(1.milliseconds)
                link.send("still there")
                (writer.written.last().second in setOf(a, b)) shouldBe true
                network.set(heavy, FakeNetwork.Mode.Up)
                after(60.seconds)
                connected().backend shouldBe heavy
                network.live.size shouldBe 1
            }
        }

        test("the state tells attempts, errors, moving and closing") {
            val network = FakeNetwork().apply {
                connectDelay = 1.seconds
                set(a, FakeNetwork.Mode.Refusing)
            }
            persistentTest(setOf(a), network = network) {
                after(1.milliseconds)
                link.state.value shouldBe PersistentState.Connecting(1, null)
                after(1.seconds)
                val failed = link.state.value.shouldBeInstanceOf<PersistentState.Connecting>()
                failed.attempt shouldBe 2
                failed.lastError!!.message!! shouldContain "refused"
                network.set(a, FakeNetwork.Mode.Up)
                after(2.seconds)
                val up = connected()
                up.backend shouldBe a
                up.sinceMillis shouldBeInRange 2_000L..2_100L
                listed.value = setOf(b)
                after(500.milliseconds)
                link.state.value shouldBe PersistentState.Moving(a, b)
                after(1.seconds)
                connected().backend shouldBe b
            }
        }

        test("a message whose write failed is written again on the next connection, before those behind it") {
            persistentTest(setOf(a)) {
                var failures = 2
                writer.failing =
                    { message, _ -> if (message == "1" && failures-- > 0) Refused("broken pipe") else null }
                listOf("0", "1", "2").forEach { link.put(it) }
                link.send("3")
                writer.messages shouldContainExactly listOf("0", "1", "2", "3")
                network.opened shouldBe 3
            }
        }

        test("with one attempt, a message whose write failed is not written again, and its sender is told") {
            persistentTest(setOf(a), PersistentPolicy(attempts = 1)) {
                writer.failing = { message, _ -> if (message == "1") Refused("broken pipe") else null }
                link.send("0")
                val failure = shouldThrow<PersistentException.NotWritten> { link.send("1") }
                failure.attempts shouldBe 1
                failure.message!! shouldContain "broken pipe"
                link.send("2")
                writer.begun shouldContainExactly listOf("0", "1", "2")
                link.snapshot.dropped shouldBe 1
            }
        }

        test("a message that can never be written is given up, and those behind it get through") {
            persistentTest(setOf(a), PersistentPolicy(attempts = 3)) {
                val notices = test.async { link.notices.toList() }
                writer.failing =
                    { message, _ -> if (message == "bad") IllegalArgumentException("cannot encode") else null }
                link.put("bad")
                link.send("good")
                writer.begun shouldContainExactly listOf("bad", "bad", "bad", "good")
                link.close(0)
                notices.await().filterIsInstance<SetNotice.WriteFailed>().map { it.again } shouldContainExactly
                    listOf(true, true, false)
            }
        }

        test("a write that hangs is cut off and repeated on a new connection") {
            persistentTest(setOf(a), PersistentPolicy(writeTimeout = 2.seconds)) {
                writer.pace = 1_000.seconds
                val sending = test.async { link.send("m") }
                after(1.seconds)
                writer.pace = Duration.ZERO
                sending.await()
                test.currentTime shouldBeInRange 2_000L..2_100L
                network.opened shouldBe 2
            }
        }

        test("moving makes before it breaks: a write under way ends on the old connection, the next is on the new") {
            persistentTest(setOf(a)) {
                connected()
                writer.pace = 1.seconds
                link.put("0")
                link.put("1")
                after(500.milliseconds)
                listed.value = setOf(b)
                link.send("2")
                writer.written shouldContainExactly listOf("0" to a, "1" to b, "2" to b)
                writer.begun.size shouldBe 3
            }
        }

        test("connections that break at random lose nothing and reorder nothing") {
            for (seed in 1..50) {
                val random = Random(seed)
                persistentTest(setOf(a, b), PersistentPolicy(maxMessages = 8, attempts = 100)) {
                    writer.pace = 1.milliseconds
                    writer.failing = { _, _ -> if (random.nextInt(6) == 0) Refused("reset") else null }
                    val sender = test.launch { repeat(60) { link.put("m$it") } }
                    val chaos = test.launch {
                        while (true) {
                            delay(random.nextInt(1, 9).milliseconds)
                            link.current.value?.connection?.hangUp(if (random.nextBoolean()) Refused("reset") else null)
                        }
                    }
                    sender.join()
                    link.send("end")
                    chaos.cancelAndJoin()
                    writer.messages.distinct() shouldContainExactly List(60) { "m$it" } + "end"
                }
            }
        }
    })
