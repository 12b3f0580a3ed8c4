package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.state.SocketEvent.Flushed
import dev.carom.sockets.internal.state.SocketEvent.PipeDetached
import dev.carom.sockets.internal.state.SocketEvent.PipeRetired
import dev.carom.sockets.internal.state.SocketEvent.ReplyCalled
import dev.carom.sockets.internal.state.SocketEvent.RequestForgotten
import dev.carom.sockets.internal.state.SocketEvent.Tick
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

/** A pipe to a backend that is no longer listed: nothing new, but what is under way may end. */
class RetiringTest :
    FunSpec({
        test("PUSH: a retired pipe gets nothing, though it has room; the others do") {
            val push = Steps(PushState())
            push.attach(1, 2)
            push.on(PipeRetired(1))
            push.sentBy(push.send(1, "a")) shouldBe listOf(2 to "a")
            push.send(2, "b").shouldBeEmpty()
            push.on(Flushed(1)).shouldBeEmpty()
            push.state.isBusy(1) shouldBe false
        }

        test("PAIR: a message waits for the next peer, while the retired one is still heard") {
            val pair = Steps(PairState())
            pair.attach(1)
            pair.on(PipeRetired(1))
            pair.send(1, "for the next").shouldBeEmpty()
            pair.receive(2)
            pair.deliveredBy(pair.frame(1, "last word")) shouldBe listOf("last word")
            pair.on(PipeDetached(1))
            pair.sentBy(pair.attach(2)) shouldBe listOf(2 to "for the next")
        }

        test("REQ: a retired pipe is busy until its requests are answered; those that are not go elsewhere") {
            val req = Steps(ReqState(60.seconds, Random(1)))
            req.attach(1)
            val id = req.send(1, "a").filterIsInstance<SocketEffect.Transmit>().single().frame.header.single()
            req.attach(2)
            req.on(PipeRetired(1))
            req.on(Flushed(1))
            req.state.isBusy(1) shouldBe true
            req.sentBy(req.send(2, "b")) shouldBe listOf(2 to "b")
            req.deliveredBy(req.frame(1, "A", id)) shouldBe listOf("A")
            req.state.isBusy(1) shouldBe false

            val late = Steps(ReqState(60.seconds, Random(1)))
            late.attach(1, 2)
            late.send(1, "a")
            late.on(PipeRetired(1))
            late.now = 60.seconds
            late.sentBy(late.on(Tick)) shouldBe listOf(2 to "a")
            late.state.isBusy(1) shouldBe false
        }

        test("REP: a pipe is busy as long as one of its requests is open or its answer waits") {
            val rep = Steps(ReplierState())
            rep.attach(1)
            rep.state.isBusy(1) shouldBe false
            rep.frame(1, "a", 1 shl 31)
            rep.frame(1, "b", (1 shl 31) + 1)
            rep.receive(1)
            rep.receive(2)
            rep.on(ReplyCalled(3, 1, text("A")))
            rep.state.isBusy(1) shouldBe true
            rep.on(RequestForgotten(2))
            rep.state.isBusy(1) shouldBe false
        }

        test("REP: requests that nobody took are forgotten with their pipe, and make room for others") {
            val rep = Steps(ReplierState(mostOpen = 2))
            rep.attach(1, 2)
            rep.frame(2, "kept", 1 shl 31)
            rep.frame(1, "lost", 1 shl 31)
            rep.on(PipeDetached(1))
            rep.frame(2, "more", 1 shl 31)
            rep.receive(1)
            rep.on(ReplyCalled(2, 1, text("K"))).filterIsInstance<SocketEffect.Transmit>().size shouldBe 1
        }

        test("PUB: what is queued for a retired pipe is still sent, and nothing more") {
            val pub = Steps(PubState())
            pub.attach(1, 2)
            pub.send(1, "a")
            pub.send(2, "b")
            pub.on(PipeRetired(1))
            pub.state.isBusy(1) shouldBe true
            pub.send(3, "c")
            pub.sentBy(pub.on(Flushed(1))) shouldBe listOf(1 to "b")
            pub.on(Flushed(1)).shouldBeEmpty()
            pub.state.run { listOf(isBusy(1), queuedFor(1), queuedFor(2)) } shouldBe listOf(false, 0, 2)
        }
    })
