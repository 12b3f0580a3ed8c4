package dev.carom.gossip.sim

import dev.carom.gossip.Envelope
import dev.carom.gossip.EnvelopeUse
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.InsecureEnvelope
import dev.carom.gossip.Swim

/**
 * A simulated member.
 *
 * @property host where it runs.
 * @property swim its state. Read it as you like; feed it through [Simulation.submit].
 */
public class SimNode internal constructor(
    public val host: Int,
    public val swim: Swim<SimId>,
    private val clockOffset: Long,
    private val clockRate: Double,
) {
    /** Whether it runs: false after a crash. */
    public var running: Boolean = true
        internal set

    /** What its packets and streams travel in; may be exchanged at any time. */
    public var envelope: Envelope = InsecureEnvelope

    /** Packets and streams that its [envelope] did not open. */
    public var unopened: Long = 0
        internal set

    /** Bytes of streams' requests and answers it sent. */
    public var streamBytes: Long = 0
        internal set

    internal var pausedUntil = 0L
    internal var tickAt = Long.MAX_VALUE
    internal val inbox = ArrayDeque<() -> Unit>()

    /** What [sealed] holds; null: it was counted. */
    internal fun open(sealed: ByteArray, use: EnvelopeUse): ByteArray? {
        val content = envelope.open(sealed, use).content
        if (content == null) unopened++
        return content
    }

    internal fun local(global: Long): Long = clockOffset + (global * clockRate).toLong()

    internal fun global(local: Long): Long {
        if (local == Long.MAX_VALUE) return local
        var global = ((local - clockOffset) / clockRate).toLong()
        while (local(global) < local) global++
        return global
    }

    /** Hosts of the members it believes active, itself among them. */
    public fun view(): Set<Int> = swim.members().mapTo(HashSet()) { it.id.host }.apply { add(host) }

    override fun toString(): String = "node $host (${swim.identity}, ${swim.status})"
}

/** Is told every notice as it happens. */
public fun interface SimListener {
    /** [node] gave [notice] at [nanos] of the simulation. */
    public fun told(node: SimNode, notice: GossipNotice<SimId>, nanos: Long)
}
