package dev.carom.gossip.internal

/** A token bucket that holds one second's worth. */
internal class Budget {
    private var spentUntil = Long.MIN_VALUE

    /** Takes one of [perSecond]; false: none is left at [now]. */
    fun take(perSecond: Int, now: Long): Boolean {
        val begin = maxOf(spentUntil, now - SECOND)
        val end = begin + SECOND / perSecond
        if (end > now) return false
        spentUntil = end
        return true
    }

    private companion object {
        const val SECOND = 1_000_000_000L
    }
}
