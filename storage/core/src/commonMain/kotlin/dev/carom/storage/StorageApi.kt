package dev.carom.storage

import dev.carom.storage.internal.Wish
import kotlinx.coroutines.flow.Flow
import kotlin.coroutines.CoroutineContext
import kotlin.random.Random

/** Which of the three handles something is. The numbers are stable. */
public enum class StorageMode(public val code: Int) {
    POOL(1),
    CONN(2),
    TXN(3),
}

/**
 * A family of storage, compared by [id]. Users add their own.
 *
 * @property id lower case, words joined by hyphens. Not empty.
 */
public class StorageKind(public val id: String) {
    init {
        require(id.isNotEmpty()) { "the id of a storage kind must not be empty" }
    }

    override fun equals(other: Any?): Boolean = other is StorageKind && other.id == id

    override fun hashCode(): Int = id.hashCode()

    override fun toString(): String = id

    public companion object {
        public val UNKNOWN: StorageKind = StorageKind("unknown")
        public val RELATIONAL: StorageKind = StorageKind("relational")
        public val DOCUMENT: StorageKind = StorageKind("document")
        public val GRAPH: StorageKind = StorageKind("graph")
        public val KEY_VALUE: StorageKind = StorageKind("key-value")
        public val WIDE_COLUMN: StorageKind = StorageKind("wide-column")
        public val CHANGE_SET: StorageKind = StorageKind("change-set")
    }
}

/**
 * Identity of one pool and of everything taken from it: the key under which its connection and its transaction travel in
 * the coroutine context. Compared by identity, so two pools never mix.
 *
 * @property name for messages.
 */
public class StorageLane(public val name: String) : CoroutineContext.Key<CoroutineContext.Element> {
    /** Told by the runner, counted by the pool. */
    internal var retried: (Int, Throwable) -> Unit = { _, _ -> }

    /** Under which [withWish] is found. */
    internal val wishes: CoroutineContext.Key<Wish> = object : CoroutineContext.Key<Wish> {}

    /** For the waits between runs. */
    internal var random: Random = Random.Default

    override fun toString(): String = name
}

/** What a pool, a connection and a transaction have in common. */
public interface StorageApi {
    public val mode: StorageMode

    public val kind: StorageKind

    /** The same for a pool and all that comes from it. */
    public val lane: StorageLane
}

/** Something that ends by [commit] or by [rollback]. */
public interface StorageTxn : StorageApi {
    /** Where it stands now. */
    public val status: TxnStatus

    /** What runs when it ends. */
    public val hooks: TxnHooks

    /**
     * Ends the transaction and keeps what was done. Open rows are closed first.
     *
     * *Cancelled* before the commit was sent: rolled back. After: not reached by cancellation; it waits up to
     * [StoragePolicy.commitTimeout] for the answer and returns or throws what the platform said.
     *
     * @throws StorageException.TxnFinished if it has ended before.
     * @throws StorageException.TxnFailed if the platform would only accept a rollback; it is rolled back.
     * @throws StorageException.CommitOutcomeUnknown if no answer came.
     * @throws StorageException.UnfinishedTxn if a transaction nested in it is open; both are rolled back.
     */
    public suspend fun commit()

    /**
     * Ends the transaction and drops what was done. A running operation is cancelled first; open rows are closed. Not
     * reached by cancellation; bounded by [StoragePolicy.rollbackTimeout], after which the session is destroyed.
     *
     * @throws StorageException.TxnFinished if it has ended before.
     */
    public suspend fun rollback()
}

/**
 * Something that can start a transaction: a pool, a connection, or a transaction that supports nesting.
 *
 * @param T the transaction.
 */
public interface Transactable<out T : StorageTxn> : StorageApi {
    /**
     * Starts a transaction. On a pool it has a session of its own, returned when it ends; on a connection it uses that
     * one; on a transaction it is a savepoint.
     *
     * Bound to the calling coroutine unless [TxnPolicy.owned] is false: when that ends, the transaction is rolled back.
     * Prefer [txn], which ends it in any case.
     *
     * *Cancelled:* no transaction is left behind, nor a session.
     *
     * @throws StorageException.UnsupportedIsolation before anything is sent.
     */
    public suspend fun beginTxn(policy: TxnPolicy): T

