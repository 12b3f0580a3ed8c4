package dev.carom.pool.internal

import kotlin.math.sqrt
import kotlin.time.Duration

/**
 * Which waiters to refuse so that the rest need not wait long: CoDel's control law (RFC 8289, section 5), applied when a
 * waiter reaches the head of the queue and a connection is there for it.
 *
 * Unlike TCP's packets, refused claims do not make their senders slow down, and the law alone raises its rate of drops
 * too slowly for that. So there is an upper bound as well: ten times [target], and, once the queue has not been empty for
 * an [interval], twice.
 */
internal class ControlledDelayState(private val target: Duration, private val interval: Duration) {
    /** When the wait will have been above target for an interval; null: it was below a moment ago. */
    private var firstAbove: Duration? = null
    private var dropping = false
    private var dropNext = Duration.ZERO
    private var count = 0
    private var lastCount = 0

    /** Since when the queue has not been empty. */
    private var standingSince: Duration? = null

    fun queued(now: Duration) {
        if (standingSince == null) standingSince = now
    }

    fun emptied() {
        standingSince = null
        firstAbove = null
        dropping = false
    }

    /** Longest wait, as things stand. */
    fun bound(now: Duration): Duration {
        val standing = standingSince?.let { now - it >= interval } ?: false
        return target * if (standing) STANDING else BURST
    }

    /** Whether to refuse the waiter at the head, who has waited for [sojourn]. */
    fun refuses(sojourn: Duration, now: Duration): Boolean = drops(sojourn, now) || sojourn > bound(now)

    private fun drops(sojourn: Duration, now: Duration): Boolean {
        val mayDrop = mayDrop(sojourn, now)
        if (dropping) {
            if (!mayDrop) dropping = false
            if (!dropping || now < dropNext) return false
            count++
            dropNext = controlLaw(dropNext)
            return true
        }
        if (!mayDrop) return false
        dropping = true
        // Soon after the last time: go on near the rate that worked then (section 5.5: 16 intervals).
        val delta = count - lastCount
        count = if (delta > 1 && now - dropNext < interval * MEMORY) delta else 1
        dropNext = controlLaw(now)
        lastCount = count
        return true
    }

    private fun mayDrop(sojourn: Duration, now: Duration): Boolean {
        if (sojourn < target) {
            firstAbove = null
            return false
        }
        val above = firstAbove
        if (above == null) firstAbove = now + interval
        return above != null && now >= above
    }

    private fun controlLaw(from: Duration): Duration = from + interval / sqrt(count.toDouble())

    private companion object {
        const val STANDING = 2
        const val BURST = 10
        const val MEMORY = 16
    }
}
