package dev.carom.pool.internal

import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import kotlin.time.Duration

internal const val YIELDS = "another backend needs its place"

/** Fits the numbers of slots to demand: how many each backend gets, which to give up, when to connect. */
internal class Allotment(private val policy: PoolPolicy, private val lending: Lending, private val book: SlotBook) {
    private val demand = Demand(policy.shrinkInterval)
    private val placement = Placement(policy.placement, book)
    private val pace = ConnectPace(policy.connectRate)
    private var periodic: Duration = policy.rebalanceInterval
    private var room = policy.maxSlots

    /** Connections that callers wait to be open. */
    val awaited = ArrayList<Int>()

    /** Slots aimed at, over all enrolled backends. */
    var total = 0
        private set

    /** Whether more demand could lead to more slots. */
    var mayGrow = true
        private set
    val due: Boolean get() = fitting <= book.now
    val nextDeadline: Duration get() = pace.nextDeadline?.let { minOf(it, fitting) } ?: fitting
    private val fitting: Duration
        get() = minOf(periodic, demand.nextStep ?: periodic, placement.nextDeadline ?: periodic)

    fun rebalance(reason: String) {
        periodic = book.now + policy.rebalanceInterval
        placement.place(reason, ::activated)
        val enrolled = book.sets.values.filter { it.enrolled }
            .sortedWith(compareBy({ it.backend.priority }, { it.order }))
        // What is closing is as good as gone here; only opening has to wait for it.
        room = maxOf(0, book.maxSlots - book.sets.values.filter { !it.enrolled }.sumOf { it.live })
        val target = demand.update(wanted(enrolled), book.now)
        val shares = order(enrolled)
        val weights = placement.weights(shares.filter { it.second == Share.Serving }.map { it.first })
        val claimants = shares.map { (set, share) -> claimant(set, share, weights[set] ?: 1.0) }
        val slots = allot(claimants, target)
        shares.forEachIndexed { i, (set, _) -> set.wanted = slots[i] }
        mayGrow = slots.sum() < room && shares.any { (set, _) -> set.wanted < policy.maxSlotsPerBackend }
        if (slots.sum() != total) {
            total = slots.sum()
            book.tell(PoolNotice.Rebalanced(total, book.maxSlots, reason))
        }
        // Shrink before growing: otherwise maxSlots is exceeded for one step.
        shares.forEach { (set, _) -> shrink(set) }
        makeRoom(shares.map { it.first }, claimants, target)
        shares.forEach { (set, _) -> grow(set, reason) }
        connectDue()
    }

    private fun allot(claimants: List<Claimant>, target: Int) = balance(
        claimants,
        target = target.coerceAtMost(room),
        room = room,
        perBackend = policy.maxSlotsPerBackend,
        everyBackend = book.spares > 0,
    )

    /**
     * Where loans hold the places that others should have, those of who has too many are all recalled, and so many of them as
     * come back first close ([givesWay]): under a load that never lets a connection rest a new backend would get none
     * otherwise, and of a few chosen beforehand each might be held for hours.
     */
    private fun makeRoom(sets: List<SlotSet>, claimants: List<Claimant>, target: Int) {
        val fair = allot(claimants.map { Claimant(it.share, held = 0, it.weight, it.down, it.fresh) }, target)
        sets.forEachIndexed { i, set -> set.fair = fair[i] }
        var moves = moves()
        for (set in sets) {
            for (slot in set.slots) {
                if (moves <= 0 || set.surplus <= 0) break
                if (!slot.state.returns) continue
                if (slot.state is SlotState.Ready && book.recall(slot)) {
                    book.close(slot, YIELDS)
                    moves--
                } else {
                    slot.yields = true
                }
            }
        }
    }

    /** How many connections to close, beyond those that close already, for those who lack some. */
    private fun moves(): Int {
        val lacking = book.sets.values.filter { it.enrolled }.sumOf { maxOf(0, it.fair - it.live) }
        val closing = book.slots.values.count { it.state is SlotState.Closing }
        val unused = book.maxSlots - book.slots.size
        return minOf(lacking - unused, policy.connectParallelism) - closing
    }

    /** Whether [slot], which has come back, is to close for another backend; if not, it need not any more. */
    fun givesWay(slot: Slot): Boolean {
        if (slot.yields && moves() > 0 && slot.set.surplus > 0) return true
        slot.yields = false
        return false
    }

    /** Notes a peak of demand between two fittings. */
    fun observe() {
        demand.observe(wanted(book.sets.values.filter { it.enrolled }))
    }

    private fun wanted(enrolled: List<SlotSet>): Int {
        val claims = enrolled.sumOf { it.lent(lending) } + lending.waiting
        return maxOf(claims + book.spares + policy.reserved, awaited.maxOrNull() ?: 0).coerceAtMost(room)
    }

    /** Starts the slots whose time, and turn, has come. */
    fun connectDue() {
        for (set in book.sets.values) {
            if (!set.enrolled || set.notBefore > book.now) continue
            for (slot in set.slots) {
                if (!set.mayConnect(policy.connectParallelism, book.now)) break
                if (slot.state != SlotState.BackingOff) continue
                if (!pace.take(book.now)) return
                book.connect(slot)
            }
        }
    }

    private fun activated(set: SlotSet) {
        for (slot in set.slots) {
            val state = slot.state as? SlotState.Ready ?: continue
            // Who has to yield is decided anew.
            slot.yields = false
            if (set.active) {
                lending.keep(slot.index)
            } else if (book.recall(slot)) {
                slot.state = SlotState.Standby(state.life)
            }
        }
    }

    private fun order(enrolled: List<SlotSet>): List<Pair<SlotSet, Share>> {
        val anyUp = enrolled.any { it.active && it.reach == Reach.Up }
        return enrolled.map { it to placement.share(it, anyUp) }.sortedWith(
            compareBy(
                { it.second },
                // Probes: the untried first, then whoever's turn comes soonest; a failed probe goes to the back.
                { (set, _) -> if (set.reach == Reach.Down) set.notBefore else Duration.ZERO },
                // Who has a slot keeps it: where there is not room for all, taking turns would be a storm of connects.
                { (set, _) -> if (set.live > 0) 0 else 1 },
            ),
        )
    }

    private fun claimant(set: SlotSet, share: Share, weight: Double): Claimant {
        val fresh = share == Share.Probe && set.reach == Reach.Unknown && set.active
        val down = set.reach == Reach.Down && share == Share.Probe
        return Claimant(share, set.lent(lending), weight, down, fresh)
    }

    private fun shrink(set: SlotSet) {
        var excess = set.live - set.wanted
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
                    book.keep(slot)
                    continue
                }
                slot.state = SlotState.Standby(checkNotNull(slot.state.life))
            }
            book.end(slot, "more than wanted")
            excess--
        }
        if (!set.online && set.reach == Reach.Up) set.reach = Reach.Rested
    }

    private fun grow(set: SlotSet, reason: String) {
        while (set.live < set.wanted) book.open(set, reason) ?: return
    }
}
