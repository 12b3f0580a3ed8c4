package dev.carom.storage.internal

import dev.carom.storage.ConnStatus

internal sealed interface ConnEvent {
    class Asked(val ticket: Ticket) : ConnEvent

    /** Who waited was cancelled; or had been served at that very moment and does not start. */
    class Withdrawn(val ticket: Ticket) : ConnEvent

    class Left(val ticket: Ticket) : ConnEvent

    /** @property callers who closes: what they left open themselves is ended, for they could wait for ever. */
    class CloseAsked(val callers: Set<Any>) : ConnEvent

    /** Close without waiting for anything. */
    data object Forced : ConnEvent

    data object Broke : ConnEvent
}

internal sealed interface ConnEffect {
    class Start(val ticket: Ticket) : ConnEffect

    class Refuse(val ticket: Ticket, val why: Refusal) : ConnEffect

    /** End what [ticket] does: cancel the call, close the rows, roll the transaction back. */
    class Stop(val ticket: Ticket) : ConnEffect

    /** The session goes back; exactly once. */
    data object Release : ConnEffect
}

/**
 * What a connection decides.
 * ```
 * OPEN ──CloseAsked──▶ CLOSING ──last one left──▶ CLOSED
 *   └──Broke──▶ BROKEN ──CloseAsked, last one left──▶ CLOSED
 * ```
 * One ticket at a time is served; the others wait in order.
 *
 * @property closing set once somebody closes, also when broken.
 */
internal data class ConnState(
    val broken: Boolean = false,
    val closing: Boolean = false,
    val released: Boolean = false,
    val occupant: Ticket? = null,
    val queue: List<Ticket> = emptyList(),
    val failsDuringTxn: Boolean = false,
) {
    val status: ConnStatus
        get() = when {
            released -> ConnStatus.CLOSED
            broken -> ConnStatus.BROKEN
            closing -> ConnStatus.CLOSING
            else -> ConnStatus.OPEN
        }

    fun on(event: ConnEvent): Step<ConnState, ConnEffect> = when (event) {
        is ConnEvent.Asked -> asked(event.ticket)
        is ConnEvent.Withdrawn -> withdrawn(event.ticket)
        is ConnEvent.Left -> if (event.ticket === occupant) copy(occupant = null).advance() else Step(this)
        is ConnEvent.CloseAsked -> closeAsked(event.callers)
        is ConnEvent.Forced -> forced()
        is ConnEvent.Broke -> broke()
    }

    private fun asked(ticket: Ticket): Step<ConnState, ConnEffect> {
        val holder = occupant
        val refusal = when {
            released || (closing && !broken) -> Refusal.ConnClosed
            broken -> Refusal.ConnBroken
            holder == null -> null
            holder.kind == TicketKind.ROWS && holder.isHeldBy(ticket) -> Refusal.CursorOpen
            holder.kind == TicketKind.TXN && holder.isHeldBy(ticket) -> Refusal.WaitsForSelf
            holder.kind == TicketKind.TXN && failsDuringTxn -> Refusal.Concurrent
            else -> null
        }
        return when {
            refusal != null -> Step(this, ConnEffect.Refuse(ticket, refusal))
            holder == null -> Step(copy(occupant = ticket), ConnEffect.Start(ticket))
            else -> Step(copy(queue = queue + ticket))
        }
    }

    private fun withdrawn(ticket: Ticket): Step<ConnState, ConnEffect> = when {
        ticket === occupant -> copy(occupant = null).advance()
        ticket in queue -> Step(copy(queue = queue - ticket))
        else -> Step(this)
    }

    private fun closeAsked(callers: Set<Any>): Step<ConnState, ConnEffect> {
        val holder = occupant
        val own = holder != null && holder.kind != TicketKind.CALL &&
            (holder in callers || holder.callers.any { it !is Ticket && it in callers })
        val stop = if (own) listOf(ConnEffect.Stop(holder)) else emptyList()
        return then(copy(closing = true).advance(), stop)
    }

    private fun forced(): Step<ConnState, ConnEffect> {
        val refused = queue.map { ConnEffect.Refuse(it, Refusal.ConnClosed) }
        val stop = listOfNotNull(occupant).map { ConnEffect.Stop(it) }
        return then(copy(closing = true, queue = emptyList()).advance(), refused + stop)
    }

    private fun broke(): Step<ConnState, ConnEffect> =
        then(
            copy(broken = true, queue = emptyList()).advance(),
            queue.map {
                ConnEffect.Refuse(it, Refusal.ConnBroken)
            },
        )

    private fun advance(): Step<ConnState, ConnEffect> {
        val next = queue.firstOrNull()
        return when {
            occupant != null -> Step(this)
            next != null -> Step(copy(occupant = next, queue = queue.drop(1)), ConnEffect.Start(next))
            closing && !released -> Step(copy(released = true), ConnEffect.Release)
            else -> Step(this)
        }
    }

    private fun then(step: Step<ConnState, ConnEffect>, first: List<ConnEffect>) = Step(
        step.state,
        first + step.effects,
    )
}
