package dev.carom.gossip

/**
 * The bytes of foca 0.17 to 2.0 with its postcard codec: a Carom member among foca members. Identities must be written
 * as serde would ([NodeIdCodec] does so for foca's example agent).
 *
 * Works beside foca members, without their help: seeds, round-trip times, the local health score, every member's
 * timing of suspicions, the buddy's word to a suspect, numbers that follow the cluster's size, limits of relays and
 * feeds, one answer to the dead per period, renewal above any later life, no refutation by the dead.
 *
 * Does not, because foca's bytes cannot carry it: confirmations (a suspicion begins at its shortest), metadata,
 * [PacketKind.Nack], streams (no comparison of memberships, no probe over a stream), incarnations above 65,535, and
 * feeds in proportion to the announce: a forged announce of 22 bytes is answered by a whole packet, and only how often
 * is limited. foca members themselves still have foca's defects. Nothing can be added to a packet: use an [Envelope]
 * only if all members do.
 */
public class PostcardCodec<I>(private val identities: IdentityCodec<I>) : MemberCodec<I> {
    override val maxIncarnation: Long get() = 65_535

    override val extended: Boolean get() = false

    override fun writeIdentity(identity: I, to: PacketWriter): Unit = identities.write(identity, to)

    override fun readIdentity(from: PacketReader): I? = identities.read(from)

    override fun writeHeader(header: Header<I>, to: PacketWriter) {
        identities.write(header.source, to)
        to.varint(header.sourceIncarnation.coerceIn(0, maxIncarnation))
        identities.write(header.destination, to)
        to.varint(header.kind.ordinal.toLong())
        header.about?.let { identities.write(it, to) }
        if (header.kind.numbered) to.byte(header.number)
    }

    override fun readHeader(from: PacketReader): Header<I>? {
        val source = identities.read(from) ?: return null
        val incarnation = from.varint(Short.SIZE_BITS)
        val destination = identities.read(from) ?: return null
        val tag = from.varint(Int.SIZE_BITS)
        if (from.failed) return null
        if (tag > PacketKind.TurnUndead.ordinal) {
            from.fail("message $tag is unknown")
            return null
        }
        val kind = PacketKind.entries[tag.toInt()]
        val about = if (kind.about) identities.read(from) ?: return null else null
        val number = if (kind.numbered) from.byte() else 0
        return Header(source, incarnation, destination, kind, about, number)
    }

    override fun writeUpdate(update: MemberUpdate<I>, to: PacketWriter) {
        identities.write(update.id, to)
        to.varint(update.incarnation.coerceIn(0, maxIncarnation))
        to.varint(update.state.ordinal.toLong())
    }

    override fun readUpdate(from: PacketReader): MemberUpdate<I>? {
        val id = identities.read(from) ?: return null
        val incarnation = from.varint(Short.SIZE_BITS)
        val tag = from.varint(Int.SIZE_BITS)
        if (tag > MemberState.Down.ordinal) from.fail("state $tag is unknown")
        return if (from.failed) null else MemberUpdate(id, incarnation, MemberState.entries[tag.toInt()])
    }
}
