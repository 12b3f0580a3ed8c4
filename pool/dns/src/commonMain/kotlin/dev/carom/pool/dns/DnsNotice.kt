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

    /**
     * An answer came, or the lack of one.
     *
     * @property millis time since the question was due, in milliseconds, waiting for its turn included
     *   ([DnsPolicy.parallelism]).
     */
    public data class Answered(
        public val question: DnsQuestion,
        public val answer: DnsAnswer,
        public val millis: Long,
    ) : DnsNotice

    /**
     * Another set of backends is in force; the new one is being emitted.
     *
     * @property reason why, in words.
     */
    public data class Changed(
        public val before: Set<Backend>,
        public val after: Set<Backend>,
        public val reason: String,
    ) : DnsNotice

    /**
     * A round could not confirm everything in force: what was known before is kept.
     *
     * @property backends the set that stays in force.
     * @property reason what failed, or which negative answer is not yet believed.
     * @property rounds how many rounds in a row.
     * @property ageMillis time since everything in force was last confirmed, or since the start, in milliseconds.
     */
    public data class Stale(
        public val backends: Set<Backend>,
        public val reason: String,
        public val rounds: Int,
        public val ageMillis: Long,
    ) : DnsNotice

    /**
     * A round ended.
     *
     * @property number of the round, from 1.
     * @property questions how many were asked in it; what was still fresh was not.
     * @property backends the set in force.
     * @property kept those of them that the answers lack and the [RemovalPolicy] keeps.
     * @property ttlSeconds the smallest TTL of the records used; null if no address was found.
     * @property nextMillis time until the next round, in milliseconds.
     * @property trouble what could not be confirmed, as in [Stale]; null if everything was.
     */
    public data class Settled(
        public val number: Int,
        public val questions: Int,
        public val backends: Set<Backend>,
        public val kept: Set<Backend>,
        public val ttlSeconds: Long?,
        public val nextMillis: Long,
        public val trouble: String?,
    ) : DnsNotice

    /** The collection ended, and with it all questions under way. */
    public data object Ended : DnsNotice
}
