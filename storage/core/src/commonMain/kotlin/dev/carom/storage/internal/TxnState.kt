package dev.carom.storage.internal

import dev.carom.storage.TxnStatus

internal sealed interface TxnEvent {
    class Asked(val ticket: Ticket) : TxnEvent

    /** Who waited was cancelled; or had been served at that very moment and does not start. */
    class Withdrawn(val ticket: Ticket) : TxnEvent

    /**
     * What [ticket] did is over.
     *
     * @property status what the platform made of the transaction: LAZY, ACTIVE, FAILED or an end.
     * @property end who ended it, if it has ended.
     */
    class Left(val ticket: Ticket, val status: TxnStatus, val end: TxnEndReason? = null) : TxnEvent
}

internal sealed interface TxnEffect {
    class Start(val ticket: Ticket) : TxnEffect

    class Refuse(val ticket: Ticket, val why: Refusal) : TxnEffect

    /** End what [ticket] does: cancel the call, close the rows, roll the nested transaction back. */
    class Stop(val ticket: Ticket) : TxnEffect

    /** It has ended: the session goes back, the hooks run. Exactly once. */
    data object Release : TxnEffect
}

/**
 * What a transaction decides.
 * ```
 * LAZY ──first call──▶ ACTIVE ──call failed on the platform──▶ FAILED
 *   ACTIVE ──commit──▶ COMMITTING ──answer──▶ COMMITTED | ROLLED_BACK | UNKNOWN
 *   any not ended ──rollback, owner, pool──▶ ROLLING_BACK ──▶ ROLLED_BACK
 *   any ──session lost, platform rolled back──▶ ROLLED_BACK
 * ```
 * One ticket at a time is served. A second one waits or is refused, as [queues] says; a commit waits in either case only
 * for rows, which it closes; a rollback stops whatever runs.
 */
internal data class TxnState(
    val status: TxnStatus,
    val queues: Boolean,
    val end: TxnEndReason? = null,
    val occupant: Ticket? = null,
    val queue: List<Ticket> = emptyList(),
) {
    fun on(event: TxnEvent): Step<TxnState, TxnEffect> = when (event) {
        is TxnEvent.Asked -> when (event.ticket.kind) {
            TicketKind.COMMIT -> commitAsked(event.ticket)
            TicketKind.ROLLBACK -> rollbackAsked(event.ticket)
            TicketKind.CALL, TicketKind.ROWS, TicketKind.TXN -> callAsked(event.ticket)
        }

        is TxnEvent.Withdrawn -> withdrawn(event.ticket)

        is TxnEvent.Left -> if (event.ticket === occupant) left(event.status, event.end) else Step(this)
    }

    private fun callAsked(ticket: Ticket): Step<TxnState, TxnEffect> {
        val holder = occupant
        return when {
            status != TxnStatus.LAZY && status != TxnStatus.ACTIVE && status != TxnStatus.FAILED -> finished(ticket)
            status == TxnStatus.FAILED -> refuse(ticket, Refusal.TxnFailed)
            holder == null -> Step(copy(occupant = ticket), TxnEffect.Start(ticket))
            holder.kind == TicketKind.ROWS && holder.isHeldBy(ticket) -> refuse(ticket, Refusal.CursorOpen)
            holder.kind == TicketKind.TXN && holder.isHeldBy(ticket) -> refuse(ticket, Refusal.WaitsForSelf)
            queues -> Step(copy(queue = queue + ticket))
            else -> refuse(ticket, Refusal.Concurrent)
        }
    }

    private fun commitAsked(ticket: Ticket): Step<TxnState, TxnEffect> {
        val holder = occupant
        return when {
            status.isEnded || status == TxnStatus.COMMITTING || status == TxnStatus.ROLLING_BACK -> finished(ticket)

            holder == null -> Step(ending(ticket).copy(occupant = ticket), TxnEffect.Start(ticket))

            holder.kind == TicketKind.TXN -> refuse(ticket, Refusal.Unfinished)

            // Rows are closed, whoever reads them: the commit says that nobody needs them.
            holder.kind == TicketKind.ROWS -> Step(ending(ticket).copy(queue = queue + ticket), TxnEffect.Stop(holder))

            queues -> Step(ending(ticket).copy(queue = queue + ticket))

            else -> refuse(ticket, Refusal.Concurrent)
        }
    }

    /** A commit where only a rollback is accepted is a rollback. */
    private fun ending(ticket: Ticket): TxnState =
        if (status == TxnStatus.FAILED) {
            copy(status = TxnStatus.ROLLING_BACK, end = TxnEndReason.ROLLBACK)
        } else {
            copy(status = TxnStatus.COMMITTING, end = ticket.end)
        }

    private fun rollbackAsked(ticket: Ticket): Step<TxnState, TxnEffect> {
        val holder = occupant
        if (status.isEnded || status == TxnStatus.ROLLING_BACK ||
            holder?.kind == TicketKind.COMMIT
        ) {
            return finished(ticket)
        }
        val next = copy(status = TxnStatus.ROLLING_BACK, end = ticket.end)
        val refused = queue.map { TxnEffect.Refuse(it, Refusal.TxnFinished) }
        return if (holder == null) {
            Step(next.copy(occupant = ticket, queue = emptyList()), refused + TxnEffect.Start(ticket))
        } else {
            Step(next.copy(queue = listOf(ticket)), refused + TxnEffect.Stop(holder))
        }
    }

    private fun withdrawn(ticket: Ticket): Step<TxnState, TxnEffect> = when {
        ticket === occupant -> copy(occupant = null).advance()
        ticket in queue -> Step(copy(queue = queue - ticket))
        else -> Step(this)
    }

    private fun left(after: TxnStatus, by: TxnEndReason?): Step<TxnState, TxnEffect> {
        val free = copy(occupant = null)
        return when {
            after.isEnded -> Step(
                free.copy(status = after, end = by ?: end, queue = emptyList()),
                queue.map { TxnEffect.Refuse(it, Refusal.TxnFinished) } + TxnEffect.Release,
            )

            // A commit waits: what it finds now is a transaction that can only be rolled back.
            after == TxnStatus.FAILED && status == TxnStatus.COMMITTING ->
                free.copy(status = TxnStatus.ROLLING_BACK, end = TxnEndReason.ROLLBACK).advance()

            status == TxnStatus.COMMITTING || status == TxnStatus.ROLLING_BACK -> free.advance()

            after == TxnStatus.FAILED -> Step(
                free.copy(status = TxnStatus.FAILED, queue = emptyList()),
                queue.map { TxnEffect.Refuse(it, Refusal.TxnFailed) },
            )

            else -> free.copy(status = after).advance()
        }
    }

    private fun advance(): Step<TxnState, TxnEffect> {
        val next = queue.firstOrNull() ?: return Step(this)
        return Step(copy(occupant = next, queue = queue.drop(1)), TxnEffect.Start(next))
    }

    private fun finished(ticket: Ticket) = refuse(ticket, Refusal.TxnFinished)

    private fun refuse(ticket: Ticket, why: Refusal): Step<TxnState, TxnEffect> = Step(
        this,
        TxnEffect.Refuse(ticket, why),
    )
}
