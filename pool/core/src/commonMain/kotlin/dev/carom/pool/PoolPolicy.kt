package dev.carom.pool

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * The numbers of a pool. Checked when constructed: a value out of bounds is an [IllegalArgumentException] with the value
 * and the bound. From Java: `PoolPolicyBuilder`.
 *
 * @property spares idle connections to keep beside those on loan, over all backends. 0..[maxSlots]; 0 connects on demand
 *   only, so that each first claim waits for a connect.
 * @property maxSlots most connections at any instant, over all backends: opening, idle, lent, closing, and those of removed
 *   backends. 1..4032.
 * @property maxSlotsPerBackend most connections to one backend. 1 or more; above [maxSlots] it means [maxSlots].
 * @property claimTimeout longest wait of one claim: queueing, preparation and retries. Positive; [Duration.INFINITE] waits
 *   for ever. Keep it above [connectTimeout], or a claim gives up before a slow backend does.
 * @property connectTimeout longest [Connector.connect]. Positive and finite.
 * @property acquireTimeout longest [Connector.onAcquire]. Positive and finite; the claim's deadline also bounds it.
 * @property checkTimeout longest [Connector.isValid]. Positive and finite.
 * @property recycleTimeout longest [Connector.onRecycle]. Positive and finite.
 * @property closeTimeout longest [Connector.close]. Positive and finite.
 * @property connectParallelism most connections opening at once to one backend. 1 or more. After failures it starts at one
 *   and doubles with each success.
 * @property healthInterval how often an idle connection is checked; checks are spread over the interval. At least 1 ms;
 *   [Duration.INFINITE] never checks.
 * @property healthReserve idle connections that health checks leave alone, so that a claim finds one. 0..[maxSlots]. With 1,
 *   the last idle connection is never checked; a pool of one connection that wants checks sets 0.
 * @property backoff how long to wait after failures.
 * @property maxLifetime age at which an idle connection is replaced, and a lent one when it comes back. At least 1 s;
 *   [Duration.INFINITE] never.
 * @property lifetimeJitter the part of [maxLifetime] that is drawn at random for each connection and taken off, so that
 *   connections opened together do not end together. 0.1..1.0.
 * @property rebalanceInterval longest time between two fittings of slots to demand; most happen at once, on events. At least
 *   10 ms and finite.
 * @property shrinkInterval time between two steps of shrinking; each gives up a tenth of what is too many, at least one.
 *   At least 10 ms and finite.
 * @property maxWaiters most claims in the queue; another is refused with [PoolException.Shed]. 0 or more.
 * @property queue what happens to a claim for which no connection is free.
 * @property reserved connections kept for claims of the reserved lane ([ClaimOptions.reserved]), beside the spares.
 *   0..[maxSlots] − 1.
 * @property ceiling most that [Pool.limit] can raise [maxSlots] to. [maxSlots]..4032; by default [maxSlots].
 * @property connectRate most connects begun per second, over all backends, with a burst of as many. Above 0; infinite: no
 *   limit.
 * @property authBackoff how long to wait after a backend did not accept the credentials ([Fault.Authentication]): long, or
 *   the account is locked.
 * @property idleTimeout time without a claim after which a connection is replaced or, if it is not needed, closed. At least
 *   1 s; [Duration.INFINITE] never. Keep it below what servers and firewalls in between allow.
 * @property drainTimeout longest a lent connection of a removed or drained backend is left to its holder; then it is closed
 *   under them. At least 10 ms; [Duration.INFINITE] for ever.
 * @property retention what is kept of backends that are no longer listed.
 * @property roleInterval how often [Connector.probeRole] is asked of one idle connection of each backend. At least 10 ms,
 *   finite. Matters only to connectors that have it.
 * @property lease what to do about claims that are held.
 * @property outlier when a backend that fails its callers is left out.
 * @property placement which backends get connections and claims.
 * @property noticeBuffer notices kept for a slow collector of [Pool.notices]. 1..65536.
 */
