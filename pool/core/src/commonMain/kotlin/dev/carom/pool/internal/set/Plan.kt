package dev.carom.pool.internal.set

import kotlin.time.Duration

/**
 * To whom a set wants to be connected.
 *
 * @property chosen those it relies on: not down, of one priority, at most the target. In order of preference.
 * @property probes those that are down and would be chosen otherwise: to be tried again, the one that waits longest
 *   first.
 * @property extras connections it would not choose.
 * @property goal how many connections there would be if all were up.
 */
internal class Plan(
    val chosen: List<Link>,
    val probes: List<Link>,
    private val extras: List<Link>,
    private val goal: Int,
    private val order: Comparator<Link>,
) {
    private val up = chosen.count { it.isLive }

    val hasExtras: Boolean get() = extras.isNotEmpty()

    private val wanted = HashSet<Link>(chosen).apply { addAll(probes) }

    fun chooses(link: Link): Boolean = link in wanted && !link.down

    fun wants(link: Link): Boolean = link in wanted

    /**
     * Extras that may go now: as many as there are more than enough. While nothing chosen is up, all stay; one by one
     * they make place for those that come up; none waits for a listed backend that is down, except the unlisted, whose
     * time is limited anyway.
     */
    fun spare(): List<Link> {
        if (up == 0) return emptyList()
        val (listed, unlisted) = extras.partition { it.listed }
        val kept = listed.sortedWith(order).take(chosen.size - up)
        val room = (goal - up - kept.size).coerceAtLeast(0)
        val awaited = (chosen + probes).filter { !it.isLive }.mapTo(mutableSetOf()) { it.backend.name }
        return extras - kept.toSet() - unlisted.sortedBy { it.backend.name !in awaited }.take(room).toSet()
    }

    /** Unlisted extras whose time is up. */
    fun overdue(now: Duration, replaceWithin: Duration): List<Link> =
        extras.filter { link -> link.unlistedAt?.let { now >= it + replaceWithin } ?: false }

    companion object {
        fun of(links: Collection<Link>, target: Int, order: Comparator<Link>): Plan {
            val ordered = links.filter { it.listed }.sortedWith(order)
            val priority = ordered.firstOrNull { !it.down }?.backend?.priority
            val pool = if (priority == null) ordered else ordered.filter { it.backend.priority <= priority }
            val chosen = pool.filter { !it.down }.take(target)
            val better = if (chosen.size < target) pool else pool.subList(0, pool.indexOf(chosen.last()))
            val probes = better.filter { it.down }.sortedBy { it.backoff.notBefore }
            val extras = chosen.toSet().let { links.filter { link -> link.isLive && link !in it } }
            return Plan(chosen, probes, extras, minOf(target, pool.size), order)
        }
    }
}
