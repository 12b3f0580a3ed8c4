package dev.carom.pool.internal.set

import dev.carom.pool.CloseReport
import kotlin.time.Duration

/** How far the closing of a set has come: leases may end until the grace does, closes may take one timeout more. */
internal class SetClosing(private val closeTimeout: Duration) {
    private val forced = HashSet<Long>()
    private var hardEnd: Duration? = null
    private var closed = 0
    private var cut = 0

    /** Null until the closing begins. */
    var graceEnd: Duration? = null
        private set

    var report: CloseReport? = null
        private set

    val deadline: Duration? get() = if (report == null) hardEnd ?: graceEnd else null

    /** A later call can only shorten the grace. */
    fun begin(graceEnd: Duration) {
        this.graceEnd = minOf(graceEnd, this.graceEnd ?: graceEnd)
    }

    /** [slot] is being closed under a holder. */
    fun forced(slot: Long) {
        forced += slot
    }

    fun ended(slot: Long, opened: Boolean) {
        val wasForced = forced.remove(slot)
        if (graceEnd == null || !opened) return
        if (wasForced) cut++ else closed++
    }

    /** Reports when all is closed, or the time for that is up. */
    fun settle(now: Duration, left: Int) {
        val end = graceEnd ?: return
        if (report != null) return
        if (hardEnd == null && now >= end) hardEnd = now + closeTimeout
        val late = hardEnd?.let { now >= it } ?: false
        if (left == 0 || late) report = CloseReport(closed, cut, refused = 0, stuck = left)
    }
}
