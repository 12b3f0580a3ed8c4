package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.BackendVerdict
import dev.carom.pool.Fault
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
    private val hooks: Hooks,
) {
    private val book = SlotBook(policy, lending, random)
    private val allotment = Allotment(policy, lending, book)
    private val upkeep = Upkeep(policy, lending, book, random, hooks)
    private val outliers = Outliers(policy.outlier, book)
    private val roles = Roles(book, hooks)
    private val members = Membership(policy, lending, book, outliers)

    /** False once closing began. */
    var open = true
        private set

    val sets: Collection<SlotSet> get() = book.sets.values
    val slots: Int get() = book.slots.size
    val maxSlots: Int get() = book.maxSlots
    val spares: Int get() = book.spares
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
                .map { it.notBefore }
                // A slot that is due already waits for its turn: an event will come.
                .filter { it > book.now }
            return listOfNotNull(
                allotment.nextDeadline,
                upkeep.nextDeadline,
                outliers.nextDeadline,
                backingOff.minOrNull(),
            ).min()
        }

    fun on(event: PoolEvent, now: Duration): List<PoolEffect> {
        book.begin(now)
        when (event) {
            is PoolEvent.BackendsListed -> listed(event.backends)

            is PoolEvent.Connected -> book.slots[event.slot]?.let { connected(it, event.probe) }

            is PoolEvent.Ended -> book.slots[event.slot]?.let { ended(it, event.cause, event.fault) }

            is PoolEvent.Lost -> book.slots[event.slot]?.let { lost(it, event.cause) }

            is PoolEvent.Checked -> book.slots[event.slot]?.let { checked(it, event.failure, event.probe) }

            is PoolEvent.Recycled -> book.slots[event.slot]?.let { recycled(it, event.failure) }

            is PoolEvent.Returned -> book.slots[event.slot]?.let { returned(it, event.outcome) }

            is PoolEvent.Reported -> book.slots[event.slot]?.let { reported(it.set, event.fault, event.cause) }

            is PoolEvent.DrainRequested -> drain(event.backend, true)

            is PoolEvent.DrainRevoked -> drain(event.backend, false)

            is PoolEvent.EvictRequested -> evict(event.backend)

            is PoolEvent.LimitsSet -> limit(event.spares, event.maxSlots)

            is PoolEvent.RanLow -> rebalance("demand")

            is PoolEvent.ReadyAwaited -> {
                allotment.awaited += event.connections
                rebalance("a caller awaits ${event.connections} connections")
            }

            is PoolEvent.ReadyUnawaited -> allotment.awaited -= event.connections

            is PoolEvent.CloseRequested -> close()

            is PoolEvent.GraceEnded ->
                book.slots.values.toList().forEach { book.force(it, "still on loan when the grace ended") }

            is PoolEvent.Tick -> tick()
        }
        return book.effects
    }

    /** Whether nothing but a caller's release, or an end of a backoff, can serve a claim. */
    val hopeless: Boolean
        get() = book.slots.values.none { slot ->
            when (slot.state) {
                SlotState.Connecting, is SlotState.Checking, is SlotState.Recycling -> true
                SlotState.BackingOff -> slot.set.notBefore <= book.now && slot.set.reach != Reach.Down
                is SlotState.Standby -> slot.set.active
                is SlotState.Ready -> lending.isFree(slot.index)
                is SlotState.Draining, SlotState.Closing -> false
            }
        }

    /** What may be expected of each listed backend. */
    fun verdicts(): List<BackendVerdict> = verdicts(book, lending)

    fun snapshot(name: String, refused: Long, phase: PoolSnapshot.Phase, paused: Boolean = false): PoolSnapshot {
        val backends = book.sets.values
            .sortedWith(compareBy({ it.backend.priority }, { it.backend.name }, { it.backend.port }))
            .map { it.snapshot(lending, book.now) }
        return PoolSnapshot(
            name = name,
            phase = phase,
            backends = backends,
            waiting = lending.waiting,
            claims = backends.sumOf { it.claims } + book.goneLoans,
            refused = refused,
            wanted = allotment.total,
            maxSlots = book.maxSlots,
            opened = book.opened,
            closed = closed + forced + book.dropped,
            paused = paused,
        )
    }

    private fun listed(backends: Set<Backend>) {
        if (!open) return
        members.list(backends)
        rebalance("the resolver's list changed")
    }

    private fun drain(backend: Backend, drained: Boolean) {
        if (!open || !members.drain(backend, drained)) return
        rebalance(if (drained) "a backend is drained" else "a backend is no longer drained")
    }

    private fun evict(backend: Backend?) {
        if (!open) return
        for (slot in book.slots.values) {
            if (backend == null || slot.set.backend == backend) slot.state.life?.expires = book.now
        }
        tick()
    }

    private fun limit(spares: Int, maxSlots: Int) {
        if (!open) return
        book.spares = spares
        book.maxSlots = maxSlots
        book.tell(PoolNotice.LimitsChanged(spares, maxSlots))
        rebalance("the limits changed")
        // What is on loan beyond the limit ends when it comes back; the oldest first.
        val staying = book.slots.values.filter { it.state !is SlotState.Closing && it.state !is SlotState.Draining }
        val lent = staying.filter { it.state is SlotState.Ready }
        for (slot in lent.take(maxOf(0, staying.size - maxSlots))) book.end(slot, "beyond the new limit")
    }

    private fun connected(slot: Slot, probe: Probe?) {
        if (slot.state != SlotState.Connecting) return
        val set = slot.set
        set.succeeded()
        book.opened++
        book.move(slot, SlotState.Standby(upkeep.newLife()), "connected")
        roles.learnt(set, probe)
        if (set.reach != Reach.Up) {
            if (set.reach != Reach.Rested) book.tell(PoolNotice.BackendUp(set.backend))
            set.reach = Reach.Up
            set.upSince = book.now
        }
        rebalance("connected")
        circulate(slot)
    }

    private fun ended(slot: Slot, cause: Throwable?, fault: Fault) {
        val set = slot.set
        val wasConnecting = slot.state == SlotState.Connecting
        val why = cause?.let { "connect failed: ${describe(it)}" } ?: "ended"
        if (wasConnecting) {
            set.failed(cause, book.now)
            if (fault == Fault.Authentication && cause != null) refusedCredentials(set, cause)
        }
        if (wasConnecting && open && set.enrolled) {
            book.move(slot, SlotState.BackingOff, why, cause)
        } else {
            book.gone(slot, if (slot.state == SlotState.Closing) "closed" else why)
        }
        if (wasConnecting && !set.online) members.down(set, why, cause)
        rebalance(if (wasConnecting) "a connect failed" else "a connection closed")
    }

    private fun refusedCredentials(set: SlotSet, cause: Throwable) {
        set.auth.failed(book.now)
        val wait = (set.notBefore - book.now).inWholeMilliseconds
        book.tell(PoolNotice.AuthenticationRefused(set.backend, wait, cause))
    }

    private fun reported(set: SlotSet, fault: Fault, cause: Throwable?) {
        when (fault) {
            Fault.None -> return
            Fault.Broken -> if (!outliers.suspect(set, cause)) return
            Fault.Demoted -> return roles.lost(set, cause)
            Fault.Authentication -> return refusedCredentials(set, cause ?: return)
        }
        rebalance("a backend fails its callers")
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
        // Where one connection was reset, others may be dead without a word.
        if (cause != null) upkeep.sweep(slot.set)
    }

    private fun checked(slot: Slot, failure: Throwable?, probe: Probe?) {
        val state = slot.state as? SlotState.Checking ?: return
        roles.learnt(slot.set, probe)
        if (failure != null) {
            broken(slot, "check failed: ${describe(failure)}", failure, blame = true)
            // Whatever has silenced one may have silenced all: nobody gets another before it has answered.
            return upkeep.sweep(slot.set)
        }
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
        val sound = outcome is Outcome.Used || outcome is Outcome.Unused
        if (sound && allotment.givesWay(slot)) return book.close(slot, YIELDS)
        when (outcome) {
            is Outcome.Used ->
                if (hooks.recycle) {
                    book.move(slot, SlotState.Recycling(state.life), "returned")
                    book.add(PoolEffect.Recycle(slot.id))
                } else {
                    readmit(slot, state.life, "returned")
                }

            is Outcome.Unused -> readmit(slot, state.life, "returned")

            is Outcome.Discarded -> {
                // A holder that stalls says nothing about the backend; but a peer that fell silent might be why.
                val blame = outcome.cause != null && outcome.cause !is Stalled
                broken(slot, "discarded${outcome.cause.because}", outcome.cause, blame)
                if (outcome.cause != null) upkeep.sweep(slot.set)
            }

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
            !open || !slot.set.enrolled -> book.close(slot, "no longer wanted")

            allotment.givesWay(slot) -> book.close(slot, YIELDS)

            life.expires <= book.now -> {
                book.end(slot, "reached its lifetime")
                rebalance("a connection is replaced")
            }

            slot.set.live > slot.set.wanted && !lendingNeeds(slot) -> book.close(slot, "more than wanted")

            else -> circulate(slot)
        }
    }

    /** Whoever waits is served before anything is given up. */
    private fun lendingNeeds(slot: Slot): Boolean = slot.set.active && lending.waiting > 0

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
        if (!set.online) members.down(set, reason, cause)
        rebalance(reason)
    }

    private fun tick() {
        if (!open) return
        val worn = upkeep.expired().onEach { book.end(it, "reached its lifetime") }.size +
            upkeep.idleTooLong().onEach { book.end(it, "idle for ${policy.idleTimeout}") }.size
        for (slot in upkeep.drainedTooLong()) book.force(slot, "still on loan after ${policy.drainTimeout}")
        upkeep.startChecks()
        upkeep.startProbes()
        allotment.observe()
        when {
            outliers.tick() || worn > 0 -> rebalance("connections are replaced")
            allotment.due -> rebalance("time")
            else -> allotment.connectDue()
        }
    }

    private fun rebalance(reason: String) {
        if (!open) return
        outliers.lift()
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
