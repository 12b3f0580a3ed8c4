package dev.carom.pool

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Which backends get connections and claims. From Java: `PlacementPolicyBuilder`.
 *
 * Backends form tiers: by [Backend.priority], and within one priority those of the caller's [zone] before the others. The
 * best tier gets everything. When fewer than [spillBelow] of its backends work, the next tier gets a part: with a
 * threshold of one half and a third of the backends left, the tier keeps two thirds of the connections and one third
 * spills.
 *
 * @property zone where the caller is; a backend is there if its [Backend.metadata] has this value for `zone`. Null: zones
 *   do not matter.
 * @property spillBelow share of working backends in a tier below which the next one helps, 0..1. 0: only when none works
 *   (RFC 2782's rule for priorities).
 * @property hold least time between two changes of the tiers in use, unless none of those in use works. Finite, not
 *   negative.
 * @property subset most backends of a tier to use at once, chosen at random by each pool, so that hundreds of backends do
 *   not mean hundreds of connections. Down ones do not count. 1 or more.
 * @property decoherence how often the last of the preference list moves to a random place in it, so that callers do not
 *   stay piled on the same backends after restarts (cueball). Matters only with [subset]. At least 1 s;
 *   [Duration.INFINITE] never.
 * @property choice which backend a claim goes to when several have a connection free.
 * @property slowStart time over which a backend that has come up grows from a tenth of its share to all of it. Finite;
 *   zero: at once.
 */
public class PlacementPolicy(
    public val zone: String? = null,
    public val spillBelow: Double = 0.0,
    public val hold: Duration = 10.seconds,
    public val subset: Int = Int.MAX_VALUE,
    public val decoherence: Duration = 60.seconds,
    public val choice: BackendChoice = BackendChoice.LeastLent,
    public val slowStart: Duration = Duration.ZERO,
) {
    init {
        require(spillBelow in 0.0..1.0) { "placement.spillBelow must be in 0.0..1.0, was $spillBelow" }
        bounded("placement.hold", hold, Duration.ZERO)
        within("placement.subset", subset, 1..Int.MAX_VALUE)
        atLeast("placement.decoherence", decoherence, 1.seconds)
        bounded("placement.slowStart", slowStart, Duration.ZERO)
    }

    override fun toString(): String =
        "PlacementPolicy(zone=$zone, spillBelow=$spillBelow, hold=$hold, subset=$subset, decoherence=$decoherence, " +
            "choice=$choice, slowStart=$slowStart)"
}

/** Which backend a claim goes to. */
public enum class BackendChoice {
    /** The one with the smallest share of its connections on loan; with more than eight backends, of two. */
    LeastLent,

    /**
     * Of two, the one with the lower product of claims in hand and latency, as [Claim.report] says it (power of two
     * choices on an exponentially weighted moving average).
     */
    LeastLatency,
}

/** What is kept of a backend that the resolver no longer lists. */
public enum class Retention {
    /** Nothing: idle connections close at once, lent ones when they come back. */
    None,

    /** Everything, until it is down: for resolvers whose answers are a part of what exists (DNS that tells 8 of 50). */
    WhileUp,

    /** Everything, for good. */
    Forever,
}
