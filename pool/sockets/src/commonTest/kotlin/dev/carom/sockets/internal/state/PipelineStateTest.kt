package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.state.SocketEffect.Deliver
import dev.carom.sockets.internal.state.SocketEffect.Done
import dev.carom.sockets.internal.state.SocketEffect.Drop
import dev.carom.sockets.internal.state.SocketEffect.Fail
import dev.carom.sockets.internal.state.SocketEffect.Pause
import dev.carom.sockets.internal.state.SocketEffect.Reject
import dev.carom.sockets.internal.state.SocketEffect.Resume
import dev.carom.sockets.internal.state.SocketEffect.Transmit
import dev.carom.sockets.internal.state.SocketEvent.CallCancelled
import dev.carom.sockets.internal.state.SocketEvent.CloseCalled
import dev.carom.sockets.internal.state.SocketEvent.Flushed
import dev.carom.sockets.internal.state.SocketEvent.MessageReturned
import dev.carom.sockets.internal.state.SocketEvent.PipeAttached
import dev.carom.sockets.internal.state.SocketEvent.PipeDetached
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe

class PipelineStateTest :
    FunSpec({
        test("PUSH: a send waits for a peer, and goes when one comes") {
            val push = Steps(PushState())
            push.send(1, "a").shouldBeEmpty()
            push.attach(7) shouldBe listOf(Transmit(7, Frame(text("a"))), Done(1))
        }

        test("PUSH: three peers get one message each, in the order they came; then senders wait") {
            val push = Steps(PushState())
            push.attach(1, 2, 3)
            listOf("one", "two", "three").flatMapIndexed { i, it -> push.sentBy(push.send(i.toLong(), it)) } shouldBe
                listOf(1 to "one", 2 to "two", 3 to "three")
            push.send(4, "four").shouldBeEmpty()
            push.send(5, "five").shouldBeEmpty()
            push.sentBy(push.on(Flushed(2))) shouldBe listOf(2 to "four")
            push.sentBy(push.on(Flushed(1))) shouldBe listOf(1 to "five")
        }

        test("PUSH: a lower priority gets nothing while a higher one has room") {
            val push = Steps(PushState())
            push.on(PipeAttached(1, sendPriority = 2), PipeAttached(2, sendPriority = 1))
            push.sentBy(push.send(1, "a")) shouldBe listOf(2 to "a")
            push.on(Flushed(2))
            push.sentBy(push.send(2, "b")) shouldBe listOf(2 to "b")
            push.sentBy(push.send(3, "c")) shouldBe listOf(1 to "c")
        }

        test("PUSH: a cancelled send never happens") {
            val push = Steps(PushState())
            push.send(1, "a")
            push.send(2, "b")
            push.on(CallCancelled(1))
            push.attach(7) shouldBe listOf(Transmit(7, Frame(text("b"))), Done(2))
        }

        test("PUSH: nothing goes to a peer that left, and a peer that talks is cut") {
            val push = Steps(PushState())
            push.attach(1)
            push.on(PipeDetached(1))
            push.send(1, "a").shouldBeEmpty()
            push.attach(2)
            push.frame(2, "x") shouldContainExactly
                listOf(Drop(2, DropReason.Malformed), SocketEffect.Cut(2, Violation.UnexpectedFrame(1)))
        }

        test("what a role does not do is refused") {
            Steps(PushState()).receive(1) shouldBe listOf(Fail(1, Failure.NotInThisRole))
            Steps(PullState()).send(1, "a") shouldBe listOf(Fail(1, Failure.NotInThisRole))
            Steps(PubState()).receive(1) shouldBe listOf(Fail(1, Failure.NotInThisRole))
            Steps(SubState()).send(1, "a") shouldBe listOf(Fail(1, Failure.NotInThisRole))
        }

        test("closing fails who waits, and takes in nobody") {
            val push = Steps(PushState())
            push.send(1, "a")
            push.on(CloseCalled) shouldBe listOf(Fail(1, Failure.Closed))
            push.send(2, "b") shouldBe listOf(Fail(2, Failure.Closed))
            push.attach(1) shouldBe listOf(Reject(1, Rejection.Closed))
        }

        test("PULL: peers are heard in turn, however much one of them has to say") {
            val pull = Steps(PullState())
            pull.attach(1, 2, 3)
            for (i in 1..3) pull.frame(1, "a$i")
            pull.frame(2, "b1")
            pull.frame(3, "c1")
            (1L..5L).flatMap { pull.deliveredBy(pull.receive(it)) } shouldBe listOf("a1", "b1", "c1", "a2", "a3")
        }

        test("PULL: the higher priority is heard first") {
            val pull = Steps(PullState())
            pull.on(PipeAttached(1, receivePriority = 2), PipeAttached(2, receivePriority = 1))
            pull.frame(1, "A")
            pull.frame(2, "B")
            pull.deliveredBy(pull.receive(1)) shouldBe listOf("B")
            pull.deliveredBy(pull.receive(2)) shouldBe listOf("A")
        }

        test("PULL: a pipe with a full queue is paused until there is room") {
            val pull = Steps(PullState(limit = 2))
            pull.attach(1)
            pull.frame(1, "a").shouldBeEmpty()
            pull.frame(1, "b") shouldBe listOf(Pause(1))
            pull.frame(1, "c").shouldBeEmpty()
            pull.deliveredBy(pull.receive(1)) shouldBe listOf("a")
            pull.receive(2).last() shouldBe Resume(1)
            pull.deliveredBy(pull.receive(3)) shouldBe listOf("c")
        }

        test("PULL: a pipe with too many bytes in its queue is paused, however few messages they are") {
            val pull = Steps(PullState(limit = 100, bytes = 10))
            pull.attach(1, 2)
            pull.frame(1, "123456").shouldBeEmpty()
            pull.frame(1, "1234") shouldBe listOf(Pause(1))
            pull.frame(1, "read together with it").shouldBeEmpty()
            pull.frame(2, "another pipe has its own bytes") shouldBe listOf(Pause(2))
            pull.deliveredBy(pull.receive(1)) shouldBe listOf("123456")
            pull.receive(2).last() shouldBe Resume(2)
            pull.deliveredBy(pull.receive(3)) shouldBe listOf("1234")
            pull.receive(4) shouldBe listOf(Deliver(4, Message(1, text("read together with it"))), Resume(1))
        }

        test("PULL: bytes that went back to the queue count again, and those that were lost do not") {
            val pull = Steps(PullState(limit = 100, bytes = 4))
            pull.attach(1)
            pull.frame(1, "abcd") shouldBe listOf(Pause(1))
            pull.receive(1).last() shouldBe Resume(1)
            pull.on(MessageReturned(Message(1, text("abcd"))))
            pull.frame(1, "") shouldBe listOf(Pause(1))
            pull.receive(2).last() shouldBe Resume(1)
        }

        test("PULL: what a peer sent before it left is delivered") {
            val pull = Steps(PullState())
            pull.attach(1)
            pull.frame(1, "last words")
            pull.on(PipeDetached(1)).shouldBeEmpty()
            pull.deliveredBy(pull.receive(1)) shouldBe listOf("last words")
        }

        test("PULL: peers that send and leave do not fill the memory; what is lost is counted") {
            val pull = Steps(PullState())
            val effects = (1..200).flatMap { pipe ->
                pull.attach(pipe)
                repeat(10) { pull.frame(pipe, "x") }
                pull.on(PipeDetached(pipe))
            }
            effects.filterIsInstance<Drop>().sumOf { it.count } shouldBe 2_000 - FairQueue.MOST_ORPHANS
            (1L..2_000L).flatMap { pull.deliveredBy(pull.receive(it)) }.size shouldBe FairQueue.MOST_ORPHANS
        }

        test("PULL: waiting receivers are served in the order they came; the cancelled are not") {
            val pull = Steps(PullState())
            pull.attach(1)
            for (call in 1L..3L) pull.receive(call)
            pull.on(CallCancelled(2))
            pull.frame(1, "a") shouldBe listOf(Deliver(1, Message(1, text("a"))))
            pull.frame(1, "b") shouldBe listOf(Deliver(3, Message(1, text("b"))))
        }

        test("PULL: a message that reached a cancelled call comes first again") {
            val pull = Steps(PullState())
            pull.attach(1)
            pull.receive(1)
            pull.frame(1, "a")
            pull.frame(1, "b")
            pull.on(MessageReturned(Message(1, text("a"))))
            (2L..3L).flatMap { pull.deliveredBy(pull.receive(it)) } shouldBe listOf("a", "b")
        }

        test("PAIR: a second peer is rejected until the first has left") {
            val pair = Steps(PairState())
            pair.attach(1).shouldBeEmpty()
            pair.attach(2) shouldBe listOf(Reject(2, Rejection.AlreadyPaired))
            pair.frame(2, "who are you") shouldBe listOf(Drop(2, DropReason.PeerGone))
            pair.on(PipeDetached(1))
            pair.attach(3).shouldBeEmpty()
        }

        test("PAIR: both halves work at once, and a send outlives the peer it waits for") {
            val pair = Steps(PairState())
            pair.attach(1)
            pair.receive(1)
            pair.sentBy(pair.send(2, "a")) shouldBe listOf(1 to "a")
            pair.send(3, "b").shouldBeEmpty()
            pair.on(PipeDetached(1))
            pair.sentBy(pair.attach(2)) shouldBe listOf(2 to "b")
            pair.frame(2, "c") shouldBe listOf(Deliver(1, Message(2, text("c"))))
        }

        test("PAIR v1: one hop on the wire, none for the user, and no more than allowed") {
            val pair = Steps(PairState.v1(maxHops = 4))
            pair.attach(1)
            pair.send(1, "a").first() shouldBe Transmit(1, Frame(intArrayOf(1), text("a")))
            for (call in 1L..2L) pair.receive(call)
            pair.deliveredBy(pair.frame(1, "b", 1)) shouldBe listOf("b")
            pair.deliveredBy(pair.frame(1, "c", 4)) shouldBe listOf("c")
            pair.frame(1, "d", 5) shouldBe listOf(Drop(1, DropReason.HopLimit))
        }

        test("PAIR v1: a header that is missing or garbage ends the pipe") {
            val pair = Steps(PairState.v1())
            pair.attach(1)
            pair.frame(1, "abc").last() shouldBe SocketEffect.Cut(1, Violation.ShortHeader(3))
            for (word in listOf(0x100, 0xDEAD0000.toInt(), -1)) {
                pair.frame(1, "", word).last() shouldBe SocketEffect.Cut(1, Violation.BadHeader(word))
            }
        }
    })
