package dev.carom.gossip.sim

import dev.carom.gossip.Identity
import dev.carom.gossip.IdentityCodec
import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter

/**
 * A simulated member's identity.
 *
 * @property host which simulated host it runs on; 0 or more. It is the address.
 * @property life which life on that host this is; 0 or more. It is the generation.
 */
public data class SimId(public val host: Int, public val life: Long) : Identity<SimId> {
    // Boxed once: ten thousand members keep a hundred million addresses.
    private val address: Any = host

    override fun address(): Any = address

    override fun generation(): Long = life

    override fun renewed(above: Long): SimId? = if (above == Long.MAX_VALUE) null else SimId(host, above + 1)

    override fun toString(): String = "$host#$life"

    /** Twelve bytes, as many as an IPv4 address, a port, and a second of this century take. */
    public class Codec : IdentityCodec<SimId> {
        override fun write(identity: SimId, to: PacketWriter) {
            to.short(identity.host ushr 16)
            to.short(identity.host)
            to.long(identity.life)
        }

        override fun read(from: PacketReader): SimId? {
            val host = (from.short() shl 16) or from.short()
            val life = from.long()
            if (host < 0 || life < 0) from.fail("negative host or life")
            return if (from.failed) null else SimId(host, life)
        }
    }
}
