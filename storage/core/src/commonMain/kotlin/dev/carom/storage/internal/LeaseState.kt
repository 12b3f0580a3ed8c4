package dev.carom.storage.internal

import dev.carom.storage.LeaseTrace
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.Job
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration

/**
 * Somebody who waits for a session.
 *
 * @property number its own alone; higher for whoever came later.
 * @property holds the sessions of this pool it has already.
 */
internal open class Waiter(val number: Long, val holds: Set<Long>)

/**
 * A session on loan.
 *
 * @property who a name, or the context of a coroutine, which becomes one only for reports.
 */
internal class Loan(val id: Long, private val who: Any, val since: Duration, val trace: LeaseTrace? = null) {
    val holder: String get() = (who as? CoroutineContext)?.let(::holderOf) ?: "$who"
}

internal fun holderOf(context: CoroutineContext): String =
    context[CoroutineName]?.name ?: context[Job]?.toString() ?: "unnamed"

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
    val loans: Numbered<Loan> = Numbered.none(),
    val waiters: Numbered<Waiter> = Numbered.none(),
    /** Those among the waiters who have a session already. */
    val holding: Numbered<Waiter> = Numbered.none(),
    val until: Duration = Duration.INFINITE,
    val escalated: Boolean = false,
) {
    enum class Phase { Open, Draining, Closing, Closed }

    /** When to send [LeaseEvent.Ticked]. */
    val nextDeadline: Duration? get() = until.takeIf { phase == Phase.Draining && !escalated && it.isFinite() }

    fun on(event: LeaseEvent): Step<LeaseState, LeaseEffect> = when (event) {
        is LeaseEvent.Asked -> asked(event.waiter)
        is LeaseEvent.Gone -> Step(gone(event.waiter))
        is LeaseEvent.Taken -> taken(event.loan)
        is LeaseEvent.Returned -> returned(event.id)
        is LeaseEvent.CloseAsked -> closeAsked(event.until)
        is LeaseEvent.Ticked -> ticked(event.now)
        is LeaseEvent.Emptied -> Step(copy(phase = Phase.Closed))
    }

    private fun asked(waiter: Waiter): Step<LeaseState, LeaseEffect> = when {
        phase != Phase.Open -> Step(this, LeaseEffect.RefuseClosed(waiter))

        waiters.size >= maxWaiters && loans.size >= capacity -> Step(this, LeaseEffect.RefuseFull(waiter, waiters.size))

        else -> {
            val next = copy(
                waiters = waiters.plus(waiter.number, waiter),
                holding = if (waiter.holds.isEmpty()) holding else holding.plus(waiter.number, waiter),
            )
            Step(next, listOf(LeaseEffect.Admit(waiter)) + next.deadlock())
        }
    }

    private fun gone(waiter: Waiter) =
        copy(waiters = waiters.minus(waiter.number), holding = holding.minus(waiter.number))

    private fun taken(loan: Loan): Step<LeaseState, LeaseEffect> {
        if (phase != Phase.Open) return Step(this, LeaseEffect.Reject(loan.id))
        val next = copy(loans = loans.plus(loan.id, loan))
        return Step(next, next.deadlock())
    }

    /** The session was back before: it may be on loan again, and all that was missing from a deadlock was that this one ends. */
    private fun returned(id: Long): Step<LeaseState, LeaseEffect> {
        val next = copy(loans = loans.minus(id))
        return if (phase == Phase.Open) Step(next, next.deadlock()) else next.settle()
    }

    /** Everything is lent, and each of those who have something waits for more: the youngest of them must give up. */
    private fun deadlock(): List<LeaseEffect> {
        if (holding.isEmpty() || loans.size < capacity) return emptyList()
        val waiting = holding.values
        val waited = waiting.flatMapTo(HashSet()) { it.holds }
        if (!waited.containsAll(loans.numbers)) return emptyList()
        return listOf(LeaseEffect.RefuseDeadlock(waiting.last(), loans.values))
    }

    private fun closeAsked(deadline: Duration): Step<LeaseState, LeaseEffect> {
        if (phase == Phase.Closing || phase == Phase.Closed) return Step(this)
        val refused = waiters.values.map { LeaseEffect.RefuseClosed(it) }
        val none = Numbered.none<Waiter>()
        val next = copy(phase = Phase.Draining, waiters = none, holding = none, until = minOf(until, deadline))
        val step = next.settle()
        return Step(step.state, refused + step.effects)
    }

    private fun ticked(now: Duration): Step<LeaseState, LeaseEffect> =
        if (phase == Phase.Draining && !escalated && now >= until) {
            Step(copy(escalated = true), LeaseEffect.Escalate(loans.numbers.toSet()))
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
