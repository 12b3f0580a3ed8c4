package dev.carom.gossip.internal

import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Identity
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.PacketKind

/**
 * Probes one member per period: a ping; without an answer in time, the same through relays, and over a stream; still
 * without one at the period's end, a suspicion.
 *
 * ```
 * round ──ping──► waiting ──probeTimeout──► relays asked ──rest of the period──► next round: verdict on this one
 *                    └── ack ──► answered ◄── forwarded ack, stream ──┘
 * ```
 */
internal class Prober<I : Identity<I>>(private val node: Node<I>) {
    private class Probe<I>(val id: I, val incarnation: Long, val number: Int, val sentAt: Long) {
        var answered = false
        val relays = ArrayList<I>()
        val awaited = HashSet<I>()
        var nacks = 0
    }

    private var probe: Probe<I>? = null
    private var number = 0

    /** When the next round begins. */
    var roundAt = NEVER
        private set

    /** When relays are asked. */
    var relayAt = NEVER
        private set

    fun start() {
        probe = null
        relayAt = NEVER
        roundAt = node.now + node.health.scale(node.policy.probePeriod.inWholeNanoseconds)
    }

    fun stop() {
        probe = null
        relayAt = NEVER
        roundAt = NEVER
    }

    fun tick() {
        // In this order: a late tick finds both due, and a round must not end before its relays were asked.
        if (node.now >= relayAt) askRelays()
        if (node.now >= roundAt) round()
    }

    fun acked(from: I, number: Int) {
        val current = probe ?: return
        if (current.number != number || current.id != from) return
        if (!current.answered) measure(from, node.now - current.sentAt)
        answered(current)
    }

    fun forwarded(relay: I, origin: I, number: Int) {
        val current = probe ?: return
        if (current.number != number || current.id.address() != origin.address()) return
        if (current.awaited.remove(relay)) answered(current)
    }

    fun nacked(relay: I, number: Int) {
        val current = probe ?: return
        if (current.number == number && current.awaited.remove(relay)) current.nacks++
    }

    /** [id] answered over a stream. */
    fun reachedByStream(id: I, number: Int) {
        val current = probe ?: return
        if (current.number != number || current.id != id || current.answered) return
        answered(current)
        node.tell(GossipNotice.PacketsLost(id))
    }

    private fun answered(current: Probe<I>) {
        if (current.answered) return
        current.answered = true
        node.policy.lifeguard?.let { node.health.adjust(-1, it.maxLocalHealth) }
    }

    private fun measure(from: I, nanos: Long) {
        val record = node.table.find(from.address()) ?: return
        // As TCP smooths it (RFC 6298, 2).
        record.rttNanos = if (record.rttNanos < 0) nanos else record.rttNanos + (nanos - record.rttNanos) / 8
    }

    private fun round() {
        val last = probe
        probe = null
        if (last != null && !last.answered) failed(last)
        val target = node.table.next() ?: return stop()
        number = (number + 1) and 0xff
        probe = Probe(target.id, target.incarnation, number, node.now)
        node.counters.probes++
        node.mail.send(target.id, PacketKind.Ping, number = number)
        relayAt = node.now + node.health.scale(node.policy.probeTimeout.inWholeNanoseconds)
        roundAt = node.now + node.health.scale(node.policy.probePeriod.inWholeNanoseconds)
    }

    private fun askRelays() {
        relayAt = NEVER
        val current = probe ?: return
        if (current.answered) return
        val record = node.table.find(current.id.address()) ?: return
        if (!record.active || record.id != current.id) return
        for (relay in node.table.choose(node.policy.relays) { it.active && it.id != current.id }) {
            current.relays += relay.id
            current.awaited += relay.id
            node.mail.send(relay.id, PacketKind.PingReq, current.id, current.number)
        }
        node.streams.ping(current.id, current.number)
    }

    private fun failed(last: Probe<I>) {
        node.counters.probesFailed++
        node.policy.lifeguard?.let { node.health.adjust(blame(last), it.maxLocalHealth) }
        node.tell(GossipNotice.ProbeFailed(last.id, last.relays, node.health.score))
        val accusation = MemberUpdate(last.id, last.incarnation, MemberState.Suspect, node.identity)
        val applied = node.table.applyExistingIf(accusation) { true }
        val record = applied.record ?: return
        if (!applied.applied) record.accuseAlso(last)
        node.membership.follow(applied, accusation, disseminate = true, via = null)
        if (record.id == last.id && record.state == MemberState.Suspect) node.suspicions.raise(record, own = true)
        node.membership.settle()
    }

    /** Suspected already, and nobody said by whom: then it is us. */
    private fun Record<I>.accuseAlso(last: Probe<I>) {
        if (id == last.id && state == MemberState.Suspect && accuser == null) accuser = node.identity
    }

    /** Relays that say they have no answer either speak for our health; silent ones speak against it. */
    private fun blame(last: Probe<I>): Int =
        if (last.relays.isEmpty() || !node.codec.extended) 1 else last.relays.size - last.nacks
}
