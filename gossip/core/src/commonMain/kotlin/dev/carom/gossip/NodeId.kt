package dev.carom.gossip

/**
 * An IP address and a port.
 *
 * @param ip 4 or 16 bytes, high first; copied.
 * @property port 0..65535.
 */
public class NodeAddress(ip: ByteArray, public val port: Int) {
    private val octets = ip.copyOf()

    init {
        require(ip.size == V4 || ip.size == V6) { "ip must have 4 or 16 bytes, had ${ip.size}" }
        require(port in 0..MAX_PORT) { "port must be in 0..65535, was $port" }
    }

    /** Whether it is IPv4. */
    public val isV4: Boolean get() = octets.size == V4

    /** A copy of the bytes: 4 or 16, high first. */
    public fun ip(): ByteArray = octets.copyOf()

    internal fun writeTo(writer: PacketWriter) {
        writer.byte(if (isV4) 0 else 1)
        writer.bytes(octets)
        writer.varint(port.toLong())
    }

    override fun equals(other: Any?): Boolean =
        other is NodeAddress && port == other.port && octets.contentEquals(other.octets)

    override fun hashCode(): Int = 31 * octets.contentHashCode() + port

    /** `10.0.0.1:7946`, `[2001:db8:0:0:0:0:0:1]:7946`. */
    override fun toString(): String {
        if (isV4) return octets.joinToString(".") { (it.toInt() and 0xff).toString() } + ":$port"
        val groups = (0 until V6 step 2).joinToString(":") {
            (((octets[it].toInt() and 0xff) shl 8) or (octets[it + 1].toInt() and 0xff)).toString(16)
        }
        return "[$groups]:$port"
    }

    internal companion object {
        const val V4 = 4
        const val V6 = 16
        private const val MAX_PORT = 65_535

        fun readFrom(reader: PacketReader): NodeAddress? {
            val tag = reader.varint(Int.SIZE_BITS)
            if (tag > 1) reader.fail("address family $tag is unknown")
            val octets = reader.bytes(if (tag == 0L) V4 else V6)
            val port = reader.varint(Short.SIZE_BITS).toInt()
            return if (reader.failed) null else NodeAddress(octets, port)
        }
    }
}

/**
 * The usual identity: an address and the second it started. With [NodeIdCodec] it has the bytes of foca's example
 * agent.
 *
 * @property at where the node is reached.
 * @property started its generation, 0 or more: seconds since 1970 when it started; one more at least each time it is
 *   renewed.
 */
public data class NodeId(public val at: NodeAddress, public val started: Long) : Identity<NodeId> {
    init {
        require(started >= 0) { "started must be at least 0, was $started" }
    }

    override fun address(): Any = at

    override fun generation(): Long = started

    override fun renewed(above: Long): NodeId? = if (above == Long.MAX_VALUE) null else NodeId(at, above + 1)

    override fun toString(): String = "$at#$started"
}

/**
 * Address family, IP, port, and the generation as a varint: what serde and postcard make of foca's example
 * identity.
 */
public class NodeIdCodec : IdentityCodec<NodeId> {
    override fun write(identity: NodeId, to: PacketWriter) {
        identity.at.writeTo(to)
        to.varint(identity.started)
    }

    override fun read(from: PacketReader): NodeId? {
        val at = NodeAddress.readFrom(from) ?: return null
        val started = from.varint(Long.SIZE_BITS)
        // Half of foca's numbers cannot be had here: a clock would have to show the year 292 billion.
        if (started < 0) from.fail("a generation of more than 63 bits")
        return if (from.failed) null else NodeId(at, started)
    }
}
