package dev.carom.gossip.internal

import dev.carom.gossip.Identity
import dev.carom.gossip.SwimStatus

/**
 * Announces, for ever, to seeds that are not active members: so a lonely start ends when a seed appears, and a
 * partition when the network does, however long both sides have forgotten each other.
 */
internal class Seeds<I : Identity<I>>(private val node: Node<I>) {
    private var seeds = emptyList<I>()
    private var wait = 0L

    /** When the next announces are due. */
    var next = NEVER
        private set

    fun set(new: List<I>) {
        seeds = new
        hurry()
    }

    /** Something changed: begin again with short waits. */
    fun hurry() {
        if (seeds.isEmpty()) {
            next = NEVER
            return
        }
        wait = 0
        next = minOf(next, node.now)
    }

    fun tick() {
        if (node.now < next) return
        next = NEVER
        if (node.status == SwimStatus.Defunct) return
        val own = node.identity.address()
        val missing = seeds.filter { seed ->
            val address = seed.address()
            address != own && node.table.find(address)?.active != true && node.admits(seed)
        }
        missing.shuffled(node.random).take(AT_ONCE).forEach(node.mail::announce)
        next = after(node.now, node.policy.seedInterval)
        if (next != NEVER) next = node.now + jittered(pause())
    }

    private fun pause(): Long {
        val most = node.policy.seedInterval.inWholeNanoseconds
        if (node.status == SwimStatus.Connected) return most
        wait = if (wait == 0L) node.policy.probePeriod.inWholeNanoseconds else wait * 2
        wait = minOf(wait, most)
        return wait
    }

    /** Up to a fifth earlier, so that nodes that started together do not knock together. */
    private fun jittered(nanos: Long): Long = nanos - node.random.nextLong(nanos / 5 + 1)

    private companion object {
        const val AT_ONCE = 3
    }
}
