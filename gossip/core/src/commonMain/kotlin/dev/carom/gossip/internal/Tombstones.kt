package dev.carom.gossip.internal

import dev.carom.gossip.Identity

/** Remembers the dead for a while: one per address, the oldest first. */
internal class Tombstones<I : Identity<I>>(private val node: Node<I>) {
    private val byAge = LinkedHashMap<Any, Record<I>>()

    val size get() = byAge.size

    /** When the oldest may be forgotten. */
    val next: Long
        get() {
            val oldest = byAge.values.firstOrNull() ?: return NEVER
            return after(oldest.downSince, node.policy.forgetDownAfter)
        }

    fun add(record: Record<I>) {
        byAge.remove(record.address)
        record.downSince = node.now
        byAge[record.address] = record
    }

    fun remove(record: Record<I>) {
        byAge.remove(record.address)
    }

    fun tick() {
        while (next <= node.now) {
            val address = byAge.keys.first()
            byAge.remove(address)
            node.table.removeIfDown(address)
        }
    }
}
