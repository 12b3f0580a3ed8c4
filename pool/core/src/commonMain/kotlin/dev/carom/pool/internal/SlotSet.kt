package dev.carom.pool.internal

import dev.carom.pool.Backend
import dev.carom.pool.BackendSnapshot
import dev.carom.pool.Circuit
import dev.carom.pool.Role
import dev.carom.pool.describe
import kotlin.time.Duration

/** All slots of one backend, and what is known of it. */
internal class SlotSet(
    val backend: Backend,
    /** Its place in the preference list. */
    var order: Double,
    val backoff: Backoff,
    val auth: Backoff,
    lending: Lending,
) {
    val slots = ArrayList<Slot>()
    val meter = Meter()

    /** Of [meter], what decisions are made by. */
    val readings = lending.readings(meter)
    var reach = Reach.Unknown
    var upSince: Duration? = null
    var wanted = 0

    /** Slots it should have if nobody held any: more than [wanted] where others hold too many. */
    var fair = 0

    /** Whether the resolver lists it. */
    var listed = true

    /** Whether the resolver lists it no longer, but [dev.carom.pool.Retention] keeps it [listed]. */
    var absent = false

    /** Whether a caller has it drained. */
    var drained = false

    /** Until when it gets no claims because it failed callers. */
    var ejectedUntil: Duration? = null
    var ejectedFor = ""

    /** Whether it may have connections. */
    val enrolled: Boolean get() = listed && !drained

    /** Whether claims go to it: it is enrolled, not ejected, in a tier that is in use and in the subset. */
    var active = false

    /** Whether it is in the subset of its tier. */
    var chosen = true

    /** Why it is not active, although enrolled and not ejected. */
    var passedOver = ""

    /** What it is for, as last told. */
    var role = Role.Unknown
    var nextProbe = Duration.ZERO
    var sweptAt: Duration? = null

    var lastError: Throwable? = null
        private set
    private var failures = 0L
    private var pastLoans = 0L

    /** Draining ones do not count: they may be draining because they broke. */
    val online: Boolean get() = slots.any { it.state.life != null && it.state !is SlotState.Draining }
    val connected: Int get() = slots.count { it.state.life != null }

    /** When it may be connected to again. */
    val notBefore: Duration get() = maxOf(backoff.notBefore, auth.notBefore)

    fun failed(cause: Throwable?, now: Duration) {
        failures++
        if (cause != null) lastError = cause
        backoff.failed(now)
    }

    fun succeeded() {
        backoff.succeeded()
        auth.succeeded()
    }

    /** Slots that are on loan, or were a moment ago. */
    fun lent(lending: Lending): Int = slots.count {
        when (it.state) {
            is SlotState.Ready -> !lending.isFree(it.index)
            is SlotState.Draining, is SlotState.Recycling -> true
            SlotState.BackingOff, SlotState.Connecting, SlotState.Closing -> false
            is SlotState.Standby, is SlotState.Checking -> false
        }
    }

    /** Slots that are not on their way out. */
    val live: Int get() = slots.count { it.state !is SlotState.Closing }

    /** Slots it could do without for the sake of others; while it is in use, not the last. */
    val surplus: Int get() = live - maxOf(if (active) 1 else 0, fair)

    /** After failures one connect at a time, doubling with each success. */
    fun mayConnect(parallelism: Int, now: Duration): Boolean {
        val failed = backoff.recentlyFailed(now) || auth.recentlyFailed(now)
        val limit = if (failed) connected.coerceIn(1, parallelism) else parallelism
        return slots.count { it.state is SlotState.Connecting } < limit
    }

    fun remove(slot: Slot) {
        slots.remove(slot)
    }

    /** The connection at [index] is going: keep its count. */
    fun bankLoans(index: Int, lending: Lending) {
        pastLoans += lending.loans(index)
    }

    fun circuit(now: Duration): Circuit = when {
        notBefore > now -> Circuit.Open
        reach == Reach.Down || (backoff.recentlyFailed(now) && connected == 0) -> Circuit.HalfOpen
        else -> Circuit.Closed
    }

    fun snapshot(lending: Lending, now: Duration): BackendSnapshot {
        val counts = IntArray(COUNTS)
        var loans = pastLoans
        for (slot in slots) {
            when (slot.state) {
                SlotState.Connecting -> counts[0]++
                is SlotState.Ready -> counts[if (lending.isFree(slot.index)) 1 else 3]++
                is SlotState.Standby -> counts[1]++
                is SlotState.Checking -> counts[2]++
                is SlotState.Recycling -> counts[4]++
                SlotState.BackingOff -> counts[5]++
                is SlotState.Draining -> counts[6]++
                SlotState.Closing -> counts[7]++
            }
            if (slot.state.life != null) loans += lending.loans(slot.index)
        }
        return BackendSnapshot(
            backend = backend,
            online = online,
            active = active,
            removed = !listed,
            connecting = counts[0],
            ready = counts[1],
            checking = counts[2],
            claimed = counts[3],
            recycling = counts[4],
            backingOff = counts[5],
            draining = counts[6],
            closing = counts[7],
            claims = loans,
            failures = failures,
            lastError = lastError?.let(::describe),
            circuit = circuit(now),
            ejected = ejectedUntil != null,
            drained = drained,
            role = meter.role,
            latencyNanos = meter.latencyNanos,
        )
    }

    private companion object {
        const val COUNTS = 8
    }
}

/** What is known of a backend. */
internal enum class Reach {
    /** Not tried yet. */
    Unknown,

    /** It worked, and its last connection was given up for want of demand or of room. */
    Rested,
    Up,
    Down,
}
