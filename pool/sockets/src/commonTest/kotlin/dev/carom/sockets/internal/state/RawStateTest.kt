package dev.carom.sockets.internal.state

import dev.carom.sockets.DropReason
import dev.carom.sockets.Protocol
import dev.carom.sockets.internal.state.SocketEffect.Cut
import dev.carom.sockets.internal.state.SocketEffect.Deliver
import dev.carom.sockets.internal.state.SocketEffect.Done
import dev.carom.sockets.internal.state.SocketEffect.Drop
import dev.carom.sockets.internal.state.SocketEffect.Fail
import dev.carom.sockets.internal.state.SocketEffect.Reject
import dev.carom.sockets.internal.state.SocketEffect.Transmit
import dev.carom.sockets.internal.state.SocketEvent.FrameReceived
import dev.carom.sockets.internal.state.SocketEvent.SendCalled
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf

class RawStateTest :
    FunSpec({
        fun raw(protocol: Protocol, maxHops: Int = 8) = Steps(RawState(protocol, maxHops))

        fun wire(text: String, vararg words: Int) = payload(Frame(words, text(text)))

        fun Steps.delivered(call: Long, pipe: Int, frame: Body): Message {
            val effect = on(FrameReceived(pipe, frame)).ifEmpty { receive(call) }.single()
            return effect.shouldBeInstanceOf<Deliver>().message
        }

        fun Steps.forward(message: Message, back: Boolean) =
            on(SendCalled(100, message.body, if (back) message.pipe else 0))

        test("a request goes through a device and its reply finds the way back") {
            val left = raw(Protocol.Rep).apply { attach(7) }
            val right = raw(Protocol.Req).apply { attach(3) }
            val asked = left.delivered(1, 7, wire("ask", ID))
            val out = right.forward(asked, back = true).filterIsInstance<Transmit>().single()
            payload(out.frame) shouldBe wire("ask", 7, ID)
            val answered = right.delivered(1, 3, wire("reply", 7, ID))
            val home = left.forward(answered, back = false).filterIsInstance<Transmit>().single()
            home.pipe shouldBe 7
            payload(home.frame) shouldBe wire("reply", ID)
        }

        test("a survey goes through a device to every respondent, and each answer finds the way back") {
            val left = raw(Protocol.Respondent).apply { attach(7) }
            val right = raw(Protocol.Surveyor).apply { attach(3, 4) }
            val asked = left.delivered(1, 7, wire("who?", ID))
            val out = right.forward(asked, back = true).filterIsInstance<Transmit>()
            out.map { it.pipe } shouldContainExactly listOf(3, 4)
            val home = listOf(3, 4).map { pipe ->
                left.state.on(SocketEvent.Flushed(7), left.now)
                left.forward(right.delivered(pipe.toLong(), pipe, wire("$pipe", 7, ID)), back = false)
            }
            home.flatMap { left.sentBy(it) }.map { it.first } shouldBe listOf(7, 7)
        }

        test("a stack may have as many words as there are hops allowed, the id counted, and no more") {
            for (protocol in listOf(Protocol.Rep, Protocol.Respondent)) {
                val state = raw(protocol, maxHops = 3).apply { attach(1) }
                state.on(FrameReceived(1, wire("x", 5, ID))) shouldBe emptyList()
                state.on(FrameReceived(1, wire("x", 5, 6, ID))) shouldBe emptyList()
                state.on(FrameReceived(1, wire("x", 5, 6, 7, ID))) shouldBe listOf(Drop(1, DropReason.HopLimit))
            }
            // who asks does not count: the stack is what it sent
            raw(Protocol.Req, maxHops = 1).apply { attach(1) }.on(FrameReceived(1, wire("x", 5, 6, ID))) shouldBe
                emptyList()
        }

        test("a frame without an id ends its pipe") {
            for (protocol in listOf(Protocol.Rep, Protocol.Respondent, Protocol.Req, Protocol.Surveyor)) {
                val state = raw(protocol).apply { attach(1) }
                state.on(FrameReceived(1, wire("", 5))) shouldContain Cut(1, Violation.ShortHeader(4))
            }
        }

        test("an answer to a pipe that is gone, or to nobody, is dropped, and the sender goes on") {
            val state = raw(Protocol.Rep).apply { attach(7) }
            state.on(SendCalled(1, wire("late", 9, ID))) shouldBe
                listOf(Done(1), Drop(0, DropReason.PeerGone, outgoing = true))
            state.on(SendCalled(2, text("?"))) shouldBe listOf(Done(2), Drop(0, DropReason.Malformed, outgoing = true))
            raw(Protocol.Req).apply { attach(1) }.on(SendCalled(3, text("no id"))) shouldBe
                listOf(Drop(0, DropReason.Malformed, outgoing = true), Done(3))
        }

        test("answers that a pipe does not take are queued, and then lost") {
            val state = Steps(RawState(Protocol.Rep, sendLimit = 1)).apply { attach(7) }
            val answer = wire("a", 7, ID)
            state.sentBy(state.on(SendCalled(1, answer))).size shouldBe 1
            state.on(SendCalled(2, answer)) shouldBe listOf(Done(2))
            state.on(SendCalled(3, answer)) shouldBe listOf(Done(3), Drop(7, DropReason.Overflow, outgoing = true))
            state.state.unflushed shouldBe 1
        }

        test("a bus message goes to everybody but where it came from") {
            val state = raw(Protocol.Bus).apply { attach(1, 2, 3) }
            val message = state.delivered(1, 2, text("hi"))
            state.sentBy(state.forward(message, back = true)) shouldBe listOf(1 to "hi", 3 to "hi")
        }

        test("a pair of version 1 counts a hop each time, up to the limit") {
            val state = raw(Protocol.PairV1, maxHops = 4).apply { attach(1) }
            val out = state.on(SendCalled(1, wire("x", 0))).filterIsInstance<Transmit>().single()
            payload(out.frame) shouldBe wire("x", 1)
            state.on(FrameReceived(1, wire("x", 4))) shouldBe emptyList()
            state.on(FrameReceived(1, wire("x", 5))) shouldBe listOf(Drop(1, DropReason.HopLimit))
            state.on(FrameReceived(1, wire("x", 256))) shouldContain Cut(1, Violation.BadHeader(256))
            for (header in listOf(0xFF, 0xDEAD0000.toInt())) {
                state.on(SendCalled(2, wire("x", header))) shouldBe
                    listOf(Drop(0, DropReason.Malformed, outgoing = true), Done(2))
            }
        }

        test("one peer at a time is paired") {
            raw(Protocol.Pair).apply { attach(1) }.attach(2) shouldBe listOf(Reject(2, Rejection.AlreadyPaired))
        }

        test("a subscriber takes everything, and says nothing") {
            val state = raw(Protocol.Sub).apply { attach(1) }
            state.delivered(1, 1, text("any")).body.text() shouldBe "any"
            state.on(SendCalled(2, text("x"))) shouldBe listOf(Fail(2, Failure.NotInThisRole))
        }

        test("who only sends does not listen") {
            for (protocol in listOf(Protocol.Push, Protocol.Pub)) {
                val state = raw(protocol).apply { attach(1) }
                state.receive(1) shouldBe listOf(Fail(1, Failure.NotInThisRole))
                state.on(FrameReceived(1, text("x"))) shouldContain Cut(1, Violation.UnexpectedFrame(1))
            }
        }

        test("a request that waits for room can be withdrawn") {
            val state = raw(Protocol.Req)
            state.on(SendCalled(1, wire("x", ID))) shouldBe emptyList()
            state.on(SocketEvent.CallCancelled(1))
            state.attach(1) shouldBe emptyList()
        }

        test("a message given back is there for the next, unless nobody could be answered any more") {
            val pull = raw(Protocol.Pull).apply { attach(1) }
            val message = pull.delivered(1, 1, text("x"))
            pull.on(SocketEvent.MessageReturned(message)) shouldBe emptyList()
            pull.deliveredBy(pull.receive(2)) shouldBe listOf("x")
            val rep = raw(Protocol.Rep).apply { attach(1) }
            val asked = rep.delivered(1, 1, wire("x", ID))
            rep.on(SocketEvent.PipeDetached(1))
            rep.on(SocketEvent.MessageReturned(asked)) shouldBe listOf(Drop(1, DropReason.PeerGone))
        }
    }) {
    private companion object {
        const val ID = -0x7FFFFFFF
    }
}
