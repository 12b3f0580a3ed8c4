package dev.carom.gossip

/**
 * Carom's own bytes, version 1.
 *
 * ```
 * header  CA 01 kind source varint(incarnation) varint(metadata version) destination [about] [number] varint(n) n bytes
 * update  flags id varint(incarnation) [accuser] [varint(metadata version)] [varint(n) n bytes]
 * flags   bits 0-1 state, 2 accuser, 3 metadata version, 7 extension; the others are 0
 * ```
 * The `n` bytes are room for later versions: read past, never looked at. A packet of another major version, or of a
 * kind not known yet, is counted and dropped.
 *
 * Behind an announce's header zeros follow, up to a third of a packet: a feed is at most three times as long as what it
 * answers, so a forged announce is worth little more than its bytes.
 */
public class NativeCodec<I>(private val identities: IdentityCodec<I>) : MemberCodec<I> {
    override val maxIncarnation: Long get() = Long.MAX_VALUE

    override val extended: Boolean get() = true

    override fun writeIdentity(identity: I, to: PacketWriter): Unit = identities.write(identity, to)

    override fun readIdentity(from: PacketReader): I? = identities.read(from)

    override fun writeHeader(header: Header<I>, to: PacketWriter) {
        to.byte(MAGIC)
        to.byte(VERSION)
        to.byte(header.kind.ordinal)
        identities.write(header.source, to)
        to.varint(header.sourceIncarnation)
        to.varint(header.sourceMetadataVersion)
        identities.write(header.destination, to)
        header.about?.let { identities.write(it, to) }
        if (header.kind.numbered) to.byte(header.number)
        to.varint(0)
    }

    override fun readHeader(from: PacketReader): Header<I>? {
        val magic = from.byte()
        val version = from.byte()
        val tag = from.byte()
        if (magic != MAGIC) from.fail("not a Carom packet")
        if (version != VERSION) from.fail("version $version, not $VERSION")
        val kind = PacketKind.entries.getOrNull(tag)
        if (kind == null) from.fail("message $tag is unknown")
        if (from.failed || kind == null) return null
        val source = identities.read(from) ?: return null
        val incarnation = number(from)
        val metadataVersion = number(from)
        val destination = identities.read(from) ?: return null
        val about = if (kind.about) identities.read(from) ?: return null else null
        val number = if (kind.numbered) from.byte() else 0
        skipExtension(from)
        return Header(source, incarnation, destination, kind, about, number, metadataVersion)
    }

    override fun writeUpdate(update: MemberUpdate<I>, to: PacketWriter) {
        val accuser = update.accuser
        val versioned = update.metadataVersion > 0
        to.byte(
            update.state.ordinal or
                (if (accuser != null) HAS_ACCUSER else 0) or
                (if (versioned) HAS_METADATA else 0),
        )
        identities.write(update.id, to)
        to.varint(update.incarnation)
        if (accuser != null) identities.write(accuser, to)
        if (versioned) to.varint(update.metadataVersion)
    }

    override fun readUpdate(from: PacketReader): MemberUpdate<I>? {
        val flags = from.byte()
        val state = MemberState.entries.getOrNull(flags and STATE)
        if (state == null) from.fail("state ${flags and STATE} is unknown")
        if (flags and RESERVED != 0) from.fail("reserved flags are set: $flags")
        if (from.failed || state == null) return null
        val id = identities.read(from) ?: return null
        val incarnation = number(from)
        val accuser = if (flags and HAS_ACCUSER != 0) identities.read(from) ?: return null else null
        val metadataVersion = if (flags and HAS_METADATA != 0) number(from) else 0
        if (flags and HAS_EXTENSION != 0) skipExtension(from)
        return MemberUpdate(id, incarnation, state, accuser, metadataVersion)
    }

    /** 63 bits: never negative. */
    private fun number(from: PacketReader): Long = from.varint(Long.SIZE_BITS - 1)

    private fun skipExtension(from: PacketReader) {
        from.skip(from.varint(Short.SIZE_BITS).toInt())
    }

    internal companion object {
        const val MAGIC = 0xCA
        const val VERSION = 1
        private const val STATE = 0x03
        private const val HAS_ACCUSER = 0x04
        private const val HAS_METADATA = 0x08
        private const val RESERVED = 0x70
        private const val HAS_EXTENSION = 0x80
    }
}
