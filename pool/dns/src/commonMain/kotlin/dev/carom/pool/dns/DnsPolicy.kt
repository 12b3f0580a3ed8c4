package dev.carom.pool.dns

import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * The numbers of a [DnsResolver]. Checked when constructed: a value out of bounds is an [IllegalArgumentException] with
 * the value and the bound. From Java: `DnsPolicyBuilder`.
 *
 * A *round* asks for what has expired: the service's SRV record, the addresses, or both. What is still fresh is used
 * as it is, so that a name is asked about once in its TTL.
 *
 * @property minInterval shortest time from the start of one round to the start of the next, whatever the TTLs (a TTL of
 *   0 included) and whatever fails. 10 ms..1 d.
 * @property maxInterval longest time between two rounds, whatever the TTLs. At least [minInterval], finite.
 * @property refreshAt the part of its TTL after which a record is asked for again. 0.1..1.0; at 1.0 when it expires.
 * @property jitter the part of a wait that is drawn at random, so that clients do not ask in step: added to the wait
 *   for a TTL, but at most 500 ms, and taken off the wait for a retry. 0.0..0.5.
 * @property retryStart wait after the first round that did not answer everything: failures, and negative answers not
 *   yet believed. Doubles up to [retryMax]. At least [minInterval], or the latter decides.
 * @property retryMax the longest such wait. At least [retryStart], at most [maxInterval].
 * @property serveStaleFor how long the last set, and each address in it, outlives its TTL while lookups fail (RFC 8767,
 *   section 5 suggests 1 to 3 days). Then the set is empty. 0 or more; [Duration.INFINITE] keeps it for ever.
 * @property negativesToBelieve how many rounds or answers in a row must say "no such name", "no such record" or
 *   "service absent" before it is believed. 1..1000. A failure in between starts the count anew.
 * @property roundTimeout longest round; what is unanswered then has failed. At least 10 ms, finite. Keep it above
 *   [serverTimeout] times the number of servers, or a slow first server hides the others.
 * @property serverTimeout longest wait for one server's answer to one question, including a repetition over TCP. At
 *   least 10 ms, finite.
 * @property attempts how often each server is asked one question before it has failed. 1..10.
 * @property maxTargets most SRV records followed in one round, best priority first. 1..4096.
 * @property parallelism most questions of one round under way at once. 1..256.
 * @property addresses which kinds of address are asked for.
 * @property removal when a backend goes that the answers lack.
 * @property maxKept most backends in force that the answers lack, under a [removal] that keeps any; those missing
 *   longest go first. 0..4096.
 */
public class DnsPolicy(
    public val minInterval: Duration = 1.seconds,
    public val maxInterval: Duration = 5.minutes,
    public val refreshAt: Double = 1.0,
    public val jitter: Double = 0.05,
    public val retryStart: Duration = 1.seconds,
    public val retryMax: Duration = 30.seconds,
    public val serveStaleFor: Duration = 1.days,
    public val negativesToBelieve: Int = 3,
    public val roundTimeout: Duration = 15.seconds,
    public val serverTimeout: Duration = 2.seconds,
    public val attempts: Int = 2,
    public val maxTargets: Int = 256,
    public val parallelism: Int = 8,
    public val addresses: DnsAddresses = DnsAddresses.BOTH,
    public val removal: RemovalPolicy = RemovalPolicy.Immediate,
    public val maxKept: Int = 256,
) {
    init {
        within("minInterval", minInterval, 10.milliseconds, 1.days)
        within("maxInterval", maxInterval, minInterval, FINITE)
        require(refreshAt in 0.1..1.0) { "refreshAt must be in 0.1..1.0, was $refreshAt" }
        require(jitter in 0.0..0.5) { "jitter must be in 0.0..0.5, was $jitter" }
        within("retryMax", retryMax, 10.milliseconds, maxInterval)
        within("retryStart", retryStart, 10.milliseconds, retryMax)
        within("serveStaleFor", serveStaleFor, Duration.ZERO, Duration.INFINITE)
        within("negativesToBelieve", negativesToBelieve, 1..1_000)
        within("roundTimeout", roundTimeout, 10.milliseconds, FINITE)
        within("serverTimeout", serverTimeout, 10.milliseconds, FINITE)
        within("attempts", attempts, 1..10)
        within("maxTargets", maxTargets, 1..4_096)
        within("parallelism", parallelism, 1..256)
        within("maxKept", maxKept, 0..4_096)
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "DnsPolicy(minInterval=$minInterval, maxInterval=$maxInterval, refreshAt=$refreshAt, jitter=$jitter, " +
            "retryStart=$retryStart, retryMax=$retryMax, serveStaleFor=$serveStaleFor, " +
            "negativesToBelieve=$negativesToBelieve, roundTimeout=$roundTimeout, serverTimeout=$serverTimeout, " +
            "attempts=$attempts, maxTargets=$maxTargets, parallelism=$parallelism, " +
            "addresses=$addresses, removal=$removal, maxKept=$maxKept)"

    private companion object {
        // a bound that every finite wait of sense respects, and that cannot overflow a clock
        val FINITE = 3_650.days

        fun within(name: String, value: Duration, least: Duration, most: Duration) {
            require(value in least..most) { "$name must be in $least..$most, was $value" }
        }

        fun within(name: String, value: Int, bounds: IntRange) {
            require(value in bounds) { "$name must be in $bounds, was $value" }
        }
    }
}

/** Which kinds of address a [DnsResolver] asks for and uses. */
public enum class DnsAddresses(internal val types: List<DnsType>) {
    /** A records only. */
    IPV4(listOf(DnsType.A)),

    /** AAAA records only. */
    IPV6(listOf(DnsType.AAAA)),

    /** Both; each address is a backend of its own. */
    BOTH(listOf(DnsType.A, DnsType.AAAA)),
}
