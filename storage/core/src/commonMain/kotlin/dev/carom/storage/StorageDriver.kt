package dev.carom.storage

import dev.carom.storage.internal.Caller
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlin.coroutines.ContinuationInterceptor

/** What a platform can do. */
public class Capabilities(
    /** The levels it has; [Isolation.DEFAULT] always counts. */
    isolations: Set<Isolation> = emptySet(),
    /** Whether it has savepoints. */
    public val savepoints: Boolean = false,
    /** Whether it has transactions at all. */
    public val transactions: Boolean = true,
    /** Whether it keeps a transaction read-only itself. Without, this layer refuses what is declared as a write. */
    public val readOnly: Boolean = false,
    /** Whether [StorageDriver.outcomeOf] can tell how a commit ended. */
    public val resolvesOutcome: Boolean = false,
) {
    public val isolations: Set<Isolation> = isolations + Isolation.DEFAULT
}

/** What a session itself knows about its transaction, without asking the server. */
public enum class SessionTxn {
    /** None is open. */
    IDLE,
    OPEN,

    /** One is open and can only be rolled back. */
    FAILED,
}

/**
 * What a driver makes of an exception of its platform.
 *
 * @property category what kind of failure.
 * @property broken whether the session cannot be used any more.
 * @property code the platform's number; 0 if none.
 * @property state the platform's word; empty if none.
 */
public class ErrorInfo(
    public val category: ErrorCategory,
    public val broken: Boolean = false,
    public val code: Int = 0,
    public val state: String = "",
)

/**
 * The threads of a driver whose calls block. What runs on a session is started there by the pool, so that a call need not
 * change threads; the next operation on a session that comes back is started by the thread it came back on.
 *
 * @param dispatcher the threads: at least as many as there can be sessions. Not to be closed while the pool is open.
 * @param callersToo whether the thread of a caller who blocks anyway may make a call itself. Only if a call goes on when
 *   its thread is interrupted, as if nothing had happened, and returns soon when its session was cut off by
 *   [StorageDriver.abort]. Virtual threads are never used so: an interrupt closes what they read from.
 */
public class CallThreads(internal val dispatcher: CoroutineDispatcher, internal val callersToo: Boolean) {
    /** Whether the calling coroutine is on such a thread: then a call may block here and now. */
    public suspend fun areHere(): Boolean {
        val context = currentCoroutineContext()
        return context[ContinuationInterceptor] === dispatcher || (callersToo && context[Caller]?.isHere == true)
    }
}

/**
 * What an adapter tells this library about its sessions. One instance serves all sessions of a pool, from many threads; one
 * session is used by one call at a time, [cancel] and [abort] excepted.
 *
 * Calls run in coroutines of the pool. They must not block the thread, except where [threads] says that they may. A call that is cancelled must either stop at once or
 * go on to its end; [cancel] is what stops it on the server.
 *
 * @param S the session.
 */
public interface StorageDriver<S : Any> {
    public val kind: StorageKind

    public val capabilities: Capabilities get() = Capabilities(transactions = false)

    /**
     * Where calls may block; null if they never do. Not all calls are made there: one that blocks asks
     * [CallThreads.areHere], and changes threads if it must.
     */
    public val threads: CallThreads? get() = null

    /** Begins a transaction. Isolation and read-only were checked against [capabilities]. */
    public suspend fun begin(session: S, policy: TxnPolicy) {}

    /** Commits. An exception that [classify] calls broken leaves the outcome unknown; another one means rolled back. */
    public suspend fun commit(session: S) {}

    /** Rolls back. */
    public suspend fun rollback(session: S) {}

    /** Sets a savepoint. */
    public suspend fun savepoint(session: S, name: String) {}

    /** Forgets a savepoint and keeps what was done since. */
    public suspend fun releaseSavepoint(session: S, name: String) {}

    /** Undoes what was done since a savepoint, and forgets it. */
    public suspend fun rollbackToSavepoint(session: S, name: String) {}

    /** What the session knows about its transaction. Never waits. */
    public fun txnOf(session: S): SessionTxn = SessionTxn.IDLE

    /**
     * Stops what runs on [session]. Called again and again, until [call] has ended: it must do no harm when nothing runs.
     * Returns when the request has been dealt with. Default: cancels the coroutine [call], enough for a driver that
     * suspends and keeps its session in order then.
     */
    public suspend fun cancel(session: S, call: Job): Unit = call.cancel()

    /** Whether [session] may be lent again as it is. Never waits. Default: yes, if no transaction is open. */
    public fun isClean(session: S, level: ResetLevel): Boolean = txnOf(session) == SessionTxn.IDLE

    /** Cleans a session that was not clean. An exception destroys it. Default: rolls back. */
    public suspend fun reset(session: S, level: ResetLevel) {
        if (txnOf(session) != SessionTxn.IDLE) rollback(session)
    }

    /** Cuts the session off, at once and without waiting. What runs on it fails. */
    public fun abort(session: S) {}

    /** What [error] means; null if it is not the platform's: then it reaches the caller as it is. */
    public fun classify(error: Throwable): ErrorInfo? = null

    /**
     * Something by which [outcomeOf] can later find out about the transaction that is open on [session]; null if that is not
     * possible. Called right before the commit if [StoragePolicy.resolveTimeout] is positive.
     */
    public suspend fun outcomeToken(session: S): Any? = null

    /** On another session: how the commit of [token] ended. Null if that is not decided yet. */
    public suspend fun outcomeOf(session: S, token: Any): TxnStatus? = null
}

/**
 * Where sessions come from: a Carom pool, or a fixed number in memory ([LocalSessions]).
 *
 * @param S the session.
 */
public interface SessionSource<S : Any> {
    /** Most sessions at a time. At least 1. */
    public val capacity: Int

    /** A session that is ready, if nobody waits for one; else null. Never waits. */
    public fun tryLease(): SessionLease<S>?

    /**
     * Waits for a session, first come, first served. *Cancelled:* the place in the queue is given back, and a session
     * that was granted at that moment too.
     *
     * @param holder who asks, for reports.
     */
    public suspend fun lease(holder: String): SessionLease<S>

    /**
     * [tryLease] for somebody who wants a certain session: [wish] is what [withWish] was given, null without. Default: any
     * session will do.
     */
    public fun tryLease(wish: Any?): SessionLease<S>? = tryLease()

    /** [lease] for somebody who wants a certain session. */
    public suspend fun lease(holder: String, wish: Any?): SessionLease<S> = lease(holder)

    /** Destroys the idle sessions, and the lent ones when they come back. Returns when none is left. */
    public suspend fun close()
}

/** One session on loan. One of the two ends is called, once. */
public interface SessionLease<S : Any> {
    public val session: S

    /**
     * Says that the server refused a write although it was asked for one: it may have been demoted. The loan goes on. Default:
     * nobody is told.
     */
    public fun report(cause: Throwable) {}

    /** Gives it back. Never waits. */
    public fun giveBack()

    /** Ends the session. Never waits. */
    public fun destroy(cause: Throwable?)
}
