package dev.carom.storage

import kotlin.time.Duration
import kotlin.time.Duration.Companion.INFINITE
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How much of other transactions one sees. The numbers are stable.
 *
 * @property words the SQL key words; empty for [DEFAULT].
 */
public enum class Isolation(public val code: Int, public val words: String) {
    /** Whatever the platform does; always accepted, sends nothing. */
    DEFAULT(1, ""),
    READ_UNCOMMITTED(2, "READ UNCOMMITTED"),
    READ_COMMITTED(3, "READ COMMITTED"),
    WRITE_COMMITTED(4, "WRITE COMMITTED"),
    REPEATABLE_READ(5, "REPEATABLE READ"),
    SNAPSHOT(6, "SNAPSHOT"),
    SERIALIZABLE(7, "SERIALIZABLE"),
    LINEARIZABLE(8, "LINEARIZABLE"),
}

/** What [txn] does about a transaction that is already open in the coroutine's context, on the same pool. */
public enum class Propagation {
    /** Uses it; the one who began it ends it. Begins one if there is none. */
    REQUIRED,

    /** Begins another one on a session of its own. */
    REQUIRES_NEW,

    /** Begins one inside it (a savepoint), or one if there is none. */
    NESTED,

    /** Refuses: [StorageException.TxnInProgress]. Begins one if there is none. */
    NEVER,

    /** Uses it; refuses if there is none: [StorageException.NoTxn]. */
    MANDATORY,
}

/** What happens when a coroutine uses a transaction while another coroutine's operation runs in it. */
public enum class ConcurrentUse {
    /** The second is refused: [StorageException.ConcurrentTxnUse]. */
    FAIL,

    /** The second waits for the first; first come, first served. */
    QUEUE,
}

/** What becomes of a transaction when a block that joined it throws and the caller catches that. */
public enum class JoinFailure {
    /** Nothing: whoever began it decides. */
    LEAVE,

    /** It can only be rolled back: [StorageException.TxnRollbackOnly] at the end. */
    MARK_ROLLBACK_ONLY,
}

/**
 * How a transaction is run. Checked when constructed. From Java: `TxnPolicyBuilder`.
 *
 * @property isolation [Isolation.DEFAULT] sends nothing. A level the adapter lacks is refused before a session is taken.
 * @property readOnly null sends nothing. True is refused if neither the platform nor this layer can keep it; writes are
 *   refused with [StorageException.ReadOnlyViolation]. False asks for writing where the platform has words for that.
 * @property timeout longest time from its begin to the sending of its commit; a running operation is cancelled then, and it
 *   is rolled back. Positive; [INFINITE] never.
 * @property propagation about a transaction that is already open; used by [txn] only.
 * @property lazy takes a session and begins at the first operation.
 * @property concurrentUse about a second coroutine.
 * @property joinFailure about a joined block that throws.
 * @property retry whether [txn] runs its block again; only where it began the transaction, not inside another.
 * @property strictHooks whether a failing hook after the commit is thrown, as [StorageException.HookFailed].
 * @property owned whether [Transactable.beginTxn] binds it to the calling coroutine.
 * @property label for reports; may be empty.
 * @property idleTimeout longest time without an operation; then it is rolled back, so that nobody's locks are held by
 *   somebody who went away. At least 1 ms; [INFINITE] never.
 * @property autoSavepoint whether each operation has a savepoint of its own: one that fails is undone alone, and the
 *   transaction stays ACTIVE on every platform that has savepoints. Costs two more round trips for each operation.
 */
