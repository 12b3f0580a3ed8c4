package dev.carom.pool.internal

import kotlin.time.Duration

/** How many connections to aim at: up at once, down by a tenth of what is too many (at least one) per [interval]. */
internal class Demand(private val interval: Duration) {
    private var level = 0
    private var peak = 0

    /** When the next step down is due; null while there is none to make. */
    var nextStep: Duration? = null
        private set

    fun update(wanted: Int, now: Duration): Int {
        peak = maxOf(peak, wanted)
        val step = nextStep
        if (wanted >= level) {
            level = wanted
            nextStep = null
        } else if (step == null) {
            peak = wanted
            nextStep = now + interval
        } else if (now >= step) {
            // Not below what was wanted at any moment since the last step: a dip between two bursts is no reason to close.
            val excess = level - maxOf(peak, wanted)
            level -= (excess + TENTH - 1) / TENTH
            peak = wanted
            nextStep = if (wanted < level) now + interval else null
        }
        return level
    }

    /** A moment's wish that asks for nothing now, but speaks against the next step down. */
    fun observe(wanted: Int) {
        peak = maxOf(peak, wanted)
    }

    private companion object {
        const val TENTH = 10
    }
}