public class PoolPolicy(
    public val spares: Int = 8,
    public val maxSlots: Int = 16,
    public val maxSlotsPerBackend: Int = Int.MAX_VALUE,
    public val claimTimeout: Duration = 30.seconds,
    public val connectTimeout: Duration = 5.seconds,
    public val acquireTimeout: Duration = 3.seconds,
    public val checkTimeout: Duration = 3.seconds,
    public val recycleTimeout: Duration = 3.seconds,
    public val closeTimeout: Duration = 3.seconds,
    public val connectParallelism: Int = 4,
    public val healthInterval: Duration = 30.seconds,
    public val healthReserve: Int = 1,
    public val backoff: BackoffPolicy = BackoffPolicy(),
    public val maxLifetime: Duration = 30.minutes,
    public val lifetimeJitter: Double = 0.2,
    public val rebalanceInterval: Duration = 60.seconds,
    public val shrinkInterval: Duration = 5.seconds,
    public val maxWaiters: Int = 65_536,
    public val queue: QueuePolicy = QueuePolicy.Fifo,
    public val reserved: Int = 0,
    public val ceiling: Int = maxSlots,
    public val connectRate: Double = Double.POSITIVE_INFINITY,
    public val authBackoff: BackoffPolicy = BackoffPolicy(start = 30.seconds, max = 10.minutes, memory = 20.minutes),
    public val idleTimeout: Duration = Duration.INFINITE,
    public val drainTimeout: Duration = Duration.INFINITE,
    public val retention: Retention = Retention.None,
    public val roleInterval: Duration = 1.seconds,
    public val lease: LeasePolicy = LeasePolicy(),
    public val outlier: OutlierPolicy = OutlierPolicy(),
    public val placement: PlacementPolicy = PlacementPolicy(),
    public val noticeBuffer: Int = 256,
) {
    init {
        within("maxSlots", maxSlots, 1..MAX_SLOTS)
        within("spares", spares, 0..maxSlots)
        within("maxSlotsPerBackend", maxSlotsPerBackend, 1..Int.MAX_VALUE)
        require(claimTimeout.isPositive()) { "claimTimeout must be positive, was $claimTimeout" }
        bounded("connectTimeout", connectTimeout)
        bounded("acquireTimeout", acquireTimeout)
        bounded("checkTimeout", checkTimeout)
        bounded("recycleTimeout", recycleTimeout)
        bounded("closeTimeout", closeTimeout)
        within("connectParallelism", connectParallelism, 1..Int.MAX_VALUE)
        atLeast("healthInterval", healthInterval, 1.milliseconds)
        within("healthReserve", healthReserve, 0..maxSlots)
        atLeast("maxLifetime", maxLifetime, 1.seconds)
        require(lifetimeJitter in MIN_JITTER..1.0) { "lifetimeJitter must be in 0.1..1.0, was $lifetimeJitter" }
        bounded("rebalanceInterval", rebalanceInterval, 10.milliseconds)
        bounded("shrinkInterval", shrinkInterval, 10.milliseconds)
        within("maxWaiters", maxWaiters, 0..Int.MAX_VALUE)
        within("reserved", reserved, 0 until maxSlots)
        within("ceiling", ceiling, maxSlots..MAX_SLOTS)
        require(connectRate > 0) { "connectRate must be above 0, was $connectRate" }
        atLeast("idleTimeout", idleTimeout, 1.seconds)
        atLeast("drainTimeout", drainTimeout, 10.milliseconds)
        bounded("roleInterval", roleInterval, 10.milliseconds)
        within("noticeBuffer", noticeBuffer, 1..MAX_NOTICES)
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "PoolPolicy(spares=$spares, maxSlots=$maxSlots, maxSlotsPerBackend=$maxSlotsPerBackend, " +
            "claimTimeout=$claimTimeout, connectTimeout=$connectTimeout, acquireTimeout=$acquireTimeout, " +
            "checkTimeout=$checkTimeout, recycleTimeout=$recycleTimeout, closeTimeout=$closeTimeout, " +
            "connectParallelism=$connectParallelism, healthInterval=$healthInterval, healthReserve=$healthReserve, " +
            "backoff=$backoff, maxLifetime=$maxLifetime, lifetimeJitter=$lifetimeJitter, " +
            "rebalanceInterval=$rebalanceInterval, shrinkInterval=$shrinkInterval, maxWaiters=$maxWaiters, " +
            "queue=$queue, reserved=$reserved, ceiling=$ceiling, connectRate=$connectRate, " +
            "authBackoff=$authBackoff, idleTimeout=$idleTimeout, drainTimeout=$drainTimeout, retention=$retention, " +
            "roleInterval=$roleInterval, lease=$lease, outlier=$outlier, placement=$placement, " +
            "noticeBuffer=$noticeBuffer)"

    private companion object {
        const val MAX_SLOTS = 4_032
        const val MIN_JITTER = 0.1
    }
}

/**
 * How long a backend is left alone after failures: [start] · 2ⁿ up to [max], of which the part [jitter] is drawn at random,
 * at the cap too, so that clients that failed together do not come back together.
 *
 * A success does not wipe the memory: a backend that accepts and then fails again within [memory] of its last failure
 * goes on where it was.
 *
 * @property start the wait after the first failure. At least 1 ms.
 * @property max the longest wait. At least [start], finite.
 * @property jitter 0.1..1.0: a wait lies between (1 − jitter) and 1 times the nominal one.
 * @property memory time without a failure after which the next one counts as the first. At least [max]; finite.
 */
public class BackoffPolicy(
    public val start: Duration = 20.milliseconds,
    public val max: Duration = 30.seconds,
    public val jitter: Double = 0.5,
    public val memory: Duration = 60.seconds,
) {
    init {
        atLeast("backoff.start", start, 1.milliseconds)
        bounded("backoff.max", max, start)
        require(jitter in MIN_JITTER..1.0) { "backoff.jitter must be in 0.1..1.0, was $jitter" }
        bounded("backoff.memory", memory, max)
    }

    override fun toString(): String = "BackoffPolicy(start=$start, max=$max, jitter=$jitter, memory=$memory)"

    private companion object {
        const val MIN_JITTER = 0.1
    }
}

internal const val MAX_NOTICES = 65_536

internal fun within(name: String, value: Int, bounds: IntRange) {
    require(value in bounds) {
        val bound = if (bounds.last == Int.MAX_VALUE) "at least ${bounds.first}" else "in $bounds"
        "$name must be $bound, was $value"
    }
}

internal fun atLeast(name: String, value: Duration, least: Duration) {
    require(value >= least) { "$name must be at least $least, was $value" }
}

internal fun bounded(name: String, value: Duration, least: Duration = 1.milliseconds) {
    atLeast(name, value, least)
    require(value.isFinite()) { "$name must be finite, was $value" }
}
