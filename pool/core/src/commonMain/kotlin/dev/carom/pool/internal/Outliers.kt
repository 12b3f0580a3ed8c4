package dev.carom.pool.internal

import dev.carom.pool.OutlierPolicy
import dev.carom.pool.PoolNotice
import dev.carom.pool.describe
import kotlin.time.Duration

/** Leaves out, for a while, backends that accept connections but fail their callers. */
internal class Outliers(private val policy: OutlierPolicy, private val book: SlotBook) {
    private class Record(readings: Readings) {
        var good = readings.goodHalves
        var bad = readings.badHalves
        var ejections = 0
        var probation = false
        val clean: Boolean get() = ejections == 0 && !probation

        fun restart(readings: Readings) {
            good = readings.goodHalves
            bad = readings.badHalves
        }
    }

    private val records = HashMap<SlotSet, Record>()
    private var nextLook: Duration? = null

    val nextDeadline: Duration?
        get() = listOfNotNull(nextLook, book.sets.values.mapNotNull { it.ejectedUntil }.minOrNull()).minOrNull()

    fun enrol(set: SlotSet) {
        set.meter.tolerance = policy.failuresInARow
    }

    /** A caller was failed, for the first time or once too often. Returns whether that changes anything. */
    fun suspect(set: SlotSet, cause: Throwable?): Boolean {
        val record = record(set)
        if (nextLook == null) {
            nextLook = book.now + policy.interval
            book.sets.values.forEach { record(it).restart(it.readings) }
        }
        set.meter.watched = true
        val inARow = set.readings.inARow
        if (inARow < set.meter.tolerance) return false
        val why = cause?.let { ": ${describe(it)}" }.orEmpty()
        val what = if (record.probation) "failed again" else "$inARow failures in a row"
        return eject(set, record, what + why)
    }

    /** Ends what is over, and looks at shares of failures. Returns whether anything changed. */
    fun tick(): Boolean {
        var changed = false
        for (set in book.sets.values) {
            if (set.ejectedUntil?.let { it <= book.now } == true) {
                readmit(set, "its time is over")
                changed = true
            }
        }
        if (nextLook?.let { it <= book.now } == true) changed = look() or changed
        return changed
    }

    /** When none of the others is up, a bad one is better than none. */
    fun lift(): Boolean {
        val enrolled = book.sets.values.filter { it.enrolled }
        val ejected = enrolled.filter { it.ejectedUntil != null }
        if (ejected.isEmpty() || enrolled.any { it.ejectedUntil == null && it.reach != Reach.Down }) return false
        ejected.forEach { readmit(it, "no other is up") }
        return true
    }

    private fun look(): Boolean {
        records.keys.retainAll(book.sets.values.toSet())
        var changed = false
        var quiet = true
        for (set in book.sets.values) {
            val record = record(set)
            val good = set.readings.goodHalves - record.good
            val bad = set.readings.badHalves - record.bad
            record.restart(set.readings)
            if (set.ejectedUntil == null) {
                if (good > 0 && set.readings.inARow == 0) relax(set, record)
                changed = judge(set, record, good, bad) or changed
            }
            if (bad > 0 || !record.clean) quiet = false
        }
        nextLook = if (quiet) null else book.now + policy.interval
        if (quiet) book.sets.values.forEach { it.meter.watched = false }
        return changed
    }

    private fun judge(set: SlotSet, record: Record, good: Long, bad: Long): Boolean {
        val all = good + bad
        if (all < 2L * policy.minimumReports || bad.toDouble() / all < policy.failureShare) return false
        return eject(set, record, "${bad * PERCENT / all} % failures")
    }

    private fun relax(set: SlotSet, record: Record) {
        record.probation = false
        record.ejections = maxOf(0, record.ejections - 1)
        set.meter.tolerance = policy.failuresInARow
    }

    private fun eject(set: SlotSet, record: Record, reason: String): Boolean {
        if (set.ejectedUntil != null || !set.enrolled) return false
        val enrolled = book.sets.values.filter { it.enrolled }
        val ejected = enrolled.count { it.ejectedUntil != null }
        val others = enrolled.any { it !== set && it.ejectedUntil == null && it.reach == Reach.Up }
        if (ejected + 1 > enrolled.size * policy.maxEjected || !others) {
            set.meter.forgive()
            return false
        }
        record.ejections++
        val time = (policy.ejection * record.ejections).coerceAtMost(policy.maxEjection)
        set.ejectedUntil = book.now + time
        set.ejectedFor = reason
        book.tell(PoolNotice.BackendEjected(set.backend, time.inWholeMilliseconds, reason))
        return true
    }

    private fun readmit(set: SlotSet, reason: String) {
        set.ejectedUntil = null
        record(set).probation = true
        set.meter.forgive()
        set.meter.tolerance = 1
        book.tell(PoolNotice.BackendReadmitted(set.backend, reason))
    }

    private fun record(set: SlotSet) = records.getOrPut(set) { Record(set.readings) }

    private companion object {
        const val PERCENT = 100
    }
}
