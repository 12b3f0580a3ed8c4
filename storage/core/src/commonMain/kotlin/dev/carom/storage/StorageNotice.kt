package dev.carom.storage

/** Why a session was ended rather than lent again. */
public enum class DestroyReason {
    BROKEN,
    TAINTED,
    CANCEL_TIMEOUT,
    ROLLBACK_FAILED,
    RESET_FAILED,
    UNKNOWN_COMMIT,
    CLOSED,

    /** Its operation was cancelled, and the policy says [CancelMode.DESTROY]. */
    CANCELLED,
}

/** How a cancelled operation ended. */
public enum class CancelClass {
    /** It reported that it was cancelled. */
    CONFIRMED,

    /** It ended otherwise, although a cancel request had been sent. */
    COMPLETED,

    /** It ended before anything was sent. */
    NOT_SENT,

    /** It did not end within [StoragePolicy.cancelGrace]; its session was cut off. */
    TIMEOUT,

    /** Its session was cut off at once: [CancelMode.DESTROY]. */
    CUT_OFF,
}

/** What happens beside the calls. */
public sealed class StorageNotice {
    /** A session was destroyed. */
    public class SessionDestroyed internal constructor(public val reason: DestroyReason, public val cause: Throwable?) :
        StorageNotice()

    /** An operation was cancelled and has ended. */
    public class Cancelled internal constructor(public val result: CancelClass, public val label: String) :
        StorageNotice()

    /** A connection was closed by the coroutine that had a transaction open on it, or rows. */
    public class ClosedWithOpenWork internal constructor(public val what: String) : StorageNotice()

    /** A transaction was committed or rolled back while its rows were open. */
    public class EndedWithOpenRows internal constructor(public val end: TxnEnd) : StorageNotice()

    /** Whoever began a transaction did not end it; it was rolled back. */
    public class Unfinished internal constructor(public val end: TxnEnd, public val label: String) : StorageNotice()

    /** A hook threw or took too long, after the end of a transaction. */
    public class HookFailed internal constructor(public val outcome: TxnStatus, public val cause: Throwable) :
        StorageNotice()

    /** A block is run again. */
    public class Retried internal constructor(public val attempt: Int, public val cause: Throwable) : StorageNotice()

    /** Nothing has run on a session for [StoragePolicy.leakAfter]: whoever has it may have forgotten it. */
    public class LeakSuspected internal constructor(public val lease: LeaseInfo) : StorageNotice()

    override fun toString(): String = when (this) {
        is SessionDestroyed -> "session destroyed: $reason" + (cause?.let { ", $it" } ?: "")
        is Cancelled -> "cancelled \"$label\": $result"
        is ClosedWithOpenWork -> "connection closed with open $what"
        is EndedWithOpenRows -> "transaction ended by $end with open rows"
        is Unfinished -> "transaction \"$label\" was not ended: $end"
        is HookFailed -> "hook failed after $outcome: $cause"
        is Retried -> "transaction retried, attempt $attempt: $cause"
        is LeakSuspected -> "session ${lease.id} idle for ${lease.idleMillis} ms, taken by $lease"
    }
}

/**
 * Counts of a storage pool.
 *
 * @property capacity most sessions.
 * @property leased sessions on loan.
 * @property waiting callers waiting for one.
 * @property acquired loans so far.
 * @property timeouts waits that ran out.
 * @property retries blocks that were run again.
 * @property destroyed sessions ended, by reason.
 * @property cancels operations cancelled, by how they ended.
 * @property leaks sessions that were told as [StorageNotice.LeakSuspected].
 */
public class StorageStats internal constructor(
    public val capacity: Int,
    public val leased: Int,
    public val waiting: Int,
    public val acquired: Long,
    public val timeouts: Long,
    public val retries: Long,
    public val destroyed: Map<DestroyReason, Long>,
    public val cancels: Map<CancelClass, Long>,
    public val leaks: Long,
) {
    override fun toString(): String =
        "$leased of $capacity leased, $waiting waiting, $acquired acquired, $timeouts timeouts, $retries retries, " +
            "destroyed $destroyed, cancels $cancels, leaks $leaks"
}
