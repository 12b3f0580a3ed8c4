package dev.carom.gossip.conformance

import dev.carom.gossip.Header
import dev.carom.gossip.MemberCodec
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.NodeAddress
import dev.carom.gossip.NodeId
import dev.carom.gossip.PacketKind
import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter

/** A codec of a user's own: the other one foca had, for the identities of its example agent. */
object BincodeCodec : MemberCodec<NodeId> {
    override val maxIncarnation get() = 65_535L
    override val extended get() = false

    override fun writeIdentity(identity: NodeId, to: PacketWriter) {
        to.byte(if (identity.at.isV4) 0 else 1)
        to.bytes(identity.at.ip())
        number(identity.at.port.toLong(), to)
        number(identity.started, to)
    }

    override fun readIdentity(from: PacketReader): NodeId {
        val ip = from.bytes(if (from.byte() == 0) 4 else 16)
        val port = number(from).toInt()
        return NodeId(NodeAddress(ip, port), number(from))
    }

    override fun writeHeader(header: Header<NodeId>, to: PacketWriter) {
        writeIdentity(header.source, to)
        number(header.sourceIncarnation, to)
        writeIdentity(header.destination, to)
        number(header.kind.ordinal.toLong(), to)
        header.about?.let { writeIdentity(it, to) }
        if (header.kind.numbered) to.byte(header.number)
    }

    override fun readHeader(from: PacketReader): Header<NodeId> {
        val source = readIdentity(from)
        val incarnation = number(from)
        val destination = readIdentity(from)
        val kind = PacketKind.entries[number(from).toInt()]
        val about = if (kind.about) readIdentity(from) else null
        return Header(source, incarnation, destination, kind, about, if (kind.numbered) from.byte() else 0)
    }

    override fun writeUpdate(update: MemberUpdate<NodeId>, to: PacketWriter) {
        writeIdentity(update.id, to)
        number(update.incarnation, to)
        number(update.state.ordinal.toLong(), to)
    }

    override fun readUpdate(from: PacketReader): MemberUpdate<NodeId> =
        MemberUpdate(readIdentity(from), number(from), MemberState.entries[number(from).toInt()])

    private fun number(value: Long, to: PacketWriter) {
        val (marker, size) = when {
            value <= 250 -> return to.byte(value.toInt())
            value <= 0xffff -> 0xfb to 2
            value <= 0xffff_ffff -> 0xfc to 4
            else -> 0xfd to 8
        }
        to.byte(marker)
        repeat(size) { to.byte((value ushr (8 * it)).toInt()) }
    }

    private fun number(from: PacketReader): Long {
        val size = when (val first = from.byte()) {
            in 0..250 -> return first.toLong()
            0xfb -> 2
            0xfc -> 4
            else -> 8
        }
        return (0 until size).fold(0L) { value, i -> value or (from.byte().toLong() shl (8 * i)) }
    }
}