    /** [beginTxn] with the platform's defaults. */
    public suspend fun beginTxn(): T = beginTxn(TxnPolicy.DEFAULT)
}

/** A transaction that can have others inside it: savepoints. */
public interface NestingTxn<out T : StorageTxn> :
    StorageTxn,
    Transactable<T>

/**
 * One session on loan, until [close]. Operations of several coroutines run one after the other, first come first served.
 *
 * @param T the transaction.
 */
public interface StorageConn<out T : StorageTxn> : Transactable<T> {
    /** Where it stands now. */
    public val status: ConnStatus

    /** The loan behind it. */
    public val leaseInfo: LeaseInfo

    /**
     * Gives the session back, after what runs and what waits on this connection; returns when that is done. New operations
     * are refused at once. Rows and a transaction that the caller itself left open are ended: it could wait for ever.
     * Calling again waits for the first call. Never throws because of the session; not stopped by cancellation.
     */
    public suspend fun close()

    /** [close] that cancels what runs, refuses what waits and rolls back what is open. */
    public suspend fun closeNow()

    /** Tells that the session must not be used again: it is destroyed at [close], and operations are refused. */
    public fun markBroken(cause: Throwable)
}

/**
 * Sessions of one storage, lent for one operation, one transaction, or as a connection. All functions may be called from
 * any thread; whoever waits for a session is served first come, first served.
 *
 * @param C the connection.
 * @param T the transaction.
 */
public interface StoragePool<out C : StorageConn<T>, out T : StorageTxn> : Transactable<T> {
    /** The name given at opening; appears in messages and notices. */
    public val name: String

    /** The policy given at opening. */
    public val policy: StoragePolicy

    /**
     * Borrows a session. Not bound to the calling coroutine: whoever calls must [StorageConn.close] it. Prefer [conn].
     *
     * @throws StorageException.PoolClosed at once, if the pool is closed or closing.
     * @throws StorageException.AcquireTimeout after [StoragePolicy.acquireTimeout].
     * @throws StorageException.PoolDeadlock if everybody who has a session waits for another one.
     */
    public suspend fun conn(): C

    /**
     * Closes the pool: refuses and fails what waits, lets what is lent be used to its end for [drainMillis], then cancels,
     * rolls back and destroys. Returns when no session is left. Calling again joins the same closing and can only shorten
     * it. Cancelling the caller does not stop the closing.
     *
     * @param drainMillis milliseconds, not negative; [Long.MAX_VALUE] waits for ever.
     * @throws StorageException.WouldWaitForSelf if it waits for ever and the caller has a session of this pool.
     */
    public suspend fun close(drainMillis: Long)

    /** [close] that waits for ever. */
    public suspend fun close(): Unit = close(Long.MAX_VALUE)

    /** Counts, now. Works in every state. */
    public fun stats(): StorageStats

    /** What happens beside the calls, each with its reason. Hot; a collector 256 behind loses the oldest. */
    public val notices: Flow<StorageNotice>
}

/** Where a transaction stands. */
public enum class TxnStatus {
    /** Nothing was sent yet, no session is taken. */
    LAZY,
    ACTIVE,

    /** The platform accepts only a rollback; operations are refused without asking it. */
    FAILED,
    COMMITTING,
    ROLLING_BACK,
    COMMITTED,
    ROLLED_BACK,

    /** The commit was sent and its answer did not come. */
    UNKNOWN,
    ;

    /** Whether it has ended, one way or another. */
    public val isEnded: Boolean get() = this == COMMITTED || this == ROLLED_BACK || this == UNKNOWN
}

/** Who ended a transaction. */
public enum class TxnEnd {
    COMMIT,
    ROLLBACK,

    /** The coroutine it was bound to was cancelled. */
    OWNER_CANCELLED,

    /** The coroutine it was bound to ended without ending it. */
    OWNER_COMPLETED,

    /** Nobody used it for [TxnPolicy.idleTimeout]. */
    OWNER_IDLE,
    TIMEOUT,
    POOL_CLOSED,
    CONN_CLOSED,

    /** The transaction around it ended. */
    PARENT,

    /** The platform, or the loss of the session. */
    PLATFORM,
}

/** Where a connection stands. */
public enum class ConnStatus { OPEN, CLOSING, CLOSED, BROKEN }
