package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.describe
import kotlin.random.Random
import kotlin.time.Duration

/**
 * Every decision of a pool except which free connection a claim gets. Single-threaded; no clock, no I/O; never throws.
 *
 * [on] takes one event and says what must be done. The shell calls it again at [nextDeadline] with [PoolEvent.Tick].
 */
internal class PoolState(
    private val policy: PoolPolicy,
    private val lending: Lending,
    private val random: Random,
    private val recycles: Boolean,
) {
    private val book = SlotBook(policy, lending, random)
    private val allotment = Allotment(policy, lending, book)
    private val upkeep = Upkeep(policy, lending, book, random)

    /** False once closing began. */
    var open = true
        private set

    val sets: Collection<SlotSet> get() = book.sets.values
    val slots: Int get() = book.slots.size
    val closed: Int get() = book.closed
    val forced: Int get() = book.forced

    /** Whether more demand could lead to more connections. */
    val mayGrow: Boolean get() = open && allotment.mayGrow

    /** When [PoolEvent.Tick] is due at the latest; null: nothing is pending. */
    val nextDeadline: Duration?
        get() {
            if (!open) return null
            val backingOff = book.sets.values
                .filter { set -> set.slots.any { it.state == SlotState.BackingOff } }
                .map { it.backoff.notBefore }
                // A slot that is due already waits for its turn: an event will come.
                .filter { it > book.now }
            return listOfNotNull(allotment.nextDeadline, upkeep.nextDeadline, backingOff.minOrNull()).min()
        }

    fun on(event: PoolEvent, now: Duration): List<PoolEffect> {
        book.begin(now)
        when (event) {
            is PoolEvent.BackendsListed -> listed(event.backends)

            is PoolEvent.Connected -> book.slots[event.slot]?.let(::connected)

            is PoolEvent.Ended -> book.slots[event.slot]?.let { ended(it, event.cause) }

            is PoolEvent.Lost -> book.slots[event.slot]?.let { lost(it, event.cause) }

            is PoolEvent.Checked -> book.slots[event.slot]?.let { checked(it, event.failure) }

            is PoolEvent.Recycled -> book.slots[event.slot]?.let { recycled(it, event.failure) }

            is PoolEvent.Returned -> book.slots[event.slot]?.let { returned(it, event.outcome) }

            is PoolEvent.RanLow -> rebalance("demand")

            is PoolEvent.ReadyAwaited -> {
                allotment.awaited += event.connections
                rebalance("a caller awaits ${event.connections} connections")
            }

            is PoolEvent.ReadyUnawaited -> allotment.awaited -= event.connections

            is PoolEvent.CloseRequested -> close()

            is PoolEvent.GraceEnded -> book.slots.values.toList().forEach { book.force(it) }

            is PoolEvent.Tick -> tick()
        }
        return book.effects
    }

    fun snapshot(name: String, refused: Long, phase: PoolSnapshot.Phase): PoolSnapshot {
        val backends = book.sets.values
            .sortedWith(compareBy({ it.backend.priority }, { it.backend.name }, { it.backend.port }))
            .map { it.snapshot(lending) }
        return PoolSnapshot(
            name = name,
            phase = phase,
            backends = backends,
            waiting = lending.waiting,
            claims = backends.sumOf { it.claims } + book.goneLoans,
            refused = refused,
            wanted = allotment.total,
            maxSlots = policy.maxSlots,
        )
    }

    private fun listed(backends: Set<Backend>) {
        if (!open) return
        for (set in book.sets.values.toList()) {
            if (set.listed && set.backend !in backends) retire(set)
        }
        for (backend in backends) {
            val known = book.sets[backend]
            if (known == null) {
                book.sets[backend] = SlotSet(backend, random.nextDouble(), Backoff(policy.backoff, random))
                book.tell(PoolNotice.BackendAdded(backend))
            } else if (!known.listed) {
                known.listed = true
                known.slots.forEach { book.undrain(it, "listed again") }
                book.tell(PoolNotice.BackendAdded(backend))
            }
        }
        rebalance("the resolver's list changed")
    }

    private fun retire(set: SlotSet) {
        set.listed = false
        set.active = false
        book.tell(PoolNotice.BackendRemoved(set.backend, set.connected, set.lent(lending)))
        set.slots.toList().forEach { book.end(it, REMOVED) }
        if (set.slots.isEmpty()) book.drop(set)
    }

    private fun connected(slot: Slot) {
        if (slot.state != SlotState.Connecting) return
        val set = slot.set
        set.backoff.succeeded()
        book.move(slot, SlotState.Standby(upkeep.newLife()), "connected")
        if (set.reach != Reach.Up) {
            set.reach = Reach.Up
            book.tell(PoolNotice.BackendUp(set.backend))
        }
        rebalance("connected")
        circulate(slot)
    }

    private fun ended(slot: Slot, cause: Throwable?) {
        val set = slot.set
        val wasConnecting = slot.state == SlotState.Connecting
        val why = cause?.let { "connect failed: ${describe(it)}" } ?: "ended"
        if (wasConnecting) {
            set.failed(cause, book.now)
            if (!set.online) book.down(set, why, cause)
        }
        if (wasConnecting && open && set.listed) {
            book.move(slot, SlotState.BackingOff, why, cause)
        } else {
            book.gone(slot, if (slot.state == SlotState.Closing) "closed" else why)
        }
        rebalance(if (wasConnecting) "a connect failed" else "a connection closed")
    }

    private fun lost(slot: Slot, cause: Throwable?) {
        val life = slot.state.life ?: return
        if (slot.state is SlotState.Draining) return
        // A peer that hangs up just after it accepted is a peer that does not work; later it is housekeeping of its own.
        val young = book.now - life.since < policy.connectTimeout
        broken(
            slot,
            cause?.let { "broken: ${describe(it)}" } ?: "closed by the peer",
            cause,
            blame =
            cause != null || young,
        )
    }

    private fun checked(slot: Slot, failure: Throwable?) {
        val state = slot.state as? SlotState.Checking ?: return
        if (failure != null) return broken(slot, "check failed: ${describe(failure)}", failure, blame = true)
        upkeep.planCheck(state.life)
        readmit(slot, state.life, "check passed")
    }

    private fun recycled(slot: Slot, failure: Throwable?) {
        val state = slot.state as? SlotState.Recycling ?: return
        if (failure != null) return broken(slot, "clean-up failed: ${describe(failure)}", failure, blame = true)
        readmit(slot, state.life, "clean")
    }

    private fun returned(slot: Slot, outcome: Outcome) {
        val state = slot.state
        if (state is SlotState.Draining) {
            book.close(slot, state.reason)
            return
        }
        if (state !is SlotState.Ready) return
        // Out of circulation: nobody but this state has it now.
        slot.state = SlotState.Standby(state.life)
        when (outcome) {
            is Outcome.Used ->
                if (recycles) {
                    book.move(slot, SlotState.Recycling(state.life), "returned")
                    book.add(PoolEffect.Recycle(slot.id))
                } else {
                    readmit(slot, state.life, "returned")
                }

            is Outcome.Unused -> readmit(slot, state.life, "returned")

            is Outcome.Discarded ->
                broken(slot, "discarded${outcome.cause.because}", outcome.cause, blame = outcome.cause != null)

            is Outcome.NotPrepared -> broken(
                slot,
                "preparation failed${outcome.cause.because}",
                outcome.cause,
                blame = true,
            )
        }
    }

    private val Throwable?.because: String get() = if (this == null) "" else ": ${describe(this)}"

    /** Back into circulation, unless it is no longer wanted. */
    private fun readmit(slot: Slot, life: Life, reason: String) {
        book.move(slot, SlotState.Standby(life), reason)
        when {
            !open || !slot.set.listed -> book.close(slot, "no longer wanted")
            life.expires <= book.now -> replace(slot)
            slot.set.slots.size > slot.set.wanted && !lendingNeeds(slot) -> book.close(slot, "more than wanted")
            else -> circulate(slot)
        }
    }

    /** Whoever waits is served before anything is given up. */
    private fun lendingNeeds(slot: Slot): Boolean = slot.set.active && lending.waiting > 0

    private fun replace(slot: Slot) {
        book.end(slot, "reached its lifetime")
        rebalance("a connection reached its lifetime")
    }

    private fun circulate(slot: Slot) {
        val state = slot.state as? SlotState.Standby ?: return
        if (!slot.set.active) return
        slot.state = SlotState.Ready(state.life)
        book.add(PoolEffect.Lend(slot.id))
    }

    private fun broken(slot: Slot, reason: String, cause: Throwable?, blame: Boolean) {
        val set = slot.set
        // It served an earlier loan.
        if (lending.loans(slot.index) > 1) set.backoff.proven()
        if (blame) set.failed(cause, book.now)
        book.end(slot, reason, cause)
        if (!set.online) book.down(set, reason, cause)
        rebalance(reason)
    }

    private fun tick() {
        if (!open) return
        for (slot in upkeep.expired()) replace(slot)
        upkeep.startChecks()
        allotment.observe()
        if (allotment.due) rebalance("time") else allotment.connectDue()
    }

    private fun rebalance(reason: String) {
        if (!open) return
        allotment.rebalance(reason)
        // What a change of priority brought back into use goes into circulation now.
        for (set in book.sets.values) {
            if (set.active) set.slots.forEach { if (it.state is SlotState.Standby) circulate(it) }
        }
    }

    private fun close() {
        if (!open) return
        open = false
        book.slots.values.toList().forEach { book.end(it, "the pool is closing") }
        book.sets.values.filter { it.slots.isEmpty() }.forEach { book.drop(it) }
    }
}
