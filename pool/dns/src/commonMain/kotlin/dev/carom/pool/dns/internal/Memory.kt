package dev.carom.pool.dns.internal

import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsQuestion
import kotlin.time.Duration

/** The last good answer to each question, how often in a row it was denied since, and what is known not to exist. */
internal class Memory(private val serveStaleFor: Duration, private val negativesToBelieve: Int) {
    private val kept = mutableMapOf<DnsQuestion, Entry>()
    private val absent = mutableMapOf<DnsQuestion, Duration>()

    /** The good answer in force, if any. */
    operator fun get(question: DnsQuestion): DnsAnswer.Records? = kept[question]?.answer

    /** The good answer in force, if it need not be asked for again yet. */
    fun fresh(question: DnsQuestion, now: Duration): Entry? = kept[question]?.takeIf { now < it.askAgainAt }

    /** Whether a negative answer may still be believed (RFC 2308, section 5). */
    fun isAbsent(question: DnsQuestion, now: Duration): Boolean = absent[question]?.let { now < it } ?: false

    fun keep(question: DnsQuestion, entry: Entry) {
        kept[question] = entry
        absent -= question
    }

    /** A negative answer: forgets only after the last of [negativesToBelieve] in a row. */
    fun deny(question: DnsQuestion, until: Duration) {
        val entry = kept[question]
        if (entry != null && entry.denials + 1 < negativesToBelieve) {
            kept[question] = entry.copy(denials = entry.denials + 1)
        } else {
            kept -= question
            absent[question] = until
        }
    }

    /** No answer: forgets only what has been unconfirmed for too long; true if it did. */
    fun fail(question: DnsQuestion, now: Duration): Boolean {
        val entry = kept[question] ?: return false
        val over = now >= entry.freshUntil + serveStaleFor
        if (over) kept -= question else kept[question] = entry.copy(denials = 0)
        return over
    }

    /** Forgets what nobody asks any longer: targets that left the service. */
    fun retain(questions: Set<DnsQuestion>) {
        kept.keys.retainAll(questions)
        absent.keys.retainAll(questions)
    }

    /** Forgets everything that was not confirmed in time. */
    fun expire(now: Duration) {
        kept.values.removeAll { now >= it.freshUntil + serveStaleFor }
    }

    /** [freshUntil] is when the TTL ends, [askAgainAt] when the question is worth asking again. */
    data class Entry(
        val answer: DnsAnswer.Records,
        val freshUntil: Duration,
        val askAgainAt: Duration,
        val denials: Int = 0,
    ) {
        val ttlSeconds: Long get() = answer.records.minOf { it.ttlSeconds }
    }
}
