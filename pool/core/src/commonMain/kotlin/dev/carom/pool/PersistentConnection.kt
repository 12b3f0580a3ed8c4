package dev.carom.pool

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

/**
 * One logical connection to a service: opened at once, opened again by itself, and moved, made before broken, to
 * whatever backend is the best: of the best [Backend.priority] that is up, then of the greatest [Backend.weight]; among
 * equals it stays where it is.
 *
 * Messages go through an outbox, bounded in number and in bytes, and are written one at a time, in order, whether or
 * not there is a connection when they are sent. Opened by [openPersistent]; lives in the scope it was opened in: when
 * that scope is cancelled, it is closed and messages that were not written are lost. All functions may be called from
 * any thread.
 *
 * **What is written.** A message counts as written when [MessageWriter.write] has returned. Until then it is written
 * again on the next connection, up to [PersistentPolicy.attempts] times. What a peer has not read when the connection
 * breaks is lost although it was written: a writer that must know waits for the peer's answer.
 *
 * @param C the connection.
 * @param M a message.
 */
public interface PersistentConnection<C : Any, M : Any> {
    /** The name given at opening; appears in messages and notices. */
    public val name: String

    /** The policy given at opening. */
    public val policy: PersistentPolicy

    /** What it is doing now; conflated like every StateFlow. [PersistentState.Closed] is the last. */
    public val state: StateFlow<PersistentState>

    /** The connection in use, for those who read from it: hold a lease meanwhile. Null while there is none. */
    public val current: StateFlow<SetConnection<C>?>

    /** What happens, each with its reason, in order: see [ConnectionSet.notices]. */
    public val notices: Flow<SetNotice>

    /** Counts of everything, now. */
    public val snapshot: PersistentSnapshot

    /**
     * Puts [message] into the outbox and waits until it is written, as long as that takes. Senders that wait for room
     * get it in the order they came.
     *
     * *Cancelled*, it takes the message out again, unless writing it has begun.
     *
     * @throws PersistentException if it was not written; the subclass says why.
     */
    public suspend fun send(message: M)

    /**
     * Puts [message] into the outbox and does not wait until it is written, only for room, if the policy is
     * [Overflow.Suspend]. Cancelled while it waits, it leaves nothing behind.
     *
     * @throws PersistentException if it was not taken; the subclass says why.
     */
    public suspend fun put(message: M)

    /**
     * Puts [message] into the outbox if there is room and nobody waits for it. Never suspends.
     *
     * @return whether it was taken.
     * @throws PersistentException.TooLarge if it is larger than the outbox.
     * @throws PersistentException.Closed if this is closed.
     */
    public fun trySend(message: M): Boolean

    /**
     * Takes no more messages, writes those in the outbox for up to [graceMillis], and closes the connection. Messages
     * left then are lost: their senders get [PersistentException.Closed], and the report says how many.
     *
     * Returns within the grace plus twice [SetPolicy.closeTimeout], whatever connectors and writers do. Calling again
     * joins the same closing, can only shorten it, and returns the same report. Cancelling the caller does not stop the
     * closing.
     *
     * @param graceMillis milliseconds, not negative.
     */
    public suspend fun close(graceMillis: Long): PersistentReport

    /** [close] with a grace of 10 s. */
    public suspend fun close(): PersistentReport
}

/**
 * Writes messages on connections, one at a time.
 *
 * Whatever [write] throws, also a `CancellationException` of its own making, is a failure of that connection: it is
 * closed, for it may have half a message. Check what might be wrong with a message itself before it is sent.
 */
public fun interface MessageWriter<C : Any, M : Any> {
    /**
     * Writes [message]. Must not block its thread. *Cancelled* when [PersistentPolicy.writeTimeout] or the grace of
     * closing runs out, or the scope is cancelled.
     */
    public suspend fun write(connection: C, message: M)

    /**
     * What [message] counts for in [PersistentPolicy.maxBytes]; called once, must be quick. Default: the size of a
     * `ByteArray`, 2 for each character of a `String`; anything else counts 1, so that only the number is bounded.
     */
    public fun sizeOf(message: M): Long = when (message) {
        is ByteArray -> message.size.toLong()
        is String -> message.length.toLong() * Char.SIZE_BYTES
        else -> 1
    }
}

/** What a [PersistentConnection] is doing. */
public sealed interface PersistentState {
    /** No backend is listed. */
    public data object WaitingForBackends : PersistentState

    /**
     * There is no connection; it is being opened, or will be after a backoff.
     *
     * @property attempt the attempt to come or under way at the backend that was tried most; 1 is the first.
     * @property lastError why the latest failed; null at first.
     */
    public data class Connecting(public val attempt: Int, public val lastError: Throwable?) : PersistentState

    /**
     * There is one.
     *
     * @property sinceMillis when it was opened, in milliseconds since this was.
     */
    public data class Connected(public val backend: Backend, public val sinceMillis: Long) : PersistentState

    /** There is one, and it stays until the one that shall replace it is open. */
    public data class Moving(public val from: Backend, public val to: Backend) : PersistentState

    /** For good. */
    public data object Closed : PersistentState
}

/**
 * Counts of a [PersistentConnection].
 *
 * @property messages in the outbox, the one being written included.
 * @property bytes of these.
 * @property written messages written since it was opened.
 * @property dropped messages dropped to make room, or given up after [PersistentPolicy.attempts] failures.
 * @property backends each backend's state.
 */
public class PersistentSnapshot(
    public val messages: Int,
    public val bytes: Long,
    public val written: Long,
    public val dropped: Long,
    public val backends: List<SetBackendSnapshot>,
) {
    override fun toString(): String = "$messages messages of $bytes bytes waiting, $written written, $dropped dropped"
}

/**
 * How a [PersistentConnection] ended.
 *
 * @property flushed messages written while it was closing.
 * @property left messages not known to be written when the grace ended.
 * @property leftBytes bytes of these.
 * @property connections how its connections ended.
 */
public class PersistentReport(
    public val flushed: Long,
    public val left: Int,
    public val leftBytes: Long,
    public val connections: CloseReport,
) {
    override fun toString(): String = "flushed $flushed, left $left messages of $leftBytes bytes; $connections"
}
