package dev.carom.gossip.internal

import dev.carom.gossip.Identity
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.NativeCodec
import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.SwimPolicy

/** What a stream's request or answer is. Numbers are on the wire. */
internal enum class StreamKind {
    /** Are you there? Answered by [Pong]. */
    Ping,
    Pong,

    /** Hashes of all buckets of the membership. Answered by [Difference]. */
    Digest,

    /** The buckets that differ, and what we know in them; then answered by a [Records] request, if there are any. */
    Difference,

    /** What we know in the buckets that differ. Answered by [Done]. */
    Records,
    Done,

    /** Identities whose metadata is wanted. Answered by [Metadata]. */
    Pull,
    Metadata,
}

/** How a stream's request or answer begins: `CA 01 kind source incarnation version destination`. */
internal class StreamHead<I>(
    val kind: StreamKind,
    val source: I,
    val incarnation: Long,
    val metadataVersion: Long,
    val destination: I,
)

internal fun <I : Identity<I>> Node<I>.writeStream(
    kind: StreamKind,
    to: I,
    body: (PacketWriter) -> Unit = {},
): ByteArray? {
    val writer = PacketWriter(SwimPolicy.MAX_STREAM)
    writer.byte(NativeCodec.MAGIC)
    writer.byte(NativeCodec.VERSION)
    writer.byte(kind.ordinal)
    val written = guarded {
        codec.writeIdentity(identity, writer)
        writer.varint(incarnation)
        writer.varint(metadata.version)
        codec.writeIdentity(to, writer)
        body(writer)
    }
    return if (written == null || writer.overflowed) null else writer.toByteArray()
}

internal fun <I : Identity<I>> Node<I>.readStreamHead(reader: PacketReader): StreamHead<I>? {
    if (reader.byte() != NativeCodec.MAGIC) reader.fail("not a Carom stream")
    val version = reader.byte()
    if (version != NativeCodec.VERSION) reader.fail("version $version, not ${NativeCodec.VERSION}")
    val tag = reader.byte()
    val kind = StreamKind.entries.getOrNull(tag)
    if (kind == null) reader.fail("message $tag is unknown")
    if (reader.failed || kind == null) return null
    val source = readId(reader) ?: return null
    val incarnation = reader.varint(63)
    val metadataVersion = reader.varint(63)
    val destination = readId(reader) ?: return null
    return if (reader.failed) null else StreamHead(kind, source, incarnation, metadataVersion, destination)
}

internal fun <I : Identity<I>> Node<I>.readId(reader: PacketReader): I? =
    guarded({ reader.fail(it) }) { codec.readIdentity(reader) }.takeUnless { reader.failed }

/** Each piece of news behind a 1, a 0 at the end; stops before what does not fit. */
internal fun <I : Identity<I>> Node<I>.writeUpdates(updates: List<MemberUpdate<I>>, writer: PacketWriter) {
    for (update in updates) {
        val at = writer.position
        writer.byte(1)
        codec.writeUpdate(update, writer)
        if (writer.overflowed || writer.remaining < 1) {
            writer.rewind(at)
            break
        }
    }
    writer.byte(0)
}

/** Null: malformed. */
internal fun <I : Identity<I>> Node<I>.readUpdates(reader: PacketReader): List<MemberUpdate<I>>? {
    val updates = ArrayList<MemberUpdate<I>>()
    while (reader.byte() == 1) {
        val update = guarded({ reader.fail(it) }) { codec.readUpdate(reader) }
        if (update == null || reader.failed) return null
        updates += update
    }
    return if (reader.failed) null else updates
}
