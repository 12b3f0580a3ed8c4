package dev.carom.pool.internal

import dev.carom.pool.Role
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.AtomicLong
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.concurrent.atomics.plusAssign

/** What a [Meter] says at this moment: the part of it by which the pool decides. */
internal interface Readings {
    /** In halves: a degraded answer is half a failure. */
    val goodHalves: Long
    val badHalves: Long

    /** Failures without a success between them. */
    val inARow: Int

    /** How often callers found the backend demoted: what was probed before does not count any more. */
    val demotions: Int

    /** What the backend does for claims that ask for a role. */
    val role: Role
}

/**
 * What callers have learnt about one backend: written by them on any thread, read by the pool. Its own small races (two
 * latencies at once: one is lost) do no harm.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class Meter : Readings {
    private val good = AtomicLong(0)
    private val bad = AtomicLong(0)
    private val failuresInARow = AtomicInt(0)

    private val demoted = AtomicInt(0)

    @Volatile
    override var role: Role = Role.Unknown

    override val demotions: Int get() = demoted.load()

    /** So many failures in a row are worth an event. */
    @Volatile
    var tolerance: Int = Int.MAX_VALUE

    /** Whether the pool looks at the shares of failures; until then the first failure is worth an event, too. */
    @Volatile
    var watched = false

    @Volatile
    private var smoothedNanos = 0.0

    val latencyNanos: Long get() = smoothedNanos.toLong()

    override val goodHalves: Long get() = good.load()
    override val badHalves: Long get() = bad.load()
    override val inARow: Int get() = failuresInARow.load()

    /** Exponentially weighted, an eighth for the newest (as TCP's round-trip time, RFC 6298 section 2). */
    fun took(nanos: Long) {
        val before = smoothedNanos
        smoothedNanos = if (before == 0.0) nanos.toDouble().coerceAtLeast(1.0) else before + (nanos - before) / EIGHTH
    }

    fun succeeded() {
        if (failuresInARow.load() != 0) failuresInARow.store(0)
        good += 2L
    }

    /** Returns whether the pool should know. */
    fun degraded(): Boolean {
        good += 1L
        bad += 1L
        return !watched
    }

    /** Returns whether the pool should know. */
    fun failed(): Boolean {
        bad += 2L
        return failuresInARow.incrementAndFetch() >= tolerance || !watched
    }

    fun demote() {
        demoted.incrementAndFetch()
        role = Role.Replica
    }

    fun forgive() {
        failuresInARow.store(0)
    }

    /**
     * Load times latency. While no latency is known, one claim at a time finds it out (Finagle's peak EWMA does the same).
     */
    fun cost(lent: Int): Double {
        val nanos = smoothedNanos
        return when {
            nanos > 0.0 -> (lent + 1) * nanos
            lent == 0 -> 0.0
            else -> UNKNOWN + lent
        }
    }

    private companion object {
        const val EIGHTH = 8
        const val UNKNOWN = 1e18
    }
}
