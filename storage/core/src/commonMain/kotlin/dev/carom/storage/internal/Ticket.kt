package dev.carom.storage.internal

/** What somebody wants to do on a handle. */
internal enum class TicketKind {
    /** One operation. */
    CALL,

    /** Rows that stay open after the call that opened them. */
    ROWS,

    /** A transaction on a connection, or one nested in a transaction. */
    TXN,
    COMMIT,
    ROLLBACK,
}

/**
 * A place in the queue of a handle, compared by identity.
 *
 * @property callers by whom: the coroutine (or the thread), and the tickets it holds in its context. Whoever waits for a
 *   ticket of its own would wait for ever.
 */
internal open class Ticket(val kind: TicketKind, val callers: Set<Any>, val end: TxnEndReason? = null) {
    /** Whether the one who has this ticket is among the callers of [other]. */
    fun isHeldBy(other: Ticket): Boolean = this in other.callers || callers.any { it !is Ticket && it in other.callers }
}

/** Shorter in the machines. */
internal typealias TxnEndReason = dev.carom.storage.TxnEnd

/** Why a ticket is not served. */
internal sealed interface Refusal {
    data object ConnClosed : Refusal

    data object ConnBroken : Refusal

    data object CursorOpen : Refusal

    data object WaitsForSelf : Refusal

    data object Concurrent : Refusal

    data object TxnFailed : Refusal

    data object TxnFinished : Refusal

    /** A commit around an open nested transaction. */
    data object Unfinished : Refusal
}
