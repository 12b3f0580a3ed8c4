package dev.carom.pool.dns

import dev.carom.pool.Backend
import kotlin.jvm.JvmField

/**
 * Is told what a [DnsResolver] does. Called in order, on the coroutine that collects [DnsResolver.backends]: it must be
 * quick and must not block. What it throws fails the collection.
 */
public fun interface DnsListener {
    /** One thing that happened. */
    public fun on(notice: DnsNotice)

    public companion object {
        /** Hears nothing. */
        @JvmField
        public val NONE: DnsListener = DnsListener { }
    }
}

/** What a [DnsResolver] did. */
public sealed interface DnsNotice {
    /** A question goes out. */
    public data class Asked(public val question: DnsQuestion) : DnsNotice

    /** An answer came, or the lack of one. */
    public data class Answered(public val question: DnsQuestion, public val answer: DnsAnswer) : DnsNotice

    /** Another set of backends is in force; the new one is being emitted. */
    public data class Changed(public val before: Set<Backend>, public val after: Set<Backend>) : DnsNotice

    /**
     * A round could not confirm everything in force: what was known before is kept.
     *
     * @property backends the set that stays in force.
     * @property reason what failed, or which negative answer is not yet believed.
     * @property rounds how many rounds in a row.
     */
    public data class Stale(public val backends: Set<Backend>, public val reason: String, public val rounds: Int) :
        DnsNotice

    /** The collection ended, and with it all questions under way. */
    public data object Ended : DnsNotice
}
