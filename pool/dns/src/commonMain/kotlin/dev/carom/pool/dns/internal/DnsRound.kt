package dev.carom.pool.dns.internal

import dev.carom.pool.dns.DnsQuestion
import kotlin.time.Duration

/** One round of questions: what is still open, and what the answers so far amount to. */
internal class DnsRound(val number: Int, val startedAt: Duration) {
    /** What is under way, and since when. */
    val open = mutableMapOf<DnsQuestion, Duration>()

    /** Every question this round depends on: answered or not, or known from before. */
    val asked = mutableSetOf<DnsQuestion>()

    /** Those answered in this round with records, or with a denial. */
    val answered = mutableSetOf<DnsQuestion>()

    /** Those that failed for so long that their former answers were forgotten. */
    val expired = mutableSetOf<DnsQuestion>()

    /** Questions sent out. */
    var questions = 0

    /** Whether an address was found that is confirmed: in this round, or before and its TTL has not ended. */
    var found = false

    /** The smallest TTL of the records used, in seconds; the largest there is if none was. */
    var ttlSeconds = Long.MAX_VALUE

    /** When the first of the records used expires. */
    var freshUntil = Duration.INFINITE

    /** When the first of the records used is worth asking for again. */
    var askAgainAt = Duration.INFINITE

    /** Seconds a negative answer may be believed at most; it only ever shortens a wait. */
    var negativeTtlSeconds = Long.MAX_VALUE

    /** Why something was not answered, if it was not. */
    var failure: String? = null

    /** Which answer contradicted what is remembered, if one did. */
    var denial: String? = null

    fun used(entry: Memory.Entry) {
        ttlSeconds = minOf(ttlSeconds, maxOf(entry.ttlSeconds, 0))
        freshUntil = minOf(freshUntil, entry.freshUntil)
        askAgainAt = minOf(askAgainAt, entry.askAgainAt)
    }

    fun believed(seconds: Long) {
        if (seconds > 0) negativeTtlSeconds = minOf(negativeTtlSeconds, seconds)
    }
}
