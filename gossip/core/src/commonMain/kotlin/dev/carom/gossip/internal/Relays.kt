package dev.carom.gossip.internal

import dev.carom.gossip.Header
import dev.carom.gossip.Identity
import dev.carom.gossip.PacketKind

/**
 * Probes for others. Only between members known as active, and so many per second: a forged request must not make this
 * node send to an address of somebody's choice.
 */
internal class Relays<I : Identity<I>>(private val node: Node<I>) {
    private class Pending<I>(val origin: I, val number: Int, val target: I, val nackAt: Long)

    private val budget = Budget()
    private val pending = ArrayDeque<Pending<I>>()

    /** When the next one who asked is told that there is no answer. */
    val next: Long get() = pending.firstOrNull()?.nackAt ?: NEVER

    fun pingReq(header: Header<I>) {
        val target = header.about!!
        if (!allowed(target)) return
        node.mail.send(target, PacketKind.IndirectPing, header.source, header.number)
        if (!node.codec.extended) return
        val wait = node.policy.probeTimeout.inWholeNanoseconds / 5 * 4
        pending.addLast(Pending(header.source, header.number, target, node.now + wait))
        if (pending.size > MOST) pending.removeFirst()
    }

    fun indirectAck(header: Header<I>) {
        val origin = header.about!!
        if (!allowed(origin)) return
        pending.removeAll { it.origin == origin && it.number == header.number && it.target == header.source }
        node.mail.send(origin, PacketKind.ForwardedAck, header.source, header.number)
    }

    fun tick() {
        while (next <= node.now) {
            val silent = pending.removeFirst()
            if (isActive(silent.origin)) node.mail.send(silent.origin, PacketKind.Nack, number = silent.number)
        }
    }

    private fun allowed(third: I): Boolean {
        if (!isActive(third)) {
            node.counters.relaysRefused++
            return false
        }
        if (budget.take(node.policy.relaysPerSecond, node.now)) return true
        node.counters.answersLimited++
        return false
    }

    private fun isActive(id: I): Boolean = node.table.find(id.address())?.let { it.active && it.id == id } ?: false

    private companion object {
        const val MOST = 1_024
    }
}
