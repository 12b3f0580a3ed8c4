package dev.carom.gossip.resolver

import kotlin.jvm.JvmOverloads

/**
 * A service that a member offers, as the others may dial it. A *value*. Goes around in the member's metadata ([Offers]).
 * From Java: `OfferBuilder`.
 *
 * @property role which service it is: what users of a pool ask for. Not empty.
 * @property port 1..65535.
 * @property host an IP address literal or a name; null: the address the member gossips from.
 * @property zone where it runs; null: nowhere in particular.
 * @property priority lower is better, 0..65535 (as [dev.carom.pool.Backend.priority]).
 * @property weight share among equals of one priority, 0..65535 (as [dev.carom.pool.Backend.weight]).
 * @property draining finish what you have, begin nothing new: pools take no further connection to it.
 * @property tags whatever else is worth saying. Part of the backend's identity: what changes often does not belong here.
 */
public data class Offer
@JvmOverloads
constructor(
    public val role: String,
    public val port: Int,
    public val host: String? = null,
    public val zone: String? = null,
    public val priority: Int = 0,
    public val weight: Int = 1,
    public val draining: Boolean = false,
    public val tags: Map<String, String> = emptyMap(),
) {
    init {
        require(role.isNotEmpty()) { "an offer's role must not be empty (port $port)" }
        require(host == null || host.isNotEmpty()) { "host of offer \"$role\" must not be empty" }
        require(port in 1..MOST) { "port of offer \"$role\" must be in 1..65535, was $port" }
        require(priority in 0..MOST) { "priority of offer \"$role\" must be in 0..65535, was $priority" }
        require(weight in 0..MOST) { "weight of offer \"$role\" must be in 0..65535, was $weight" }
    }

    internal companion object {
        const val MOST = 65_535
    }
}
