package dev.carom.pool.internal.set

import dev.carom.pool.SetPolicy
import kotlin.random.Random
import kotlin.time.Duration

/** Health checks, and new places in the order of preference. */
internal class SetUpkeep(
    private val policy: SetPolicy,
    private val preference: Preference,
    private val links: Collection<Link>,
    private val leases: (Long) -> Int,
    private val random: Random,
) {
    var nextShuffle = shuffleTime()
        private set

    val mayShuffle: Boolean
        get() = preference == Preference.Spread && policy.target < links.count { it.listed }

    /** Anywhere in the interval, so that connections opened together are not checked together. */
    fun firstCheck(now: Duration): Duration = now + policy.checkInterval * random.nextDouble(FIRST, 1.0)

    fun nextCheck(now: Duration): Duration = now + policy.checkInterval * random.nextDouble(1 - DRIFT, 1 + DRIFT)

    /** Connections whose check begins now. */
    fun dueChecks(now: Duration): List<Long> = links.mapNotNull { link ->
        val live = link.live?.takeIf { !it.checking && it.nextCheck <= now } ?: return@mapNotNull null
        if (!policy.checkLeased && leases(live.slot) > 0) {
            live.nextCheck = now + policy.checkInterval * POSTPONED
            null
        } else {
            live.checking = true
            live.slot
        }
    }

    /** Drawing one place anew at a time leaves every order as likely as it was, and changes little. */
    fun shuffle(now: Duration) {
        if (now < nextShuffle) return
        nextShuffle = now + shuffleTime()
        if (!mayShuffle) return
        val link = links.filter { it.listed }.random(random)
        link.rank = drawRank(link.backend.weight, random)
    }

    private fun shuffleTime(): Duration = policy.decoherenceInterval * random.nextDouble(1 - DRIFT, 1 + DRIFT)

    private companion object {
        const val FIRST = 0.05
        const val DRIFT = 0.1
        const val POSTPONED = 0.125
    }
}
