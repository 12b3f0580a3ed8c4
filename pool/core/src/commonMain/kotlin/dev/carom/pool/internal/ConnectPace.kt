package dev.carom.pool.internal

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** A token bucket for connects: so many per second, and a burst of as many, at least one. */
internal class ConnectPace(private val rate: Double) {
    private val burst = maxOf(1.0, rate)
    private var tokens = burst
    private var at = Duration.ZERO

    /** When the next connect may begin, if one had to wait. */
    var nextDeadline: Duration? = null
        private set

    fun take(now: Duration): Boolean {
        if (rate.isInfinite()) return true
        tokens = minOf(burst, tokens + (now - at) / 1.seconds * rate)
        at = now
        if (tokens >= ALMOST_ONE) {
            tokens -= 1
            nextDeadline = null
            return true
        }
        nextDeadline = now + 1.seconds * ((1 - tokens) / rate)
        return false
    }

    private companion object {
        const val ALMOST_ONE = 1 - 1e-9
    }
}
