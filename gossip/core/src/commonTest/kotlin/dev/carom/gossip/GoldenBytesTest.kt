package dev.carom.gossip

import dev.carom.gossip.conformance.BincodeCodec
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random

private val a = NodeId(NodeAddress(byteArrayOf(127, 0, 0, 1), 8_000), 1_700_000_000)
private val b = NodeId(NodeAddress(byteArrayOf(10, 0, 0, 2), 80), 0)
private val t = NodeId(
    NodeAddress(byteArrayOf(0x20, 0x01, 0x0d, 0xb8.toByte(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 65_535),
    300,
)

private const val A = "007f000001c03e80e2cfaa06"
private const val B = "000a0000025000"
private const val T = "0120010db8000000000000000000000001ffff03ac02"

/** The bytes that foca 1.0.0 with postcard 1.0.10 wrote for A, B and T. */
class GoldenBytesTest :
    FunSpec({
        val postcard = PostcardCodec(NodeIdCodec())

        test("identities are written as foca's example agent writes them") {
            for ((identity, bytes) in listOf(a to A, b to B, t to T)) {
                hex { postcard.writeIdentity(identity, it) } shouldBe bytes
                postcard.readIdentity(reader(bytes)) shouldBe identity
            }
        }

        val headers = listOf(
            Header(a, 0, b, PacketKind.Ping, null, 7) to "$A 00 $B 00 07",
            Header(a, 1, b, PacketKind.Ack, null, 255) to "$A 01 $B 01 ff",
            Header(a, 127, b, PacketKind.PingReq, t, 7) to "$A 7f $B 02 $T 07",
            Header(a, 128, b, PacketKind.IndirectPing, t, 7) to "$A 8001 $B 03 $T 07",
            Header(a, 250, b, PacketKind.IndirectAck, t, 7) to "$A fa01 $B 04 $T 07",
            Header(a, 251, b, PacketKind.ForwardedAck, t, 7) to "$A fb01 $B 05 $T 07",
            Header(a, 300, b, PacketKind.Announce) to "$A ac02 $B 06",
            Header(a, 16_383, b, PacketKind.Feed) to "$A ff7f $B 07",
            Header(a, 16_384, b, PacketKind.Gossip) to "$A 808001 $B 08",
            Header(a, 65_534, b, PacketKind.Broadcast) to "$A feff03 $B 09",
            Header(a, 65_535, b, PacketKind.TurnUndead) to "$A ffff03 $B 0a",
        )
        for ((header, bytes) in headers) {
            test("a header of a ${header.kind} has foca's bytes") {
                hex { postcard.writeHeader(header, it) } shouldBe bytes.packed()
                postcard.readHeader(reader(bytes)) shouldBe header
            }
        }

        test("members have foca's bytes") {
            val members = listOf(
                MemberUpdate(t, 0, MemberState.Alive) to "$T 00 00",
                MemberUpdate(t, 300, MemberState.Suspect) to "$T ac02 01",
                MemberUpdate(t, 65_535, MemberState.Down) to "$T ffff03 02",
            )
            for ((update, bytes) in members) {
                hex { postcard.writeUpdate(update, it) } shouldBe bytes.packed()
                postcard.readUpdate(reader(bytes)) shouldBe update
            }
        }

        test("whole packets have foca's bytes: announce, gossip, gossip with news and broadcasts, broadcast, leave") {
            val swim = agent(postcard)
            swim.packet(SwimEvent.AnnounceRequested(b)) shouldBe "$A 00 $B 06".packed()
            swim.learn(MemberUpdate(b, 0, MemberState.Alive))
            swim.packet(SwimEvent.GossipRequested()) shouldBe "$A 00 $B 08 0000".packed()
            swim.learn(MemberUpdate(t, 300, MemberState.Suspect), passOn = true)
            swim.add("hello")
            swim.add("hi!")
            val items = "0005 68656c6c6f 0003 686921"
            val news = "$T ac02 01"
            swim.packet(SwimEvent.GossipRequested()) shouldBe "$A 00 $B 08 0001 $news $items".packed()
            swim.packet(SwimEvent.BroadcastRequested()) shouldBe "$A 00 $B 09 $items".packed()
            swim.packet(SwimEvent.LeaveRequested()) shouldBe "$A 00 $B 08 0002 $A 00 02 $news $items".packed()
        }

        test("an identity that is a socket address has serde's bytes, with and without the family's tag") {
            val ping = Header(Plain(a.at), 0, Plain(b.at), PacketKind.Ping, null, 7)
            hex { PostcardCodec(Plain.Codec(tagged = true)).writeHeader(ping, it) } shouldBe
                "007f000001c03e 00 000a00000250 00 07".packed()
            val self = Header(Plain(a.at), 0, Plain(a.at), PacketKind.Ping, null, 7)
            hex { PostcardCodec(Plain.Codec(tagged = false)).writeHeader(self, it) } shouldBe
                "7f000001c03e 00 7f000001c03e 00 07".packed()
        }

        test("a codec of one's own can have bincode's bytes") {
            hex { BincodeCodec.writeIdentity(a, it) } shouldBe "007f000001fb401ffc00f15365"
            hex { BincodeCodec.writeIdentity(t, it) } shouldBe "0120010db8000000000000000000000001fbfffffb2c01"
            hex { BincodeCodec.writeHeader(Header(a, 0, b, PacketKind.Ping, null, 7), it) } shouldBe
                "007f000001fb401ffc00f15365 00 000a0000025000 00 07".packed()
            for ((incarnation, bytes) in mapOf(127L to "7f", 128L to "80", 250L to "fa", 251L to "fbfb00")) {
                val header = Header(b, incarnation, b, PacketKind.Gossip)
                hex { BincodeCodec.writeHeader(header, it) } shouldBe "000a0000025000${bytes}000a000002500008"
            }
            hex { BincodeCodec.writeUpdate(MemberUpdate(t, 300, MemberState.Suspect), it) } shouldBe
                "0120010db8000000000000000000000001fbfffffb2c01fb2c0101"
        }

        test("postcard's numbers: any form within the longest, no bit beyond the type") {
            fun u16(bytes: String) = reader(bytes).let { it.varint(16).takeUnless { _ -> it.failed } }
            u16("8000") shouldBe 0
            u16("808000") shouldBe 0
            u16("ffff03") shouldBe 65_535
            u16("ffff04") shouldBe null
            u16("808080") shouldBe null
            u16("80") shouldBe null
            reader("ffffffff0f").varint(32) shouldBe 4_294_967_295
            reader("ffffffff1f").let {
                it.varint(32)
                it.failed shouldBe true
            }
            reader("ffffffffffffffffff01").varint(64) shouldBe -1
            reader("ffffffffffffffffff02").let {
                it.varint(64)
                it.failed shouldBe true
            }
        }

        test("version 1 of Carom's own bytes") {
            val native = NativeCodec(NodeIdCodec())
            val header = Header(a, 300, b, PacketKind.PingReq, t, 7, 5)
            hex { native.writeHeader(header, it) } shouldBe "ca 01 02 $A ac02 05 $B $T 07 00".packed()
            native.readHeader(reader("ca 01 02 $A ac02 05 $B $T 07 00")) shouldBe header
            // Three bytes of a later version.
            native.readHeader(reader("ca 01 02 $A ac02 05 $B $T 07 03 aabbcc")) shouldBe header
            val suspect = MemberUpdate(t, 300, MemberState.Suspect, b, 5)
            hex { native.writeUpdate(suspect, it) } shouldBe "0d $T ac02 $B 05".packed()
            native.readUpdate(reader("0d $T ac02 $B 05")) shouldBe suspect
            native.readUpdate(reader("8d $T ac02 $B 05 02 aabb")) shouldBe suspect
            val alive = MemberUpdate(b, 0, MemberState.Alive)
            hex { native.writeUpdate(alive, it) } shouldBe "00${B}00"
        }

        test("what is not Carom's version 1 is not read") {
            val native = NativeCodec(NodeIdCodec())
            val rest = "$A 00 00 $B 00"
            for (start in listOf("cb 01 08", "ca 02 08", "ca 01 0c", "")) {
                native.readHeader(reader("$start $rest")) shouldBe null
            }
            native.readUpdate(reader("03 $B 00")) shouldBe null
            native.readUpdate(reader("10 $B 00")) shouldBe null
        }

        test("the name of an address is read by people") {
            a.toString() shouldBe "127.0.0.1:8000#1700000000"
            t.at.toString() shouldBe "[2001:db8:0:0:0:0:0:1]:65535"
        }
    })

/** A plain socket address as identity: it never comes back. */
private data class Plain(val at: NodeAddress) : Identity<Plain> {
    override fun address(): Any = at

    override fun generation(): Long = 0

    override fun renewed(above: Long): Plain? = null

    class Codec(private val tagged: Boolean) : IdentityCodec<Plain> {
        override fun write(identity: Plain, to: PacketWriter) {
            if (tagged) to.byte(0)
            to.bytes(identity.at.ip())
            to.varint(identity.at.port.toLong())
        }

        override fun read(from: PacketReader): Plain {
            if (tagged) from.byte()
            return Plain(NodeAddress(from.bytes(4), from.varint(16).toInt()))
        }
    }
}

private fun agent(codec: MemberCodec<NodeId>) = Swim(a, simple(), codec, Random(1), Distinct())

/** Every item is news of its own. */
private class Distinct : BroadcastHandler<NodeId> {
    override fun receive(item: ByteArray, from: NodeId?): BroadcastVerdict = BroadcastVerdict.fresh(
        object : BroadcastKey {
            override fun invalidates(other: BroadcastKey) = false
        },
    )
}

private fun Swim<NodeId>.learn(update: MemberUpdate<NodeId>, passOn: Boolean = false) {
    on(SwimEvent.UpdatesLearned(listOf(update), passOn), 0)
}

private fun Swim<NodeId>.add(item: String) {
    on(SwimEvent.BroadcastAdded(item.encodeToByteArray()), 0)
}

/** The one packet to B, spaced as in the list of vectors. */
private fun Swim<NodeId>.packet(event: SwimEvent<NodeId>): String {
    val packet = on(event, 0).filterIsInstance<SwimEffect.Send<NodeId>>().first { it.to == b }.packet
    return packet.toHexString()
}

private fun reader(bytes: String) = PacketReader(bytes.packed().hexToByteArray())

private fun hex(write: (PacketWriter) -> Unit): String = PacketWriter(1_000).also(write).toByteArray().toHexString()

private fun String.packed() = filter { it != ' ' }
