package dev.carom.pool.dns

import kotlin.jvm.JvmOverloads

/**
 * Asks one question of whatever servers it knows. The system's and dnsjava's way is `DnsjavaLookup`; a test's way is a
 * lambda.
 *
 * Called for several questions at once, from the coroutine that collects [DnsResolver.backends]. Cancelling must end
 * the question soon and quietly. A failure is a [DnsAnswer.Failed]; an exception is treated as one. Nothing is to be
 * cached: the resolver asks when it wants to know.
 */
public fun interface DnsLookup {
    /** One question, one answer, however many servers and packets it takes. Time limits are the lookup's own matter. */
    public suspend fun ask(question: DnsQuestion): DnsAnswer
}

/**
 * One question.
 *
 * @property name with a trailing dot absolute, else subject to the search list (RFC 1123, section 6.1.4.3).
 * @property type the type of record wanted.
 */
public data class DnsQuestion(public val name: String, public val type: DnsType) {
    /** `SRV _db._tcp.shop.test`. */
    override fun toString(): String = "$type $name"
}

/** The types of record a resolver asks for. */
public enum class DnsType {
    /** RFC 2782. */
    SRV,

    /** RFC 1035, section 3.4.1. */
    A,

    /** RFC 3596. */
    AAAA,
}

/** What became of a [DnsQuestion]. */
public sealed interface DnsAnswer {
    /**
     * Records of the type asked for, at the end of any CNAME chain. Not empty.
     *
     * @property records the answer; the TTL of each is the smallest on its way, aliases included.
     * @property additional addresses the server sent along unasked; only those of SRV targets are used.
     */
    public data class Records
    @JvmOverloads
    constructor(
        public val records: List<DnsRecord>,
        public val additional: List<DnsRecord> = emptyList(),
    ) : DnsAnswer {
        init {
            require(records.isNotEmpty()) { "an answer without records is a DnsAnswer.NoData" }
        }
    }

    /**
     * The name exists and has no such record (RFC 2308, section 2.2).
     *
     * @property ttlSeconds how long that may be believed (RFC 2308, section 5); 0 if not told.
     */
    public data class NoData(public val ttlSeconds: Long) : DnsAnswer

    /**
     * The name does not exist (RFC 2308, section 2.1).
     *
     * @property ttlSeconds how long that may be believed (RFC 2308, section 5); 0 if not told.
     */
    public data class NoName(public val ttlSeconds: Long) : DnsAnswer

    /** The servers do not know this type of question (RFC 1035, section 4.1.1, code 4). */
    public data object NotImplemented : DnsAnswer

    /**
     * No server gave an answer that could be used.
     *
     * @property reason which servers were tried and what each did, for people.
     */
    public data class Failed(public val reason: String) : DnsAnswer
}

/** One record of an answer. Names are absolute, in lower case, without the trailing dot. */
public sealed interface DnsRecord {
    /** The name the record belongs to. */
    public val name: String

    /** Seconds the record may be kept, 0..2147483647 (RFC 2181, section 8). */
    public val ttlSeconds: Long

    /**
     * An SRV record (RFC 2782).
     *
     * @property priority lower is better, 0..65535.
     * @property weight share among equals of one priority, 0..65535.
     * @property port 0..65535; a record with port 0 is not used.
     * @property target the host; the empty string (a single dot on the wire) means that the service is decidedly
     *   absent.
     */
    public data class Service(
        override val name: String,
        override val ttlSeconds: Long,
        public val priority: Int,
        public val weight: Int,
        public val port: Int,
        public val target: String,
    ) : DnsRecord

    /**
     * An A or AAAA record.
     *
     * @property type [DnsType.A] or [DnsType.AAAA].
     * @property address the IP address literal.
     */
    public data class Address(
        override val name: String,
        override val ttlSeconds: Long,
        public val type: DnsType,
        public val address: String,
    ) : DnsRecord
}
