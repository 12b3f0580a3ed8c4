package dev.carom.pool

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The numbers of a [ConnectionSet]. Checked when constructed: a value out of bounds is an [IllegalArgumentException]
 * with the value and the bound. From Java: `SetPolicyBuilder`.
 *
 * @property target to how many backends to be connected at once. 1..[maximum]; by default to all of the best priority
 *   that is up.
 * @property maximum most connections that are open or being opened at once, those to backends that are down and are
 *   tried again included. At least [target]. Exceeded by one while a connection is being swapped for another or a
 *   better backend is tried; draining connections are not counted, [drainTimeout] bounds those.
 * @property connectTimeout longest [Connector.connect]. Positive and finite.
 * @property closeTimeout longest [Connector.close]. Positive and finite.
 * @property checkInterval how often a connection is checked by [Connector.isValid]. At least 1 ms; [Duration.INFINITE]
 *   never checks.
 * @property checkTimeout longest [Connector.isValid]. Positive and finite.
 * @property checkLeased whether connections are checked while users hold leases of them. If not, a check waits until
 *   nobody does, and leases wait until the check ends. Set it for protocols in which a check can run beside other work.
 * @property drainTimeout how long a connection that left the set stays open for the users who still hold a lease of it.
 *   Not negative, finite.
 * @property replaceWithin how long a backend that is no longer listed may keep its connection while those that replace
 *   it are not up. Not negative, finite. The last connection that works is kept beyond it.
 * @property leaseTimeout longest wait of [ConnectionSet.lease] and [ConnectionSet.awaitReady]. Positive;
 *   [Duration.INFINITE] waits for ever.
 * @property decoherenceInterval how often one backend, chosen at random, gets another place in this set's order of
 *   preference, so that clients which were started together do not stay on the same few backends. Matters only if
 *   [target] is less than the number of backends. At least 10 ms; [Duration.INFINITE] never.
 * @property backoff how long to wait after failures.
 * @property noticeBuffer notices kept for a slow collector of [ConnectionSet.notices]. 1..65536.
 */
public class SetPolicy(
    public val target: Int = Int.MAX_VALUE,
    public val maximum: Int = Int.MAX_VALUE,
    public val connectTimeout: Duration = 5.seconds,
    public val closeTimeout: Duration = 3.seconds,
    public val checkInterval: Duration = 30.seconds,
    public val checkTimeout: Duration = 3.seconds,
    public val checkLeased: Boolean = false,
    public val drainTimeout: Duration = 30.seconds,
    public val replaceWithin: Duration = 30.seconds,
    public val leaseTimeout: Duration = 30.seconds,
    public val decoherenceInterval: Duration = 60.seconds,
    public val backoff: BackoffPolicy = BackoffPolicy(),
    public val noticeBuffer: Int = 256,
) {
    init {
        within("maximum", maximum, 1..Int.MAX_VALUE)
        within("target", target, 1..maximum)
        bounded("connectTimeout", connectTimeout)
        bounded("closeTimeout", closeTimeout)
        atLeast("checkInterval", checkInterval, 1.milliseconds)
        bounded("checkTimeout", checkTimeout)
        bounded("drainTimeout", drainTimeout, Duration.ZERO)
        bounded("replaceWithin", replaceWithin, Duration.ZERO)
        require(leaseTimeout.isPositive()) { "leaseTimeout must be positive, was $leaseTimeout" }
        atLeast("decoherenceInterval", decoherenceInterval, 10.milliseconds)
        within("noticeBuffer", noticeBuffer, 1..MAX_NOTICES)
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "SetPolicy(target=$target, maximum=$maximum, connectTimeout=$connectTimeout, closeTimeout=$closeTimeout, " +
            "checkInterval=$checkInterval, checkTimeout=$checkTimeout, checkLeased=$checkLeased, " +
            "drainTimeout=$drainTimeout, replaceWithin=$replaceWithin, leaseTimeout=$leaseTimeout, " +
            "decoherenceInterval=$decoherenceInterval, backoff=$backoff, noticeBuffer=$noticeBuffer)"
}
