package dev.carom.pool.internal

import dev.carom.pool.LeasePolicy
import dev.carom.pool.PoolNotice
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * Looks for claims that have been held too long. A claim made after a look cannot be due before the shorter limit has
 * passed since, so looking when the oldest is due, or then, misses none.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class LeaseWatch(private val policy: LeasePolicy) {
    private val shortest = minOf(policy.warnAfter, policy.abortAfter)

    var nextDeadline: Duration? = shortest.takeIf { it.isFinite() }
        private set

    fun look(now: Duration, lines: Collection<Line<*>>, tell: (PoolNotice) -> Unit) {
        var next = now + shortest
        for (line in lines) {
            val lease = line.lease.load() ?: continue
            val quiet = lease.quietMillis.milliseconds
            if (quiet >= policy.abortAfter) {
                val holder = lease.holder
                if (lease.end(Outcome.Discarded(Stalled("held for $quiet by \"${holder.name}\"")))) {
                    tell(PoolNotice.ClaimAborted(holder))
                }
                continue
            }
            if (quiet >= policy.warnAfter && !lease.warned) {
                lease.warned = true
                tell(PoolNotice.ClaimStalled(lease.holder))
            }
            val limit = if (lease.warned) policy.abortAfter else policy.warnAfter
            next = minOf(next, now + minOf(limit, policy.abortAfter) - quiet)
        }
        nextDeadline = next
    }
}

/** A claim was ended because its holder gave no sign of life. */
internal class Stalled(message: String) : RuntimeException(message)
