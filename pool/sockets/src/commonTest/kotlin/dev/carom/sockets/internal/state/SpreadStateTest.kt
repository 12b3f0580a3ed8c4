package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.state.SocketEffect.Done
import dev.carom.sockets.internal.state.SocketEffect.Drop
import dev.carom.sockets.internal.state.SocketEffect.Fail
import dev.carom.sockets.internal.state.SocketEvent.Flushed
import dev.carom.sockets.internal.state.SocketEvent.PipeDetached
import dev.carom.sockets.internal.state.SocketEvent.SubscribeCalled
import dev.carom.sockets.internal.state.SocketEvent.UnsubscribeCalled
import dev.carom.sockets.internal.wire.Violation
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class SpreadStateTest :
    FunSpec({
        fun topics(vararg all: String) = Topics().apply { all.forEach { add(text(it)) } }

        test("PUB: without peers a message is sent all the same; with peers each gets it") {
            val pub = Steps(PubState())
            pub.send(1, "a") shouldBe listOf(Done(1))
            pub.attach(1, 2)
            pub.sentBy(pub.send(2, "b")) shouldBe listOf(1 to "b", 2 to "b")
        }

        test("PUB: a slow peer loses the oldest, and slows nobody") {
            val pub = Steps(PubState(limit = 2))
            pub.attach(1)
            val effects = (1L..5L).flatMap { pub.send(it, "m$it") }
            effects.filterIsInstance<Done>().size shouldBe 5
            effects.filterIsInstance<Drop>() shouldBe
                List(2) { Drop(1, DropReason.Overflow, outgoing = true) }
            pub.state.unflushed shouldBe 2
            (1..3).flatMap { pub.sentBy(pub.on(Flushed(1))) } shouldBe listOf(1 to "m4", 1 to "m5")
        }

        test("PUB: a subscriber does not talk") {
            val pub = Steps(PubState())
            pub.attach(1)
            pub.frame(1, "abc").last() shouldBe SocketEffect.Cut(1, Violation.UnexpectedFrame(3))
        }

        test("BUS: every direct peer gets it, a slow one loses the latest; what leaves with a peer is counted") {
            val bus = Steps(BusState(sendLimit = 1))
            bus.attach(1, 2)
            bus.sentBy(bus.send(1, "a")) shouldBe listOf(1 to "a", 2 to "a")
            bus.on(Flushed(2))
            bus.sentBy(bus.send(2, "b")) shouldBe listOf(2 to "b")
            bus.send(3, "c") shouldBe listOf(Done(3), Drop(1, DropReason.Overflow, outgoing = true))
            bus.on(PipeDetached(1)) shouldBe listOf(Drop(1, DropReason.PeerGone, 1, outgoing = true))
            bus.frame(2, "d")
            bus.deliveredBy(bus.receive(4)) shouldBe listOf("d")
        }

        test("SUB: without a subscription nothing is kept; with one, what begins with it") {
            val sub = Steps(SubState())
            sub.attach(1)
            sub.frame(1, "A1") shouldBe listOf(Drop(1, DropReason.Filtered))
            sub.on(SubscribeCalled(1, text("A"))) shouldBe listOf(Done(1))
            sub.frame(1, "B1") shouldBe listOf(Drop(1, DropReason.Filtered))
            sub.frame(1, "A2")
            sub.deliveredBy(sub.receive(2)) shouldBe listOf("A2")
        }

        test("SUB: a full queue loses the oldest, or the latest if told to") {
            val expected = mapOf(
                Overflow.DropOldest to listOf("two", "three"),
                Overflow.DropLatest to listOf("one", "two"),
            )
            for ((overflow, kept) in expected) {
                val sub = Steps(SubState(limit = 2, overflow))
                sub.attach(1)
                sub.on(SubscribeCalled(1, text("")))
                for (it in listOf("one", "two", "three")) sub.frame(1, it)
                (2L..4L).flatMap { sub.deliveredBy(sub.receive(it)) } shouldBe kept
            }
        }

        test("SUB: unsubscribing drops what matches no longer, and twice subscribed is twice undone") {
            val sub = Steps(SubState())
            sub.attach(1)
            sub.on(SubscribeCalled(1, text("A")), SubscribeCalled(2, text("B")), SubscribeCalled(3, text("B")))
            sub.frame(1, "A1")
            sub.frame(1, "B1")
            sub.on(UnsubscribeCalled(4, text("A"))) shouldBe listOf(Done(4), Drop(1, DropReason.Filtered))
            sub.on(UnsubscribeCalled(5, text("A"))) shouldBe listOf(Fail(5, Failure.NotSubscribed))
            sub.on(UnsubscribeCalled(6, text("B"))) shouldBe listOf(Done(6))
            sub.deliveredBy(sub.receive(7)) shouldBe listOf("B1")
            sub.on(UnsubscribeCalled(8, text("BB"))) shouldBe listOf(Fail(8, Failure.NotSubscribed))
        }

        test("topics match as prefixes of bytes") {
            topics().matches(text("")) shouldBe false
            topics("").matches(text("")) shouldBe true
            topics("").matches(text("any")) shouldBe true
            listOf("ABC", "ABCDE", "AB", "DEF").map { topics("ABC").matches(text(it)) } shouldBe
                listOf(true, true, false, false)
            val long = "0123456789".repeat(3) + "01234"
            topics(long).matches(text(long)) shouldBe true
            topics(long).matches(text(long.dropLast(1))) shouldBe false
            listOf("A", "AD").map { topics("ABC", "ADE").matches(text(it)) } shouldBe listOf(false, false)
            val ten = topics("A", "B", "C", "0", "E", "F", "1", "@", "b", "f")
            listOf("0", "A", "f", "000", "a", "c").map { ten.matches(text(it)) } shouldBe
                listOf(true, true, true, true, false, false)
            val set = topics("ABCD", "AB")
            set.remove(text("AB")) shouldBe true
            listOf("AB", "ABCDEF").map { set.matches(text(it)) } shouldBe listOf(false, true)
            set.add(text("ABEF"))
            set.remove(text("ABCD")) shouldBe true
            listOf("ABCD", "ABEF").map { set.matches(text(it)) } shouldBe listOf(false, true)
        }

        test("topics agree with a list of prefixes in 2,000 random histories") {
            for (seed in 1..2_000) {
                val random = Random(seed)
                val topics = Topics()
                val list = ArrayList<String>()
                fun word() = String(CharArray(random.nextInt(5)) { 'a' + random.nextInt(3) })
                repeat(40) {
                    val word = word()
                    if (random.nextInt(3) > 0) {
                        topics.add(text(word))
                        list += word
                    } else {
                        withClue("seed $seed") { topics.remove(text(word)) shouldBe list.remove(word) }
                    }
                    val message = word()
                    withClue("seed $seed: $list, $message") {
                        topics.matches(text(message)) shouldBe list.any { message.startsWith(it) }
                    }
                }
            }
        }
    })
