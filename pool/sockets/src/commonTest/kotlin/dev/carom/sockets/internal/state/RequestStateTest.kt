package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.state.SocketEffect.Cut
import dev.carom.sockets.internal.state.SocketEffect.Done
import dev.carom.sockets.internal.state.SocketEffect.Drop
import dev.carom.sockets.internal.state.SocketEffect.Fail
import dev.carom.sockets.internal.state.SocketEffect.Transmit
import dev.carom.sockets.internal.state.SocketEvent.CallCancelled
import dev.carom.sockets.internal.state.SocketEvent.Flushed
import dev.carom.sockets.internal.state.SocketEvent.PipeDetached
import dev.carom.sockets.internal.state.SocketEvent.ReceiveCalled
import dev.carom.sockets.internal.state.SocketEvent.ReplyCalled
import dev.carom.sockets.internal.state.SocketEvent.Tick
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration.Companion.INFINITE
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class RequestStateTest :
    FunSpec({
        fun req(resend: kotlin.time.Duration = 60.seconds) = Steps(ReqState(resend, Random(1)))

        fun idOf(effects: List<SocketEffect>) = effects.filterIsInstance<Transmit>().single().frame.header.single()

        test("REQ: ids have the highest bit, differ, and replies come in any order") {
            val req = req()
            req.attach(1, 2)
            val first = idOf(req.send(1, "a"))
            val second = idOf(req.send(2, "b"))
            (first < 0 && second < 0 && first != second) shouldBe true
            req.frame(1, "B", second) shouldBe listOf(SocketEffect.Deliver(2, Message(1, text("B"))))
            req.frame(1, "A", first) shouldBe listOf(SocketEffect.Deliver(1, Message(1, text("A"))))
            req.frame(1, "A", first) shouldBe listOf(Drop(1, DropReason.Stale))
        }

        test("REQ: a reply to nothing is dropped; one without a header ends the pipe") {
            val req = req()
            req.attach(1)
            req.send(1, "a")
            req.frame(1, "x", 5) shouldBe listOf(Drop(1, DropReason.Stale))
            req.frame(1, "abc").last() shouldBe Cut(1, Violation.ShortHeader(3))
        }

        test("REQ: requests made before anybody is there go when somebody comes, unless cancelled") {
            val req = req()
            req.send(1, "ABC").shouldBeEmpty()
            req.send(2, "DEF").shouldBeEmpty()
            req.on(CallCancelled(1))
            req.sentBy(req.attach(1)) shouldBe listOf(1 to "DEF")
        }

        test("REQ: two requests in sequence go to two peers") {
            val req = req()
            req.attach(1, 2)
            val id = idOf(req.send(1, "a"))
            req.on(Flushed(1))
            req.frame(1, "A", id)
            req.sentBy(req.send(2, "b")) shouldBe listOf(2 to "b")
        }

        test("REQ: without a reply the same frame is sent again, each time the interval has passed") {
            val req = req(100.milliseconds)
            req.attach(1)
            val id = idOf(req.send(1, "ping"))
            req.on(Flushed(1))
            for (round in 1..2) {
                req.state.nextDeadline shouldBe (100 * round).milliseconds
                req.now = (100 * round - 1).milliseconds
                req.on(Tick).shouldBeEmpty()
                req.now = (100 * round).milliseconds
                req.on(Tick) shouldBe listOf(Transmit(1, Frame(intArrayOf(id), text("ping"))))
                req.on(Flushed(1))
            }
            req.frame(1, "pong", id)
            req.state.nextDeadline shouldBe null
        }

        test("REQ: when the peer is lost the request goes to another at once, or when there is one") {
            val req = req()
            req.attach(1, 2)
            val id = idOf(req.send(1, "a"))
            idOf(req.on(PipeDetached(1))) shouldBe id
            req.on(PipeDetached(2)).shouldBeEmpty()
            val again = req.attach(3)
            req.sentBy(again) shouldBe listOf(3 to "a")
            req.frame(3, "A", idOf(again)) shouldBe listOf(SocketEffect.Deliver(1, Message(3, text("A"))))
        }

        test("REQ: what must not be sent twice fails with its peer") {
            val req = req(INFINITE)
            req.attach(1, 2)
            req.send(1, "a")
            req.on(PipeDetached(1)) shouldBe listOf(Fail(1, Failure.PeerLost(1)))
            req.state.nextDeadline shouldBe null
        }

        test("REQ: a request whose reply is too large fails, and only that is not asked again") {
            val req = req()
            req.attach(1)
            val first = idOf(req.send(1, "a"))
            req.on(Flushed(1))
            req.send(2, "b")
            req.on(PipeDetached(1, Violation.TooLarge(9_000_000UL, 1_048_576, first))) shouldBe
                listOf(Fail(1, Failure.ReplyTooLarge(9_000_000UL, 1_048_576)))
            req.sentBy(req.attach(2)) shouldBe listOf(2 to "b")
        }

        test("REQ: after cancelling, the reply is stale and the timer off") {
            val req = req()
            req.attach(1)
            val id = idOf(req.send(1, "a"))
            req.on(CallCancelled(1))
            req.frame(1, "A", id) shouldBe listOf(Drop(1, DropReason.Stale))
            req.state.nextDeadline shouldBe null
        }

        val id = 0x80000007.toInt()

        test("REP: the way back is kept, and the reply goes it") {
            val rep = Steps(ReplierState())
            rep.attach(3)
            rep.frame(3, "ask", 7, id)
            val asked = rep.receive(1)
            asked shouldBe listOf(SocketEffect.Deliver(1, Message(3, text("ask"), request = 1)))
            rep.on(ReplyCalled(2, 1, text("answer"))) shouldBe
                listOf(Transmit(3, Frame(intArrayOf(7, id), text("answer"))), Done(2))
            rep.on(ReplyCalled(3, 1, text("again"))) shouldBe listOf(Fail(3, Failure.NoSuchRequest))
        }

        test("REP: many requests are in work, and answered in any order") {
            val rep = Steps(ReplierState())
            rep.attach(1, 2)
            rep.frame(1, "a", id)
            rep.frame(2, "b", id)
            for (call in 1L..2L) rep.receive(call)
            rep.sentBy(rep.on(ReplyCalled(3, 2, text("B")))) shouldBe listOf(2 to "B")
            rep.sentBy(rep.on(ReplyCalled(4, 1, text("A")))) shouldBe listOf(1 to "A")
        }

        test("REP: without a request there is nothing to reply to") {
            Steps(ReplierState()).on(ReplyCalled(1, 1, text("x"))) shouldBe listOf(Fail(1, Failure.NoSuchRequest))
        }

        test("REP: a peer that is gone is not answered, and the call is done; a busy one is waited for") {
            val rep = Steps(ReplierState())
            rep.attach(1)
            for (it in 1..3) rep.frame(1, "q$it", id)
            for (call in 1L..3L) rep.receive(call)
            rep.on(ReplyCalled(4, 1, text("r1")))
            rep.on(ReplyCalled(5, 2, text("r2"))).shouldBeEmpty()
            rep.sentBy(rep.on(Flushed(1))) shouldBe listOf(1 to "r2")
            rep.on(PipeDetached(1))
            rep.on(ReplyCalled(6, 3, text("r3"))) shouldBe
                listOf(Drop(1, DropReason.PeerGone, outgoing = true), Done(6))
        }

        test("REP: hops are counted with the id, and garbage ends the pipe") {
            for ((maxHops, passes) in mapOf(1 to false, 2 to true)) {
                val rep = Steps(ReplierState(maxHops))
                rep.attach(1)
                val effects = rep.frame(1, "a", 7, id) + rep.receive(1)
                effects.any { it is SocketEffect.Deliver } shouldBe passes
                effects.contains(Drop(1, DropReason.HopLimit)) shouldBe !passes
            }
            val rep = Steps(ReplierState())
            rep.attach(1)
            rep.frame(1, "", 7).last() shouldBe Cut(1, Violation.ShortHeader(4))
        }

        test("REP: of more open requests than allowed the oldest is forgotten") {
            val rep = Steps(ReplierState(mostOpen = 2))
            rep.attach(1)
            for (it in 1..3) rep.frame(1, "q$it", id)
            rep.on(ReplyCalled(1, 1, text("r"))) shouldBe listOf(Fail(1, Failure.NoSuchRequest))
            rep.sentBy(rep.on(ReplyCalled(2, 2, text("r")))) shouldBe listOf(1 to "r")
        }

        test("SURVEYOR: everybody is asked, and who answers before the deadline is heard") {
            val surveyor = Steps(SurveyorState(500.milliseconds, random = Random(1)))
            surveyor.attach(1, 2, 3)
            val asked = surveyor.send(1, "who")
            surveyor.sentBy(asked).map { it.first } shouldBe listOf(1, 2, 3)
            val survey = asked.filterIsInstance<Transmit>().first().frame.header.single()
            surveyor.frame(1, "me", survey)
            surveyor.frame(2, "me too", survey)
            (2L..3L).flatMap { surveyor.deliveredBy(surveyor.on(ReceiveCalled(it, survey = 1))) } shouldBe
                listOf("me", "me too")
            surveyor.on(ReceiveCalled(4, survey = 1)).shouldBeEmpty()
            surveyor.now = 500.milliseconds
            surveyor.on(Tick) shouldBe listOf(Fail(4, Failure.SurveyOver))
            surveyor.frame(3, "late", survey) shouldBe listOf(Drop(3, DropReason.Stale))
            surveyor.on(ReceiveCalled(5, survey = 1)) shouldBe listOf(Fail(5, Failure.SurveyOver))
        }

        test("SURVEYOR: surveys run side by side, and one that is cancelled hears nothing") {
            val surveyor = Steps(SurveyorState(random = Random(1)))
            surveyor.attach(1)
            val first = idOf(surveyor.send(1, "a"))
            surveyor.send(2, "b")
            val second = idOf(surveyor.on(Flushed(1)))
            surveyor.frame(1, "B", second)
            surveyor.deliveredBy(surveyor.on(ReceiveCalled(3, survey = 2))) shouldBe listOf("B")
            surveyor.on(CallCancelled(1))
            surveyor.frame(1, "A", first) shouldBe listOf(Drop(1, DropReason.Stale))
            surveyor.on(ReceiveCalled(4, survey = 9)) shouldBe listOf(Fail(4, Failure.SurveyOver))
        }

        test("SURVEYOR: a thousand surveys that nobody reads never wait") {
            val surveyor = Steps(SurveyorState(random = Random(1)))
            surveyor.attach(1)
            (1L..1_000L).all { Done(it) in surveyor.send(it, "x") } shouldBe true
            surveyor.frame(1, "abc").last() shouldBe Cut(1, Violation.ShortHeader(3))
        }
    })
