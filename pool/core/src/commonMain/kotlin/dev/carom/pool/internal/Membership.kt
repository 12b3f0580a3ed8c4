package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Retention

/** Which backends belong to the pool: as the resolver lists them, as [Retention] keeps them, as callers drain them. */
internal class Membership(
    private val policy: PoolPolicy,
    private val lending: Lending,
    private val book: SlotBook,
    private val outliers: Outliers,
) {
    fun list(backends: Set<Backend>) {
        for (set in book.sets.values.toList()) {
            if (set.listed && set.backend !in backends) unlist(set)
        }
        for (backend in backends) {
            val known = book.sets[backend]
            if (known == null) {
                enrol(backend)
            } else if (!known.listed) {
                known.listed = true
                known.slots.forEach { book.undrain(it, "listed again") }
                book.tell(PoolNotice.BackendAdded(backend))
            } else {
                known.absent = false
            }
        }
    }

    /** The last connection is gone, or the first could not be opened. */
    fun down(set: SlotSet, reason: String, cause: Throwable?) {
        book.down(set, reason, cause)
        if (set.absent && policy.retention == Retention.WhileUp) retire(set)
    }

    /** Returns whether that changes anything. */
    fun drain(backend: Backend, drained: Boolean): Boolean {
        val set = book.sets[backend] ?: return false
        if (set.drained == drained || !set.listed) return false
        set.drained = drained
        book.tell(PoolNotice.BackendDrained(backend, drained))
        if (drained) {
            set.active = false
            set.slots.toList().forEach { book.end(it, DRAINED) }
        } else {
            set.slots.forEach { book.undrain(it, "no longer drained") }
        }
        return true
    }

    private fun enrol(backend: Backend) {
        val backoff = Backoff(policy.backoff, book.random)
        val set = SlotSet(backend, book.random.nextDouble(), backoff, Backoff(policy.authBackoff, book.random), lending)
        book.sets[backend] = set
        outliers.enrol(set)
        book.tell(PoolNotice.BackendAdded(backend))
    }

    private fun unlist(set: SlotSet) {
        val keep = when (policy.retention) {
            Retention.None -> false
            Retention.WhileUp -> set.online
            Retention.Forever -> true
        }
        if (!keep) return retire(set)
        if (!set.absent) book.tell(PoolNotice.BackendKept(set.backend))
        set.absent = true
    }

    private fun retire(set: SlotSet) {
        set.listed = false
        set.absent = false
        set.drained = false
        set.active = false
        book.tell(PoolNotice.BackendRemoved(set.backend, set.connected, set.lent(lending)))
        set.slots.toList().forEach { book.end(it, REMOVED) }
        if (set.slots.isEmpty()) book.drop(set)
    }
}
