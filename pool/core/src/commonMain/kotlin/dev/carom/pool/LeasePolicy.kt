package dev.carom.pool

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * What the pool does about claims that are held. From Java: `LeasePolicyBuilder`.
 *
 * @property warnAfter age at which a claim is told as [PoolNotice.ClaimStalled], once: a leak, or a peer that has gone
 *   silent. [Claim.renew] starts the age anew. At least 10 ms; [Duration.INFINITE] never.
 * @property abortAfter age at which a claim is ended under its holder and its connection closed. At least [warnAfter] if
 *   that is finite; [Duration.INFINITE] never.
 * @property sites of how many claims one records where it was made, for reports: 0 none, 1 each, 100 one in a hundred. It
 *   costs a stack trace, about a microsecond for each ten frames.
 * @property nested what to do about a claim inside another claim of the same pool.
 */
public class LeasePolicy(
    public val warnAfter: Duration = Duration.INFINITE,
    public val abortAfter: Duration = Duration.INFINITE,
    public val sites: Int = 0,
    public val nested: NestedClaims = NestedClaims.Warn,
) {
    init {
        atLeast("lease.warnAfter", warnAfter, 10.milliseconds)
        atLeast("lease.abortAfter", abortAfter, if (warnAfter.isFinite()) warnAfter else 10.milliseconds)
        within("lease.sites", sites, 0..Int.MAX_VALUE)
    }

    override fun toString(): String =
        "LeasePolicy(warnAfter=$warnAfter, abortAfter=$abortAfter, sites=$sites, nested=$nested)"
}

/**
 * What to do about a claim made while the same coroutine, one it is a child of, or the same blocking thread holds another
 * of the same pool: enough of these at once wait for each other for ever.
 *
 * The claim in hand travels with the coroutine's job: it is seen through `withContext`, `async`, `coroutineScope` and
 * flows, and not from a scope that is no child of the holder's.
 */
public enum class NestedClaims {
    /** Nothing. */
    Allow,

    /** [PoolNotice.ClaimNested] when the inner claim has to wait. Costs nothing while connections are free. */
    Warn,

    /** [PoolException.NestedClaim], always, with both places named. For tests: it examines, and records, every claim. */
    Error,
}
