package dev.carom.pool

import kotlin.time.Duration

/**
 * What one claim asks for beyond the policy. From Java: `ClaimOptionsBuilder`.
 *
 * @property holder who claims, for reports; null: the coroutine's name.
 * @property tags what else reports should say of the holder: a request id, a tenant. Never secrets: they are shown.
 * @property timeout longest wait, preparation and retries included; null: [PoolPolicy.claimTimeout]. Positive.
 * @property reserved whether the claim goes by the reserved lane: ahead of all others, also while the pool is paused or
 *   sheds load, and with [PoolPolicy.reserved] connections of its own. For health checks and administration.
 * @property role the role the backend must have, as [Connector.probeRole] says; null: any.
 * @property accepts which backends will do; null: all. Called often, from any thread, sometimes while others wait: it
 *   must be quick, have no effects and never throw.
 * @property allowNested whether a claim inside another claim of the same pool is meant: [LeasePolicy.nested] says nothing.
 */
public class ClaimOptions(
    public val holder: String? = null,
    public val tags: Map<String, String> = emptyMap(),
    public val timeout: Duration? = null,
    public val reserved: Boolean = false,
    public val role: Role? = null,
    public val accepts: ((Backend) -> Boolean)? = null,
    public val allowNested: Boolean = false,
) {
    init {
        require(timeout == null || timeout.isPositive()) { "timeout must be positive, was $timeout" }
    }

    override fun toString(): String =
        "ClaimOptions(holder=$holder, tags=$tags, timeout=$timeout, reserved=$reserved, role=$role, " +
            "accepts=${if (accepts == null) "all" else "some"}, allowNested=$allowNested)"
}

/** What a backend of a replicated service is for. Learnt from [Connector.probeRole], unlearnt by [Fault.Demoted]. */
public enum class Role {
    /** Not known, or the service has no roles. */
    Unknown,

    /** Takes reads and writes. */
    Primary,

    /** Takes reads. */
    Replica,
}

/** What a caller says of the backend it has just used. */
public enum class ClaimOutcome {
    /** It did what it should. */
    Success,

    /** It answered, but badly: too slow, partly. Counts as half a failure. */
    Degraded,

    /** It failed to do what it should. */
    Failure,
}

/** What a failure says about the backend. */
public enum class Fault {
    /** Nothing: the caller's own mistake, such as a syntax error. */
    None,

    /** The connection or the backend is broken. */
    Broken,

    /** The backend works, but is not, or no longer, the primary. */
    Demoted,

    /** The backend did not accept the credentials: trying again soon would only lock the account. */
    Authentication,
}
