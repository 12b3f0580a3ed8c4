package dev.carom.storage.internal

import dev.carom.storage.LeaseTrace
import kotlin.time.Duration

/** Somebody who waits for a session; compared by identity. @property holds the sessions of this pool it has already. */
internal open class Waiter(val holds: Set<Long>)

/** A session on loan. */
internal data class Loan(val id: Long, val holder: String, val since: Duration, val trace: LeaseTrace? = null)

internal sealed interface LeaseEvent {
    class Asked(val waiter: Waiter) : LeaseEvent

    /** The waiter gave up, or was served. */
    class Gone(val waiter: Waiter) : LeaseEvent

    /** A session was taken. */
    class Taken(val loan: Loan) : LeaseEvent

    class Returned(val id: Long) : LeaseEvent

    /** @property until when lent sessions may be used. */
    class CloseAsked(val until: Duration) : LeaseEvent

    class Ticked(val now: Duration) : LeaseEvent

    /** The source has closed: no session is left. */
    data object Emptied : LeaseEvent
}

internal sealed interface LeaseEffect {
    /** Go and ask the source. */
    class Admit(val waiter: Waiter) : LeaseEffect

    class RefuseClosed(val waiter: Waiter) : LeaseEffect

    class RefuseDeadlock(val waiter: Waiter, val loans: List<Loan>) : LeaseEffect

    class RefuseFull(val waiter: Waiter, val waiting: Int) : LeaseEffect

    /** The pool closed while this one was on its way: straight back. */
    class Reject(val id: Long) : LeaseEffect

    /** The time is over: end what uses these. */
    class Escalate(val ids: Set<Long>) : LeaseEffect

    /** Nothing is lent any more: close the source. Exactly once. */
    data object CloseSource : LeaseEffect
}

/**
 * Who has sessions and who waits: closing, and telling when nobody who waits can be served any more.
 * ```
 * Open ──CloseAsked──▶ Draining ──last one returned──▶ Closing ──Emptied──▶ Closed
 * ```
 * The order of waiting belongs to the source.
 */
internal data class LeaseState(
    val capacity: Int,
    val maxWaiters: Int,
    val phase: Phase = Phase.Open,
    val loans: Map<Long, Loan> = emptyMap(),
    val waiters: List<Waiter> = emptyList(),
    val until: Duration = Duration.INFINITE,
    val escalated: Boolean = false,
) {
    enum class Phase { Open, Draining, Closing, Closed }

    /** When to send [LeaseEvent.Ticked]. */
    val nextDeadline: Duration? get() = until.takeIf { phase == Phase.Draining && !escalated && it.isFinite() }

    fun on(event: LeaseEvent): Step<LeaseState, LeaseEffect> = when (event) {
        is LeaseEvent.Asked -> asked(event.waiter)
        is LeaseEvent.Gone -> Step(copy(waiters = waiters.filter { it !== event.waiter }))
        is LeaseEvent.Taken -> taken(event.loan)
        is LeaseEvent.Returned -> copy(loans = loans - event.id).settle()
        is LeaseEvent.CloseAsked -> closeAsked(event.until)
        is LeaseEvent.Ticked -> ticked(event.now)
        is LeaseEvent.Emptied -> Step(copy(phase = Phase.Closed))
    }

    private fun asked(waiter: Waiter): Step<LeaseState, LeaseEffect> = when {
        phase != Phase.Open -> Step(this, LeaseEffect.RefuseClosed(waiter))

        waiters.size >= maxWaiters && loans.size >= capacity -> Step(this, LeaseEffect.RefuseFull(waiter, waiters.size))

        else -> {
            val next = copy(waiters = waiters + waiter)
            Step(next, listOf(LeaseEffect.Admit(waiter)) + next.deadlock())
        }
    }

    private fun taken(loan: Loan): Step<LeaseState, LeaseEffect> {
        if (phase != Phase.Open) return Step(this, LeaseEffect.Reject(loan.id))
        val next = copy(loans = loans + (loan.id to loan))
        return Step(next, next.deadlock())
    }

    /** Everything is lent, and each of those who have something waits for more: the youngest of them must give up. */
    private fun deadlock(): List<LeaseEffect> {
        if (loans.size < capacity) return emptyList()
        val waited = waiters.flatMapTo(HashSet()) { it.holds }
        if (!waited.containsAll(loans.keys)) return emptyList()
        return listOf(LeaseEffect.RefuseDeadlock(waiters.last { it.holds.isNotEmpty() }, loans.values.toList()))
    }

    private fun closeAsked(deadline: Duration): Step<LeaseState, LeaseEffect> {
        if (phase == Phase.Closing || phase == Phase.Closed) return Step(this)
        val refused = waiters.map { LeaseEffect.RefuseClosed(it) }
        val next = copy(phase = Phase.Draining, waiters = emptyList(), until = minOf(until, deadline))
        val step = next.settle()
        return Step(step.state, refused + step.effects)
    }

    private fun ticked(now: Duration): Step<LeaseState, LeaseEffect> =
        if (phase == Phase.Draining && !escalated && now >= until) {
            Step(copy(escalated = true), LeaseEffect.Escalate(loans.keys))
        } else {
            Step(this)
        }

    private fun settle(): Step<LeaseState, LeaseEffect> =
        if (phase == Phase.Draining && loans.isEmpty()) {
            Step(copy(phase = Phase.Closing), LeaseEffect.CloseSource)
        } else {
            Step(this)
        }
}
