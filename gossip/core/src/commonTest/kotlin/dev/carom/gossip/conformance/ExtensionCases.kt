package dev.carom.gossip.conformance

import dev.carom.gossip.Header
import dev.carom.gossip.PacketKind
import dev.carom.gossip.PacketReader
import dev.carom.gossip.PeriodicPolicy
import dev.carom.gossip.PostcardCodec
import dev.carom.gossip.Refusal.Reason
import dev.carom.gossip.Rig
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.SwimEvent
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.TestId
import dev.carom.gossip.TestIdCodec
import dev.carom.gossip.alive
import dev.carom.gossip.down
import dev.carom.gossip.id
import dev.carom.gossip.notices
import dev.carom.gossip.refusals
import dev.carom.gossip.simple
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

internal fun Cases.ofExtensions() {
    notifyingTheDead()
    periodic()
    broadcasts()
}

private fun Cases.notifyingTheDead() {
    case(75, name = "a member declared dead is told so") {
        val rig = Rig(policy = simple(notifyDown = true))
        rig.learn(alive(2))
        val sent = rig.sent(rig.pass(6_000.milliseconds))
        sent.filter { it.kind == PacketKind.TurnUndead }.map { it.to } shouldBe listOf(id(2))
    }

    case(76, name = "a message from the dead is answered by saying so") {
        val rig = Rig(policy = simple(notifyDown = true))
        rig.learn(down(2))
        val sent = rig.sent(rig.receive(PacketKind.Announce, id(2))).single()
        sent.kind to sent.to shouldBe (PacketKind.TurnUndead to id(2))
    }

    case(
        77,
        name = "told that it is dead by one it believes dead, a node comes back and says the same as somebody else",
    ) {
        val rig = Rig(policy = simple(notifyDown = true), rejoins = true)
        rig.learn(down(2))
        val effects = rig.receive(PacketKind.TurnUndead, id(2))
        effects.notices() shouldContain "rejoined 1/1"
        val sent = rig.sent(effects).single { it.kind == PacketKind.TurnUndead }
        sent.to to sent.header.source shouldBe (id(2) to id(1, 1))
    }
}

private fun Cases.periodic() {
    val every = PeriodicPolicy(300.milliseconds, 5)

    /** Whom [kind] goes to in one period, and that it goes again in the next. */
    fun recipients(policy: SwimPolicy, kind: PacketKind): List<TestId> {
        val rig = Rig(policy = policy)
        rig.learn(alive(2), alive(3), down(4), down(5))
        rig.swim.nextDeadlineNanos shouldBe 300.milliseconds.inWholeNanoseconds
        val first = rig.sent(rig.tick()).filter { it.kind == kind }.map { it.to }
        rig.swim.nextDeadlineNanos shouldBe 600.milliseconds.inWholeNanoseconds
        rig.sent(rig.tick()).filter { it.kind == kind }.map { it.to }.toSet() shouldBe first.toSet()
        return first
    }

    case(78, name = "periodic gossip goes to active members") {
        recipients(simple(gossip = every), PacketKind.Gossip) shouldContainExactlyInAnyOrder listOf(id(2), id(3))
    }

    case(79, name = "periodic announces go to active members") {
        recipients(simple(announce = every), PacketKind.Announce) shouldContainExactlyInAnyOrder listOf(id(2), id(3))
    }

    case(80, name = "periodic announces to the dead go to the dead") {
        recipients(simple(announceToDown = every), PacketKind.Announce) shouldContainExactlyInAnyOrder
            listOf(id(4), id(5))
    }
}

private fun Rig.add(item: String) = on(SwimEvent.BroadcastAdded(item.encodeToByteArray())).refusals()

private fun Cases.broadcasts() {
    case(
        81,
        name = "broadcasts: only news is queued, newer takes the place of older, and only to whom the handler says",
    ) {
        val rig = Rig(handler = VersionedHandler(excluded = setOf(3)))
        rig.add("!") shouldBe listOf(Reason.BroadcastRejected)
        rig.add("a1").shouldBeEmpty()
        rig.swim.broadcastsBacklog shouldBe 1
        rig.add("a2").shouldBeEmpty()
        rig.swim.broadcastsBacklog shouldBe 1
        rig.add("a2") shouldBe listOf(Reason.BroadcastKnown)
        rig.add("b1").shouldBeEmpty()
        rig.swim.broadcastsBacklog shouldBe 2

        rig.learn(alive(2), alive(3))
        val gossip = rig.sent(rig.gossip()).associateBy { it.to }
        gossip.getValue(id(2)).items shouldContainExactlyInAnyOrder listOf("a2", "b1")
        gossip.getValue(id(3)).items.shouldBeEmpty()
        gossip.values.map { it.updates.size } shouldBe listOf(2, 2)

        val effects = rig.on(SwimEvent.BroadcastRequested())
        rig.sent(effects).map { it.kind to it.to } shouldBe listOf(PacketKind.Broadcast to id(2))

        val handler = VersionedHandler()
        val peer = Rig(2, handler = handler)
        peer.packet((effects.single() as SwimEffect.Send<TestId>).packet)
        handler.versions shouldBe mapOf('a' to 2, 'b' to 1)
        handler.senders.toSet() shouldBe setOf(id(1))
        peer.swim.broadcastsBacklog shouldBe 2
    }

    case(82, name = "an announce and a word to the dead carry nothing; a ping does") {
        val rig = Rig(policy = simple(notifyDown = true), handler = VersionedHandler())
        rig.learn(alive(2), alive(3))
        rig.learn(down(4))
        rig.add("a1")

        fun bytesAfterHeader(effects: List<SwimEffect<TestId>>, kind: PacketKind): Int {
            val codec = PostcardCodec(TestIdCodec)
            return effects.filterIsInstance<SwimEffect.Send<TestId>>().firstNotNullOf { send ->
                val reader = PacketReader(send.packet)
                val header: Header<TestId> = codec.readHeader(reader)!!
                reader.remaining.takeIf { header.kind == kind }
            }
        }
        bytesAfterHeader(rig.announce(id(9)), PacketKind.Announce) shouldBe 0
        bytesAfterHeader(rig.receive(PacketKind.Gossip, id(4)), PacketKind.TurnUndead) shouldBe 0
        bytesAfterHeader(rig.pass(1_500.milliseconds + 1.seconds), PacketKind.Ping) shouldBeGreaterThan 0
    }
}
