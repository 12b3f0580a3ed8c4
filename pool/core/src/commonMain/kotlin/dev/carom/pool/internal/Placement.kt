package dev.carom.pool.internal

import dev.carom.pool.PlacementPolicy
import dev.carom.pool.PoolNotice
import kotlin.time.Duration

/** Which backends are in use, and how large a share of the connections each should have. */
internal class Placement(private val policy: PlacementPolicy, private val book: SlotBook) {
    /** By priority; within one, here before elsewhere. */
    private data class Tier(val priority: Int, val elsewhere: Boolean) : Comparable<Tier> {
        override fun compareTo(other: Tier): Int = compareValuesBy(this, other, { it.priority }, { it.elsewhere })
        override fun toString(): String = if (elsewhere) "priority $priority elsewhere" else "priority $priority"
    }

    /** Tiers in use, and their shares, which sum to 1. */
    private var inUse: Map<Tier, Double> = emptyMap()
    private var changedAt: Duration? = null
    private var nextShuffle: Duration = policy.decoherence
    private var best: Int? = null

    val nextDeadline: Duration?
        get() = listOfNotNull(
            nextShuffle.takeIf { it.isFinite() && policy.subset != Int.MAX_VALUE },
            heldUntil,
            // Ten steps of a slow start.
            if (book.sets.values.any { ramping(it) }) book.now + policy.slowStart / STEPS else null,
        ).minOrNull()

    /** When a change that had to wait may be made. */
    private var heldUntil: Duration? = null

    /** Decides who is active; [changed] is told of each set that starts or ceases to be. */
    fun place(reason: String, changed: (SlotSet) -> Unit) {
        shuffle()
        val enrolled = book.sets.values.filter { it.enrolled }
        val tiers = enrolled.groupBy(::tierOf)
        chooseTiers(tiers, reason)
        for ((tier, sets) in tiers) {
            val chosen = subset(sets)
            for (set in sets) {
                set.passedOver = when {
                    tier !in inUse -> "its tier ($tier) is not in use"
                    set !in chosen -> "not in the subset of ${policy.subset}"
                    else -> ""
                }
                set.chosen = set in chosen
                val active = set.passedOver.isEmpty() && set.ejectedUntil == null
                if (set.active != active) {
                    set.active = active
                    changed(set)
                }
            }
        }
    }

    /** What [set] is to [balance]. */
    fun share(set: SlotSet, anyUp: Boolean): Share = when {
        !set.chosen -> Share.Idle

        set.reach == Reach.Down -> Share.Probe

        !set.active -> Share.Standby

        // Without spares nothing is opened before it is needed.
        set.reach == Reach.Unknown && anyUp && book.spares > 0 -> Share.Probe

        else -> Share.Serving
    }

    /** Weights of all [serving] sets: within a tier as the backends say, between tiers as they share the load. */
    fun weights(serving: Collection<SlotSet>): Map<SlotSet, Double> {
        val weighted = serving.any { it.backend.weight > 0 }
        val raw = serving.associateWith { set ->
            (if (weighted) maxOf(1.0 / FINE, set.backend.weight.toDouble()) else 1.0) * ramp(set)
        }
        val sums = raw.entries.groupBy({ tierOf(it.key) }, { it.value }).mapValues { it.value.sum() }
        return raw.mapValues { (set, weight) ->
            val tier = tierOf(set)
            val share = inUse[tier] ?: 1.0
            weight / checkNotNull(sums[tier]) * share
        }
    }

    private fun tierOf(set: SlotSet) =
        Tier(set.backend.priority, policy.zone != null && set.backend.metadata["zone"] != policy.zone)

    private val SlotSet.works: Boolean get() = reach != Reach.Down && ejectedUntil == null

    private fun chooseTiers(tiers: Map<Tier, List<SlotSet>>, reason: String) {
        heldUntil = null
        val next = shares(tiers)
        if (next.isEmpty()) {
            inUse = emptyMap()
            return
        }
        val noneWorks = inUse.keys.none { tier -> tiers[tier].orEmpty().any { it.works } }
        val at = changedAt
        if (next.keys != inUse.keys && !noneWorks && at != null && book.now < at + policy.hold) {
            // Too soon: keep the tiers, as far as they still exist, in the proportions they had.
            val kept = inUse.filterKeys { it in tiers }
            val sum = kept.values.sum()
            inUse = if (sum > 0) kept.mapValues { it.value / sum } else next
            heldUntil = at + policy.hold
            return
        }
        if (next.keys != inUse.keys) {
            val first = inUse.isEmpty()
            // The first choice is no change.
            if (!first) changedAt = book.now
        }
        inUse = next
        tellBest(reason)
    }

    private fun tellBest(reason: String) {
        val now = inUse.keys.min().priority
        if (now == best) return
        book.tell(PoolNotice.PriorityChanged(best, now, reason))
        best = now
    }

    /** From the best tier on, each takes its share of what is left to place; the last that works takes the rest. */
    private fun shares(tiers: Map<Tier, List<SlotSet>>): Map<Tier, Double> {
        val able = tiers.keys.sorted().filter { tier -> tiers.getValue(tier).any { it.works } }
        if (able.isEmpty()) {
            val fallback = inUse.keys.filter { it in tiers }.minOrNull() ?: tiers.keys.minOrNull() ?: return emptyMap()
            return mapOf(fallback to 1.0)
        }
        val shares = LinkedHashMap<Tier, Double>()
        var rest = 1.0
        for (tier in able) {
            val sets = tiers.getValue(tier)
            val working = sets.count { it.works }.toDouble() / sets.size
            val part = if (working >= policy.spillBelow ||
                tier == able.last()
            ) {
                rest
            } else {
                rest * working / policy.spillBelow
            }
            shares[tier] = part
            rest -= part
            if (rest <= 0.0) break
        }
        return shares
    }

    private fun subset(sets: List<SlotSet>): Set<SlotSet> {
        if (sets.size <= policy.subset) return sets.toSet()
        val chosen = LinkedHashSet<SlotSet>()
        var working = 0
        for (set in sets.sortedBy { it.order }) {
            if (working == policy.subset) break
            chosen += set
            // One that is down is probed, and replaced by one further down the list.
            if (set.works) working++
        }
        return chosen
    }

    private fun shuffle() {
        if (policy.subset == Int.MAX_VALUE || book.now < nextShuffle) return
        nextShuffle = book.now + policy.decoherence
        book.sets.values.filter { it.enrolled }.maxByOrNull { it.order }?.order = book.random.nextDouble()
    }

    private fun ramping(set: SlotSet): Boolean = ramp(set) < 1.0

    private fun ramp(set: SlotSet): Double {
        val since = set.upSince ?: return 1.0
        if (policy.slowStart.inWholeNanoseconds == 0L) return 1.0
        return ((book.now - since) / policy.slowStart).coerceIn(1.0 / STEPS, 1.0)
    }

    private companion object {
        /** A backend of weight 0 beside others counts a hundredth of one of weight 1. */
        const val FINE = 100
        const val STEPS = 10
    }
}
