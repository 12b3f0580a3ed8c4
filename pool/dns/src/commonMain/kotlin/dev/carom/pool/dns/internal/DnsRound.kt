package dev.carom.pool.dns.internal

import dev.carom.pool.dns.DnsQuestion
import kotlin.time.Duration

/** One round of questions: what is still open, and what the answers so far amount to. */
internal class DnsRound(val number: Int, val startedAt: Duration) {
    val open = mutableSetOf<DnsQuestion>()

    /** Every question of this round, answered or not. */
    val asked = mutableSetOf<DnsQuestion>()

    /** Whether this round alone, without memory, found an address. */
    var found = false

    /** Seconds until the first of the records used expires. */
    var ttlSeconds = Long.MAX_VALUE

    /** Seconds a negative answer may be believed at most; it only ever shortens a wait. */
    var negativeTtlSeconds = Long.MAX_VALUE

    /** Why something was not answered, if it was not. */
    var failure: String? = null

    /** Which answer contradicted what is remembered, if one did. */
    var denial: String? = null

    fun used(seconds: Long) {
        ttlSeconds = minOf(ttlSeconds, maxOf(seconds, 0))
    }

    fun believed(seconds: Long) {
        if (seconds > 0) negativeTtlSeconds = minOf(negativeTtlSeconds, seconds)
    }
}
