package dev.carom.pool.internal

import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import kotlin.time.Duration

/** Fits the numbers of slots to demand: which priority is in use, how many slots each backend gets, which to give up. */
internal class Allotment(private val policy: PoolPolicy, private val lending: Lending, private val book: SlotBook) {
    private val demand = Demand(policy.shrinkInterval)
    private var periodic: Duration = policy.rebalanceInterval
    private var priority: Int? = null
    private var room = policy.maxSlots

    /** Connections that callers wait to be open. */
    val awaited = ArrayList<Int>()

    /** Slots aimed at, over all listed backends. */
    var total = 0
        private set

    /** Whether more demand could lead to more slots. */
    var mayGrow = true
        private set
    val due: Boolean get() = nextDeadline <= book.now
    val nextDeadline: Duration get() = demand.nextStep?.let { minOf(it, periodic) } ?: periodic

    fun rebalance(reason: String) {
        periodic = book.now + policy.rebalanceInterval
        choosePriority(reason)
        val listed = book.sets.values.filter { it.listed }.sortedWith(compareBy({ it.backend.priority }, { it.order }))
        room = policy.maxSlots - book.sets.values.filter { !it.listed }.sumOf { it.slots.size }
        val target = demand.update(wanted(listed), book.now)
        val claimants = order(listed)
        val slots = balance(
            claimants = claimants.map { (set, share) -> claimant(set, share, listed) },
            target = target.coerceAtMost(room),
            room = room,
            perBackend = policy.maxSlotsPerBackend,
            everyBackend = policy.spares > 0,
        )
        claimants.forEachIndexed { i, (set, _) -> set.wanted = slots[i] }
        mayGrow = slots.sum() < room && claimants.any { (set, _) -> set.wanted < policy.maxSlotsPerBackend }
        if (slots.sum() != total) {
            total = slots.sum()
            book.tell(PoolNotice.Rebalanced(total, policy.maxSlots, reason))
        }
        // Shrink before growing: otherwise maxSlots is exceeded for one step.
        claimants.forEach { (set, _) -> shrink(set) }
        claimants.forEach { (set, _) -> grow(set, reason) }
        connectDue()
    }

    /** Notes a peak of demand between two fittings. */
    fun observe() {
        demand.observe(wanted(book.sets.values.filter { it.listed }))
    }

    private fun wanted(listed: List<SlotSet>): Int {
        val claims = listed.sumOf { it.lent(lending) } + lending.waiting
        return maxOf(claims + policy.spares, awaited.maxOrNull() ?: 0).coerceAtMost(room)
    }

    /** Starts the slots whose time, and turn, has come. */
    fun connectDue() {
        for (set in book.sets.values) {
            if (!set.listed || set.backoff.notBefore > book.now) continue
            for (slot in set.slots) {
                if (!set.mayConnect(policy.connectParallelism, book.now)) break
                if (slot.state == SlotState.BackingOff) book.connect(slot)
            }
        }
    }

    /** The best priority that is up or has not been tried; if all are down, as it was, or the best. */
    private fun choosePriority(reason: String) {
        val listed = book.sets.values.filter { it.listed }
        val best = listed.filter { it.reach != Reach.Down }.minOfOrNull { it.backend.priority }
            ?: priority?.takeIf { p -> listed.any { it.backend.priority == p } }
            ?: listed.minOfOrNull { it.backend.priority }
            ?: return
        val from = priority
        if (from != best) {
            priority = best
            book.tell(PoolNotice.PriorityChanged(from, best, reason))
        }
        for (set in listed) activate(set, set.backend.priority == best)
    }

    private fun activate(set: SlotSet, active: Boolean) {
        if (set.active == active) return
        set.active = active
        for (slot in set.slots) {
            val state = slot.state as? SlotState.Ready ?: continue
            if (active) {
                lending.keep(slot.index)
            } else if (lending.recall(slot.index)) {
                slot.state = SlotState.Standby(state.life)
            }
        }
    }

    private fun order(listed: List<SlotSet>): List<Pair<SlotSet, Share>> {
        val anyUp = listed.any { it.active && it.reach == Reach.Up }
        val shares = listed.map { set ->
            set to when (set.reach) {
                Reach.Up -> if (set.active) Share.Serving else Share.Standby
                Reach.Unknown -> if (set.active && !anyUp) Share.Serving else Share.Probe
                Reach.Down -> Share.Probe
            }
        }
        // Probes: the untried first, then whoever's turn comes soonest; a failed probe goes to the back.
        return shares.sortedWith(
            compareBy({ it.second }, {
                if (it.first.reach ==
                    Reach.Down
                ) {
                    it.first.backoff.notBefore
                } else {
                    Duration.ZERO
                }
            }),
        )
    }

    private fun claimant(set: SlotSet, share: Share, listed: List<SlotSet>): Claimant {
        val weighted = listed.any { it.active && it.backend.weight > 0 }
        val weight = if (weighted) maxOf(1, set.backend.weight * FINE) else 1
        return Claimant(share, set.held(lending), weight, down = set.reach == Reach.Down)
    }

    private fun shrink(set: SlotSet) {
        var excess = set.slots.size - set.wanted
        if (excess <= 0) return
        // What costs nothing first: slots without a connection, then connects under way, then idle ones, the oldest first.
        val candidates = set.slots.filter { it.state == SlotState.BackingOff } +
            set.slots.filter { it.state == SlotState.Connecting } +
            set.slots.filter {
                it.state is SlotState.Standby || it.state is SlotState.Ready
            }.sortedBy { it.state.life?.since }
        for (slot in candidates) {
            if (excess == 0) break
            if (slot.state is SlotState.Ready) {
                if (!lending.isFree(slot.index)) continue
                if (!lending.recall(slot.index)) {
                    lending.keep(slot.index)
                    continue
                }
                slot.state = SlotState.Standby(checkNotNull(slot.state.life))
            }
            book.end(slot, "more than wanted")
            excess--
        }
        if (!set.online && set.reach == Reach.Up) set.reach = Reach.Unknown
    }

    private fun grow(set: SlotSet, reason: String) {
        while (set.slots.size < set.wanted) book.open(set, reason) ?: return
    }

    private companion object {
        /** A backend of weight 0 beside others counts a hundredth of one of weight 1. */
        const val FINE = 100
    }
}
