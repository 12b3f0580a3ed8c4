package dev.carom.gossip.resolver

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * How long a member that leaves goes on serving.
 *
 * @property notice how long the news that it drains may travel before it stops waiting for it: gossip reaches a cluster
 *   of a thousand within two seconds. 0 or more, finite.
 * @property grace how long, after that, what is under way may take. 0 or more, finite.
 */
public class DrainPolicy(public val notice: Duration = 2.seconds, public val grace: Duration = 30.seconds) {
    init {
        within("notice", notice)
        within("grace", grace)
    }

    private fun within(name: String, value: Duration) {
        require(!value.isNegative() && value.isFinite()) { "$name must be finite and at least 0, was $value" }
    }

    override fun toString(): String = "DrainPolicy(notice=$notice, grace=$grace)"
}
