package dev.carom.pool.dns.internal

import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsQuestion
import kotlin.time.Duration

/** The last good answer to each question, and how often in a row it was denied since. */
internal class Memory(private val serveStaleFor: Duration, private val negativesToBelieve: Int) {
    private val kept = mutableMapOf<DnsQuestion, Entry>()

    /** The good answer in force, if any. */
    operator fun get(question: DnsQuestion): DnsAnswer.Records? = kept[question]?.answer

    fun keep(question: DnsQuestion, answer: DnsAnswer.Records, freshUntil: Duration) {
        kept[question] = Entry(answer, freshUntil, denials = 0)
    }

    /** A negative answer: forgets only after the last of [negativesToBelieve] in a row. */
    fun deny(question: DnsQuestion) {
        val entry = kept[question] ?: return
        if (entry.denials + 1 < negativesToBelieve) {
            kept[question] = entry.copy(denials = entry.denials + 1)
        } else {
            kept -= question
        }
    }

    /** No answer: forgets only what has been unconfirmed for too long. */
    fun fail(question: DnsQuestion, now: Duration) {
        val entry = kept[question] ?: return
        if (now < entry.freshUntil + serveStaleFor) kept[question] = entry.copy(denials = 0) else kept -= question
    }

    /** Forgets what nobody asks any longer: targets that left the service. */
    fun retain(questions: Set<DnsQuestion>) {
        kept.keys.retainAll(questions)
    }

    /** Forgets everything that was not confirmed in time. */
    fun expire(now: Duration) {
        kept.values.removeAll { now >= it.freshUntil + serveStaleFor }
    }

    private data class Entry(val answer: DnsAnswer.Records, val freshUntil: Duration, val denials: Int)
}
