package dev.carom.pool.internal

import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolSnapshot
import kotlin.time.Duration

/** How far the closing of a pool has come: loans may come back until the grace ends, closes may take one timeout more. */
internal class Closing(private val policy: PoolPolicy) {
    private var graceEnd: Duration? = null
    private var hardEnd: Duration? = null
    private var deskClosed = false

    /** Slots that still exist. */
    var slots = 0

    /** Waiters refused because of it. */
    var refused = 0
        private set

    var finished = false
        private set

    val deadline: Duration? get() = hardEnd ?: graceEnd

    val phase: PoolSnapshot.Phase
        get() = when {
            finished -> PoolSnapshot.Phase.Closed
            graceEnd != null -> PoolSnapshot.Phase.Closing
            else -> PoolSnapshot.Phase.Open
        }

    /** A later call can only shorten the grace. */
    fun begin(graceEnd: Duration) {
        this.graceEnd = minOf(graceEnd, this.graceEnd ?: graceEnd)
    }

    fun deskClosed(refused: Int) {
        deskClosed = true
        this.refused = refused
    }

    /** True once: when the grace has just ended. */
    fun graceEnds(now: Duration): Boolean {
        val end = graceEnd ?: return false
        if (hardEnd != null || now < end || slots == 0) return false
        hardEnd = now + policy.closeTimeout
        return true
    }

    /** True once: when all is closed, or the time for that is up. */
    fun ends(now: Duration): Boolean {
        if (finished || !deskClosed) return false
        finished = slots == 0 || hardEnd?.let { now >= it } ?: false
        return finished
    }
}
