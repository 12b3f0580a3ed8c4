package dev.carom.pool.internal

import dev.carom.pool.BackoffPolicy
import kotlin.random.Random
import kotlin.time.Duration

/** When one backend may be connected to again, and whether it is still under suspicion. */
internal class Backoff(private val policy: BackoffPolicy, private val random: Random) {
    private var step = 0
    private var lastFailure: Duration? = null
    private var succeededSince = false

    var notBefore: Duration = Duration.ZERO
        private set

    fun failed(now: Duration) {
        // Eight connections that one crash breaks are one failure, not eight.
        if (lastFailure != null && now < notBefore) return
        if (succeededSince && !recentlyFailed(now)) step = 0
        val nominal = (policy.start * (1L shl step).toDouble()).coerceAtMost(policy.max)
        if (nominal < policy.max) step++
        notBefore = now + nominal * (1 - policy.jitter * random.nextDouble())
        lastFailure = now
        succeededSince = false
    }

    fun succeeded() {
        succeededSince = true
    }

    /** A connection that has failed now had worked before: the backend as such works, so there is nothing to escalate. */
    fun proven() {
        step = 0
    }

    fun recentlyFailed(now: Duration): Boolean = lastFailure?.let { now - it <= policy.memory } ?: false
}
