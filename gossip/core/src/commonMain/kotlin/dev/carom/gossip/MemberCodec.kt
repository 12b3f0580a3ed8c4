package dev.carom.gossip

/** How an identity is written. Bytes must be the same for equal identities. */
public interface IdentityCodec<I> {
    /** Writes [identity]. Want of room is the writer's business. */
    public fun write(identity: I, to: PacketWriter)

    /**
     * Reads exactly what [write] wrote. Null, [PacketReader.fail], or an exception: the packet is malformed. Called
     * with whatever the network sends: check every value, and no length may be believed before it is checked.
     */
    public fun read(from: PacketReader): I?
}

/**
 * How headers, news and identities are written. [NativeCodec] is the one to use; [PostcardCodec] speaks to foca; your
 * own is welcome. One codec serves one [Swim] on one thread at a time.
 */
public interface MemberCodec<I> {
    /** Largest incarnation that can be written. */
    public val maxIncarnation: Long

    /**
     * Whether the codec carries all there is: accusers, metadata versions, [PacketKind.Nack] and padded announces; and
     * whether members talk over streams too. All members of a cluster must agree on it.
     */
    public val extended: Boolean

    /** Writes an identity alone. */
    public fun writeIdentity(identity: I, to: PacketWriter)

    /** Reads an identity alone; null or a failed reader: malformed. */
    public fun readIdentity(from: PacketReader): I?

    /** Writes the beginning of a packet. */
    public fun writeHeader(header: Header<I>, to: PacketWriter)

    /** Reads exactly the beginning of a packet; null or a failed reader: malformed. */
    public fun readHeader(from: PacketReader): Header<I>?

    /** Writes one piece of news. */
    public fun writeUpdate(update: MemberUpdate<I>, to: PacketWriter)

    /** Reads exactly one piece of news; null or a failed reader: malformed. */
    public fun readUpdate(from: PacketReader): MemberUpdate<I>?
}
