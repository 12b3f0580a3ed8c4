package dev.carom.gossip.internal

import dev.carom.gossip.Identity
import dev.carom.gossip.PacketKind
import dev.carom.gossip.PeriodicPolicy

/** What is done again and again while connected: announces, announces to the dead, gossip. */
internal class Rounds<I : Identity<I>>(private val node: Node<I>) {
    private var announceAt = NEVER
    private var announceToDownAt = NEVER
    private var gossipAt = NEVER

    /** Gossip without news need not be woken for; news that comes after its time goes out at once. */
    val next: Long get() = minOf(announceAt, announceToDownAt, if (quiet) NEVER else gossipAt)

    private val quiet: Boolean get() = node.updates.size == 0 && node.broadcasts.size == 0

    fun start() {
        announceAt = node.policy.announce.again()
        announceToDownAt = node.policy.announceToDown.again()
        gossipAt = node.policy.gossip.again()
    }

    fun stop() {
        announceAt = NEVER
        announceToDownAt = NEVER
        gossipAt = NEVER
    }

    fun tick() {
        if (node.now >= announceAt) {
            announceAt = node.policy.announce.again()
            announce(node.policy.announce) { it.active }
        }
        if (node.now >= announceToDownAt) {
            announceToDownAt = node.policy.announceToDown.again()
            announce(node.policy.announceToDown) { !it.active }
        }
        if (node.now >= gossipAt) {
            gossipAt = node.policy.gossip.again()
            gossip()
        }
    }

    private fun announce(policy: PeriodicPolicy?, passes: (Record<I>) -> Boolean) {
        if (policy == null) return
        node.table.choose(policy.members, passes).forEach { node.mail.announce(it.id) }
    }

    private fun gossip() {
        val policy = node.policy.gossip ?: return
        if (quiet) return
        node.some(policy.members).forEach { node.mail.send(it.id, PacketKind.Gossip) }
    }

    /** Switched off at run time: never again. */
    private fun PeriodicPolicy?.again(): Long = if (this == null) NEVER else after(node.now, every)
}
