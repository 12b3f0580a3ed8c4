package dev.carom.storage

/** What kind of failure a platform reported. */
public enum class ErrorCategory {
    CANCELLED,
    SERIALIZATION,
    DEADLOCK,
    UNIQUE,
    FOREIGN_KEY,
    NOT_NULL,
    CHECK,
    CONNECTION,
    AUTH,
    SYNTAX,
    READ_ONLY,
    RESOURCE,
    TIMEOUT,
    OTHER,
}

/**
 * Why an operation on a storage failed. Never a `CancellationException`: a deadline does not look like cancellation.
 *
 * @property pool the pool's name.
 */
public sealed class StorageException(public val pool: String, message: String, cause: Throwable? = null) :
    RuntimeException("$pool: $message", cause) {

    /** Whether the same thing may work when it is tried again. */
    public open val isTransient: Boolean get() = false

    /** The pool is closed or closing, or ended while it was used. */
    public class PoolClosed internal constructor(pool: String, message: String, cause: Throwable? = null) :
        StorageException(pool, message, cause)

    /** No session could be had in time. The cause is the last failure to connect, if there was one. */
    public class AcquireTimeout internal constructor(
        pool: String,
        message: String,
        public val holders: List<LeaseInfo>,
        public val waiting: Int,
        cause: Throwable?,
    ) : StorageException(pool, message, cause) {
        override val isTransient: Boolean get() = true
    }

    /** [StoragePolicy.maxWaiters] callers are waiting already. */
    public class AcquireRejected internal constructor(pool: String, message: String, public val waiting: Int) :
        StorageException(pool, message) {
        override val isTransient: Boolean get() = true
    }

    /** Everybody who has a session waits for another one; this is the youngest of them. */
    public class PoolDeadlock internal constructor(pool: String, message: String, public val holders: List<LeaseInfo>) :
        StorageException(pool, message)

    /** The session source could not give a session. */
    public class ConnectFailed public constructor(pool: String, message: String, cause: Throwable?) :
        StorageException(pool, message, cause) {
        override val isTransient: Boolean get() = true
    }

    /** The connection is closed or closing. */
    public class ConnClosed internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** The session behind the connection is lost. */
    public class ConnBroken internal constructor(pool: String, message: String, cause: Throwable?) :
        StorageException(pool, message, cause)

    /**
     * The transaction has ended, or is ending.
     *
     * @property status how.
     * @property end who ended it.
     */
    public class TxnFinished internal constructor(
        pool: String,
        message: String,
        public val status: TxnStatus,
        public val end: TxnEnd?,
    ) : StorageException(pool, message)

    /** The platform accepts only a rollback in this transaction. */
    public class TxnFailed internal constructor(pool: String, message: String, cause: Throwable?) :
        StorageException(pool, message, cause)

    /** It was marked for rollback, so nothing was committed. */
    public class TxnRollbackOnly internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** A transaction was left open where it had to end. It was rolled back. */
    public class UnfinishedTxn internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** The adapter has no savepoints. */
    public class NestedTxnNotSupported internal constructor(pool: String, message: String) :
        StorageException(pool, message)

    /** The running transaction cannot do what the joining one asks for. */
    public class TxnPolicyConflict internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** [Propagation.NEVER] found a transaction. */
    public class TxnInProgress internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** [Propagation.MANDATORY] found no transaction. */
    public class NoTxn internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** Nothing was put into the coroutine's context under this slot. */
    public class NoStorageInContext internal constructor(slot: String, message: String) :
        StorageException(slot, message)

    /** The adapter does not have this isolation level. */
    public class UnsupportedIsolation internal constructor(
        pool: String,
        message: String,
        public val isolation: Isolation,
    ) : StorageException(pool, message)

    /** A write in a read-only transaction. */
    public class ReadOnlyViolation internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** The commit was sent and no answer came: it may have happened or not. Never retried. */
    public class CommitOutcomeUnknown internal constructor(pool: String, message: String, cause: Throwable?) :
        StorageException(pool, message, cause)

    /** The caller would wait for what only it can end. */
    public class WouldWaitForSelf internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** The caller has rows open on this connection or transaction. */
    public class CursorOpen internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** Another coroutine uses this transaction right now, and its policy says [ConcurrentUse.FAIL]. */
    public class ConcurrentTxnUse internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** `next` was called while another call of it had not returned. */
    public class ConcurrentNext internal constructor(pool: String, message: String) : StorageException(pool, message)

    /** A limit of ours ran out: of an operation, a transaction, or a step of ending one. */
    public class OpTimeout internal constructor(pool: String, message: String, cause: Throwable? = null) :
        StorageException(pool, message, cause) {
        override val isTransient: Boolean get() = true
    }

    /** Hooks failed after the end of a transaction, whose policy says [TxnPolicy.strictHooks]. Its outcome stands. */
    public class HookFailed internal constructor(
        pool: String,
        message: String,
        public val outcome: TxnStatus,
        cause: Throwable?,
    ) : StorageException(pool, message, cause)

    /** A Java thread was interrupted while it waited; the operation was cancelled and settled. */
    public class Interrupted internal constructor(pool: String, message: String, cause: Throwable?) :
        StorageException(pool, message, cause)

    /** The number of rows, or what is in one, is not what was asked for. */
    public class BadRow internal constructor(message: String, cause: Throwable? = null) :
        StorageException("row", message, cause)

    /** Parameters do not fit the placeholders. Nothing was sent. */
    public class BadParams internal constructor(message: String) : StorageException("parameters", message)

    /**
     * The platform refused.
     *
     * @property category what kind of failure.
     * @property code the platform's own number; 0 if it has none.
     * @property state the platform's own word, for SQL the SQLSTATE; empty if it has none.
     */
    public class Platform internal constructor(
        pool: String,
        message: String,
        public val category: ErrorCategory,
        public val code: Int,
        public val state: String,
        cause: Throwable,
    ) : StorageException(pool, message, cause) {
        override val isTransient: Boolean
            get() = category == ErrorCategory.SERIALIZATION || category == ErrorCategory.DEADLOCK ||
                category == ErrorCategory.CONNECTION
    }
}

/**
 * Who has a session.
 *
 * @property id unique within the pool.
 * @property holder who asked for it.
 * @property ageMillis for how long.
 * @property idleMillis how long nothing has run on it; 0 while something runs.
 * @property trace where it was taken, if [StoragePolicy.traceLeases] says so.
 */
public class LeaseInfo(
    public val id: Long,
    public val holder: String,
    public val ageMillis: Long,
    public val idleMillis: Long,
    public val trace: LeaseTrace? = null,
) {
    /** What was made of it, for the runner. */
    internal var face: Any? = null

    override fun toString(): String = "\"$holder\" for $ageMillis ms"
}

/** Where a session was taken: never thrown, only shown. */
public class LeaseTrace internal constructor(holder: String) : RuntimeException("taken here by \"$holder\"")
