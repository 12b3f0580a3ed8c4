package dev.carom.pool.dns.internal

import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsPolicy
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** How long answers hold, and when the next round begins. */
internal class Pace(private val policy: DnsPolicy, private val random: Random) {
    fun entry(answer: DnsAnswer.Records, startedAt: Duration, now: Duration): Memory.Entry {
        val ttl = answer.records.minOf { it.ttlSeconds }.seconds
        return Memory.Entry(answer, maxOf(now, startedAt + clamp(ttl)), startedAt + clamp(ttl * policy.refreshAt))
    }

    /** A denial without a TTL is not kept. */
    fun absentUntil(startedAt: Duration, ttlSeconds: Long): Duration =
        startedAt + ttlSeconds.seconds.coerceIn(Duration.ZERO, policy.maxInterval)

    /** When the round after [last] begins, which is the [unsettled]th in a row that could not confirm everything. */
    fun next(last: DnsRound, unsettled: Int, now: Duration): Duration =
        maxOf(last.startedAt + policy.minInterval, wanted(last, unsettled, now))

    private fun wanted(last: DnsRound, unsettled: Int, now: Duration): Duration {
        val part = policy.jitter * random.nextDouble()
        val fresh = if (last.found) {
            minOf(lengthened(last, part), last.startedAt + policy.maxInterval)
        } else {
            now + policy.maxInterval
        }
        if (unsettled == 0) return fresh
        var backoff = policy.retryStart
        repeat(minOf(unsettled - 1, MAX_DOUBLINGS)) { backoff = minOf(backoff * 2, policy.retryMax) }
        val retry = minOf(backoff, last.negativeTtlSeconds.seconds)
        return minOf(fresh, now + retry * (1 - part))
    }

    /** Never shortened: a name is asked about once in its TTL, not more. */
    private fun lengthened(last: DnsRound, part: Double): Duration =
        last.askAgainAt + minOf((last.askAgainAt - last.startedAt) * part, MOST_ADDED)

    private fun clamp(time: Duration) = time.coerceIn(policy.minInterval, policy.maxInterval)

    private companion object {
        const val MAX_DOUBLINGS = 40
        val MOST_ADDED = 500.milliseconds
    }
}
