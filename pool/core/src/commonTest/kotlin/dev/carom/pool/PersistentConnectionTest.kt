package dev.carom.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlin.coroutines.ContinuationInterceptor
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Keeps what was written where; can be slow, or fail. */
class FakeWriter : MessageWriter<FakeConnection, String> {
    val written = mutableListOf<Pair<String, Backend>>()
    val begun = mutableListOf<String>()
    var pace: Duration = Duration.ZERO
    var failing: (String, FakeConnection) -> Throwable? = { _, _ -> null }
    var hold: suspend () -> Unit = {}
    private var writing = false

    val messages: List<String> get() = written.map { it.first }

    override suspend fun write(connection: FakeConnection, message: String) {
        check(!writing) { "two writes at once" }
        check(!connection.isClosed) { "write on $connection, which is closed" }
        writing = true
        begun += message
        try {
            delay(pace)
            hold()
            failing(message, connection)?.let { throw it }
            written += message to connection.backend
        } finally {
            writing = false
        }
    }

    override fun sizeOf(message: String): Long = message.length.toLong()
}

fun persistentTest(
    backends: Set<Backend>,
    policy: PersistentPolicy = PersistentPolicy(),
    network: FakeNetwork = FakeNetwork(),
    block: suspend PersistentWorld.() -> Unit,
) = runTest {
    val listed = MutableStateFlow(backends)
    val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
    val writer = FakeWriter()
    val time = testScheduler.timeSource
    val link = scope.openPersistent("bus", listed.asResolver(), network, writer, policy, time, Random(1))
    PersistentWorld(this, link, writer, network, listed, scope).block()
    link.close(0)
    network.live.shouldBeEmpty()
    network.closed shouldBe network.opened
    link.state.value shouldBe PersistentState.Closed
    scope.coroutineContext[Job]!!.children.toList().shouldBeEmpty()
    scope.coroutineContext[Job]!!.cancelAndJoin()
}

class PersistentWorld(
    val test: TestScope,
    val link: PersistentConnection<FakeConnection, String>,
    val writer: FakeWriter,
    val network: FakeNetwork,
    val listed: MutableStateFlow<Set<Backend>>,
    val scope: CoroutineScope,
) {
    fun after(time: Duration) {
        test.advanceTimeBy(time)
        test.runCurrent()
    }

    suspend fun connected() = link.state.first { it is PersistentState.Connected } as PersistentState.Connected
}

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