public class TxnPolicy(
    public val isolation: Isolation = Isolation.DEFAULT,
    public val readOnly: Boolean? = null,
    public val timeout: Duration = INFINITE,
    public val propagation: Propagation = Propagation.REQUIRED,
    public val lazy: Boolean = false,
    public val concurrentUse: ConcurrentUse = ConcurrentUse.FAIL,
    public val joinFailure: JoinFailure = JoinFailure.LEAVE,
    public val retry: RetryPolicy = RetryPolicy.NONE,
    public val strictHooks: Boolean = false,
    public val owned: Boolean = true,
    public val label: String = "",
    public val idleTimeout: Duration = INFINITE,
    public val autoSavepoint: Boolean = false,
) {
    init {
        require(timeout.isPositive()) { "timeout must be positive, was $timeout" }
        require(idleTimeout >= 1.milliseconds) { "idleTimeout must be at least 1 ms, was $idleTimeout" }
    }

    /** The same, bound to no coroutine. */
    public fun unowned(): TxnPolicy = with(owned = false)

    /** The same, for reading only or for writing. */
    public fun readOnly(readOnly: Boolean): TxnPolicy = with(readOnly = readOnly)

    /** For a block that the runner itself watches. */
    internal fun inBlock(): TxnPolicy = with(timeout = INFINITE, owned = false)

    private fun with(
        readOnly: Boolean? = this.readOnly,
        timeout: Duration = this.timeout,
        owned: Boolean = this.owned,
    ): TxnPolicy = TxnPolicy(
        isolation,
        readOnly,
        timeout,
        propagation,
        lazy,
        concurrentUse,
        joinFailure,
        retry,
        strictHooks,
        owned,
        label,
        idleTimeout,
        autoSavepoint,
    )

    override fun toString(): String =
        "TxnPolicy(isolation=$isolation, readOnly=$readOnly, timeout=$timeout, propagation=$propagation, lazy=$lazy, " +
            "concurrentUse=$concurrentUse, joinFailure=$joinFailure, retry=$retry, strictHooks=$strictHooks, " +
            "owned=$owned, label=$label, idleTimeout=$idleTimeout, autoSavepoint=$autoSavepoint)"

    public companion object {
        /** The platform's defaults. */
        public val DEFAULT: TxnPolicy = TxnPolicy()
    }
}

/**
 * Which failed transactions [txn] runs again, from the beginning of the block, each time in a new transaction. Never after
 * a cancellation, and never when the outcome of a commit is unknown. The block must be one that can be run again: side
 * effects belong into [TxnHooks.afterCommit].
 *
 * @property attempts how many times the block runs at most, the first included. 1..100; 1 never retries.
 * @property start the longest wait before the second run. At least 0.
 * @property max the longest wait of all; waits double up to it, and each is drawn at random between 0 and its bound ("full
 *   jitter"). At least [start]; finite.
 * @property categories which failures; [ErrorCategory.CANCELLED] is not allowed.
 */
public class RetryPolicy(
    public val attempts: Int = DEFAULT_ATTEMPTS,
    public val start: Duration = 10.milliseconds,
    public val max: Duration = 1.seconds,
    categories: Set<ErrorCategory> = setOf(ErrorCategory.SERIALIZATION, ErrorCategory.DEADLOCK),
) {
    public val categories: Set<ErrorCategory> = categories.toSet()

    init {
        require(attempts in 1..MAX_ATTEMPTS) { "attempts must be in 1..$MAX_ATTEMPTS, was $attempts" }
        require(!start.isNegative()) { "start must not be negative, was $start" }
        require(max >= start && max.isFinite()) { "max must be at least start ($start) and finite, was $max" }
        require(ErrorCategory.CANCELLED !in categories) { "categories must not contain CANCELLED, was $categories" }
    }

    override fun toString(): String =
        if (attempts == 1) "none" else "RetryPolicy(attempts=$attempts, start=$start, max=$max, categories=$categories)"

    public companion object {
        private const val DEFAULT_ATTEMPTS = 3
        private const val MAX_ATTEMPTS = 100

        /** Never retries. */
        public val NONE: RetryPolicy = RetryPolicy(attempts = 1)

        /** Up to [attempts] runs after serialization failures and deadlocks. */
        public fun serializable(attempts: Int): RetryPolicy = RetryPolicy(attempts)
    }
}
