package dev.carom.gossip.conformance

import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Header
import dev.carom.gossip.MemberCodec
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.NodeAddress
import dev.carom.gossip.NodeId
import dev.carom.gossip.NodeIdCodec
import dev.carom.gossip.PacketKind
import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.PostcardCodec
import dev.carom.gossip.Refusal
import dev.carom.gossip.Rig
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.TestIdCodec
import dev.carom.gossip.alive
import dev.carom.gossip.down
import dev.carom.gossip.id
import dev.carom.gossip.simple
import dev.carom.gossip.suspect
import io.kotest.matchers.shouldBe
import java.lang.reflect.Modifier
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private val a = NodeId(NodeAddress(byteArrayOf(127, 0, 0, 1), 8_000), 1_700_000_000)
private val b = NodeId(NodeAddress(byteArrayOf(10, 0, 0, 2), 80), 0)

private fun <I> roundTrip(codec: MemberCodec<I>, header: Header<I>): Header<I>? {
    val writer = PacketWriter(1_000).also { codec.writeHeader(header, it) }
    val reader = PacketReader(writer.toByteArray())
    return codec.readHeader(reader).also { reader.remaining shouldBe 0 }
}

private fun <I> roundTrip(codec: MemberCodec<I>, update: MemberUpdate<I>): MemberUpdate<I>? {
    val writer = PacketWriter(1_000).also { codec.writeUpdate(update, it) }
    val reader = PacketReader(writer.toByteArray())
    return codec.readUpdate(reader).also { reader.remaining shouldBe 0 }
}

internal fun Cases.ofCodecsAndTimers() {
    for ((number, codec) in listOf(7 to BincodeCodec, 8 to PostcardCodec(NodeIdCodec()))) {
        case(number, name = "a PingReq's header and a dead member survive ${codec::class.simpleName}") {
            val header = Header(a, 12, b, PacketKind.PingReq, NodeId(b.at, 7), 9)
            roundTrip(codec, header) shouldBe header
            val update = MemberUpdate(a, 300, MemberState.Down)
            roundTrip(codec, update) shouldBe update
        }
    }

    case(9, name = "the suspicion's time grows slowly with the cluster") {
        fun seconds(members: Long) = SwimPolicy.focaLan(members).suspicionTimeout
        listOf(5L, 10L, 100L).map(::seconds) shouldBe listOf(4.seconds, 4.seconds, 8.seconds)
    }

    case(10, name = "what tells of a failure is immutable, so that threads may share it") {
        for (type in listOf(Refusal::class, GossipNotice.PacketRejected::class, GossipNotice.PacketNotSent::class)) {
            type.java.declaredFields.all { Modifier.isFinal(it.modifiers) } shouldBe true
        }
    }

    case(
        11,
        name = "timers due together: relays are asked before the round ends, and the round ends before a suspicion",
    ) {
        val rig = Rig(policy = simple(suspicionTimeout = 1_500.milliseconds, notifyDown = true))
        rig.learn(alive(2), alive(3))
        rig.tick()
        rig.pass(1_500.milliseconds)
        // Due at once now: the relays of the second probe, the third round, and the end of the first suspicion.
        val kinds = rig.sent(rig.sleep(1_500.milliseconds)).map { it.kind }
        kinds shouldBe listOf(PacketKind.PingReq, PacketKind.Ping, PacketKind.TurnUndead)
    }

    case(12, name = "every message survives the codec") {
        val codec = PostcardCodec(TestIdCodec)
        for (kind in PacketKind.entries - PacketKind.Nack) {
            val about = if (kind.about) id(3, 4) else null
            val header = Header(id(1), 5, id(2), kind, about, if (kind.numbered) 200 else 0)
            roundTrip(codec, header) shouldBe header
        }
    }

    case(13, name = "headers survive the codec with every size of incarnation") {
        val codec = PostcardCodec(TestIdCodec)
        for (incarnation in listOf(0L, 1, 127, 128, 16_383, 16_384, 65_535)) {
            val header = Header(id(1), incarnation, id(2), PacketKind.Gossip)
            roundTrip(codec, header) shouldBe header
        }
    }

    case(14, name = "members survive the codec in every state") {
        val codec = PostcardCodec(TestIdCodec)
        for (update in listOf(alive(1, 7), suspect(2, 300), down(3, 65_535))) {
            roundTrip(codec, update) shouldBe update
        }
    }
}
