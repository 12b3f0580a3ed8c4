package dev.carom.gossip.resolver

import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes

/**
 * Which offers of which members a [GossipResolver] lists. Checked when constructed: a value out of bounds is an
 * [IllegalArgumentException] with the value and the bound. From Java: `GossipResolverBuilder`.
 *
 * @property role only offers of this role. Null: all.
 * @property zone only offers of this zone. Null: all, and each backend's metadata says `zone`, so that a pool may prefer
 *   its own ([dev.carom.pool.PlacementPolicy.zone]).
 * @property suspectWeight per cent of its weight that a suspect keeps, at least 1 of it. 0..100; 0: it is not listed. 100,
 *   the default, lists it as it is: most suspicions are refuted within seconds, and the pool's own checks see a dead
 *   backend sooner. To the pool a backend with another weight is another backend: it opens new connections to it and
 *   lets go of the old ones when they come back, and again when the suspicion is over.
 * @property keepWhenAlone how long the last backends stay listed when no active member is known at all: it is likelier
 *   that this node was cut off than that all others died. 0 or more; [Duration.INFINITE] keeps them for ever. Keep it
 *   above the time in which a partition is expected to heal.
 */
public class GossipResolverPolicy(
    public val role: String? = null,
    public val zone: String? = null,
    public val suspectWeight: Int = 100,
    public val keepWhenAlone: Duration = 5.minutes,
) {
    init {
        require(suspectWeight in 0..100) { "suspectWeight must be in 0..100, was $suspectWeight" }
        require(!keepWhenAlone.isNegative()) { "keepWhenAlone must be at least 0, was $keepWhenAlone" }
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "GossipResolverPolicy(role=$role, zone=$zone, suspectWeight=$suspectWeight, keepWhenAlone=$keepWhenAlone)"
}
