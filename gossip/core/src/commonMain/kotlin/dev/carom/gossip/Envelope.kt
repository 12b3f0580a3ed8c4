package dev.carom.gossip

import kotlin.jvm.JvmStatic

/**
 * What packets and streams travel in. Opening never throws for what the network sent.
 *
 * Sealing and opening are for one thread at a time each.
 */
public interface Envelope {
    /**
     * Bytes it adds to a content. A packet's content may have [SwimPolicy.maxPacketSize] bytes, the datagram so many
     * more.
     */
    public val overhead: Int

    /** [content], sealed for [use]. */
    public fun seal(content: ByteArray, use: EnvelopeUse): ByteArray

    /** What was sealed for [use] by somebody who may; or why not. */
    public fun open(sealed: ByteArray, use: EnvelopeUse): Opened
}

/** What a content is: what was sealed as one is not opened as another. */
public enum class EnvelopeUse {
    /** A datagram. */
    Packet,

    /** A stream's request. */
    Request,

    /** A stream's answer. */
    Answer,
}

/** An opened [Envelope], or why it stays closed: exactly one of [content] and [rejection] is set. */
public class Opened private constructor(
    /** What was in it. */
    public val content: ByteArray?,
    /** Why it is not opened. */
    public val rejection: Reason?,
) {
    override fun toString(): String = if (content != null) "${content.size} bytes" else "rejected: $rejection"

    /** Why an envelope stays closed. */
    public enum class Reason {
        /** Fewer bytes than an empty envelope has. */
        Truncated,

        /** Of another version, or no envelope at all. */
        UnknownVersion,

        /**
         * No key of ours opens it: forged, changed on the way, of another cluster, or with a key that is not in the
         * ring.
         */
        Forged,

        /** Opened before, or too old to tell. */
        Replayed,
    }

    public companion object {
        /** It holds [content]. */
        @JvmStatic
        public fun holding(content: ByteArray): Opened = Opened(content, null)

        /** It stays closed. */
        @JvmStatic
        public fun rejected(reason: Reason): Opened = Opened(null, reason)
    }
}

/** No envelope at all: everybody can read, forge, and replay. Say so where it is used. */
public object InsecureEnvelope : Envelope {
    override val overhead: Int get() = 0

    override fun seal(content: ByteArray, use: EnvelopeUse): ByteArray = content

    override fun open(sealed: ByteArray, use: EnvelopeUse): Opened = Opened.holding(sealed)
}

/**
 * A secret that all members share. Its bytes never appear in a message.
 *
 * @param secret 16, 24 or 32 random bytes; copied.
 */
public class GossipKey(secret: ByteArray) {
    private val bytes = secret.copyOf()

    init {
        require(secret.size in SIZES) { "a key must have 16, 24 or 32 bytes, had ${secret.size}" }
    }

    /** A copy of the bytes. */
    public fun secret(): ByteArray = bytes.copyOf()

    override fun equals(other: Any?): Boolean {
        if (other !is GossipKey || other.bytes.size != bytes.size) return false
        // As long for a near miss as for a far one.
        return bytes.indices.fold(0) { different, i -> different or (bytes[i].toInt() xor other.bytes[i].toInt()) } == 0
    }

    override fun hashCode(): Int = bytes.size

    override fun toString(): String = "GossipKey(${bytes.size * 8} bits)"

    private companion object {
        val SIZES = setOf(16, 24, 32)
    }
}

/**
 * The keys of a cluster: one seals, all open. To change the key without a moment in which members do not understand
 * each other: [add] the new one everywhere, then [use] it everywhere, then [remove] the old one everywhere. Immutable.
 */
public class KeyRing private constructor(private val ring: List<GossipKey>) {
    /** A ring of one. */
    public constructor(primary: GossipKey) : this(listOf(primary))

    /** The key that seals. */
    public val primary: GossipKey get() = ring.first()

    /** All keys, [primary] first: 1..3. */
    public val keys: List<GossipKey> get() = ring.toList()

    /** Also opens what [key] sealed. At most three keys. */
    public fun add(key: GossipKey): KeyRing {
        if (key in ring) return this
        require(ring.size < MOST) { "a ring has at most $MOST keys: remove one first" }
        return KeyRing(ring + key)
    }

    /** Seals with [key] from now on; it must be in the ring. */
    public fun use(key: GossipKey): KeyRing {
        require(key in ring) { "the key is not in the ring of ${ring.size}: add it first, everywhere" }
        return KeyRing(listOf(key) + (ring - key))
    }

    /** Does not open what [key] sealed any more; it must not be the [primary]. */
    public fun remove(key: GossipKey): KeyRing {
        require(key != primary) { "the key that seals cannot be removed: use another one first" }
        return KeyRing(ring - key)
    }

    override fun toString(): String = "KeyRing(${ring.size} keys)"

    private companion object {
        const val MOST = 3
    }
}
