package dev.carom.gossip.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.gossip.MemberCodec
import dev.carom.gossip.NativeCodec
import dev.carom.gossip.NodeId
import dev.carom.gossip.NodeIdCodec
import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.PostcardCodec
import dev.carom.gossip.SwimEvent

/** A packet: as a header, as news, and taken in by a member. What can be read reads the same when it is written again. */
internal abstract class PacketTarget(private val codec: MemberCodec<NodeId>) :
    FuzzTarget(fixed = 524_288, perByte = 1_024) {
    override fun prepare(): (ByteArray) -> Unit {
        val bench = Bench(codec)
        return { input ->
            again(input, codec::readHeader, codec::writeHeader)
            again(input, codec::readUpdate, codec::writeUpdate)
            again(input, codec::readIdentity, codec::writeIdentity)
            bench.take(SwimEvent.PacketReceived(input))
        }
    }

    private fun <T> again(input: ByteArray, read: (PacketReader) -> T?, write: (T, PacketWriter) -> Unit) {
        val first = written(PacketReader(input), read, write) ?: return
        val second = checkNotNull(written(PacketReader(first), read, write)) { "cannot read what was written" }
        check(first.contentEquals(second)) { "reads otherwise when written again" }
    }

    private fun <T> written(
        reader: PacketReader,
        read: (PacketReader) -> T?,
        write: (T, PacketWriter) -> Unit,
    ): ByteArray? {
        val value = read(reader)
        if (value == null || reader.failed) return null
        return PacketWriter(1_400).also { write(value, it) }.toByteArray()
    }
}

/** Carom's own bytes. */
internal class NativePacketTarget : PacketTarget(NativeCodec(NodeIdCodec()))

/** foca's bytes. */
internal class PostcardPacketTarget : PacketTarget(PostcardCodec(NodeIdCodec()))
