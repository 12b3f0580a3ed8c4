package dev.carom.storage

import kotlin.time.Duration
import kotlin.time.Duration.Companion.INFINITE
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What a session may still get from a cancel request that was sent for an operation that then ended by itself. */
public enum class CancelRoute {
    /** Nothing: the server had closed the request before the operation was taken for settled. */
    DIRECT,

    /** Anything: a proxy may pass it on later. Such a session is destroyed. */
    PROXY,
}

/** What becomes of a running operation whose caller is cancelled, or whose time is over. */
public enum class CancelMode {
    /**
     * It is stopped on the server, and the session stays in use when that is proven: the caller returns when the operation
     * has ended and no request to stop it is under way. After [StoragePolicy.cancelGrace] the session is destroyed instead.
     */
    FENCE,

    /** Its session is destroyed at once: for servers or proxies on which a request to stop cannot be relied on. */
    DESTROY,

    /**
     * It runs to its end, and the caller returns then; for statements that must not be torn. Only the pool's own end
     * stops it.
     */
    LET_RUN,
}

/** What operations on a connection do while a transaction of another coroutine is open on it. */
public enum class OpsDuringTxn {
    /** They wait until it has ended; those of its own coroutine are refused, for they would wait for ever. */
    QUEUE,

    /** They are refused: [StorageException.ConcurrentTxnUse]. */
    FAIL,

    /** They run in it, as if they had been called on it: for code that is not told of the transaction. */
    JOIN,
}

/**
 * The numbers of a storage pool; those of opening and keeping sessions belong to its [SessionSource]. Checked when
 * constructed. From Java: `StoragePolicyBuilder`.
 *
 * @property acquireTimeout longest wait for a session. Positive; [INFINITE] waits for ever.
 * @property maxWaiters most callers waiting for a session; further ones are refused at once. At least 0.
 * @property cancelGrace how long a cancelled operation may take to end before its session is destroyed. Positive and finite.
 * @property cancelRepeat time between the first and the second cancel request; doubles up to 500 ms. At least 1 ms, finite.
 * @property cancelRoute whether a late cancel request is possible.
 * @property beginTimeout longest wait for the answer to a begin. Positive and finite.
 * @property commitTimeout longest wait for the answer to a commit. Positive and finite.
 * @property rollbackTimeout longest wait for the answer to a rollback, also to one of a savepoint. Positive and finite.
 * @property resetTimeout longest clean-up of a session that comes back. Positive and finite.
 * @property hookTimeout longest run of one hook after the end. Positive and finite.
 * @property resolveTimeout longest search for the outcome of an unanswered commit, where the adapter can do that. Zero never
 *   searches; finite.
 * @property opsDuringTxn about operations on a connection whose transaction another coroutine has.
 * @property leakAfter how long nothing may run on a session that somebody has before [StorageNotice.LeakSuspected] is told.
 *   At least 10 ms; [INFINITE] never tells.
 * @property traceLeases whether each loan remembers where it was taken ([LeaseInfo.trace]); costs a stack trace each.
 * @property reset how thoroughly a session is cleaned after it was lent as a connection.
 * @property cancelMode what becomes of a running operation whose caller is cancelled.
 */
public class StoragePolicy(
    public val acquireTimeout: Duration = 30.seconds,
    public val maxWaiters: Int = Int.MAX_VALUE,
    public val cancelGrace: Duration = 2.seconds,
    public val cancelRepeat: Duration = 20.milliseconds,
    public val cancelRoute: CancelRoute = CancelRoute.DIRECT,
    public val beginTimeout: Duration = 30.seconds,
    public val commitTimeout: Duration = 30.seconds,
    public val rollbackTimeout: Duration = 5.seconds,
    public val resetTimeout: Duration = 5.seconds,
    public val hookTimeout: Duration = 10.seconds,
    public val resolveTimeout: Duration = Duration.ZERO,
    public val opsDuringTxn: OpsDuringTxn = OpsDuringTxn.QUEUE,
    public val reset: ResetLevel = ResetLevel.FULL,
    public val leakAfter: Duration = 60.seconds,
    public val traceLeases: Boolean = false,
    public val cancelMode: CancelMode = CancelMode.FENCE,
) {
    init {
        require(acquireTimeout.isPositive()) { "acquireTimeout must be positive, was $acquireTimeout" }
        require(maxWaiters >= 0) { "maxWaiters must be at least 0, was $maxWaiters" }
        bounded("cancelGrace", cancelGrace)
        bounded("cancelRepeat", cancelRepeat)
        bounded("beginTimeout", beginTimeout)
        bounded("commitTimeout", commitTimeout)
        bounded("rollbackTimeout", rollbackTimeout)
        bounded("resetTimeout", resetTimeout)
        bounded("hookTimeout", hookTimeout)
        require(leakAfter >= 10.milliseconds) { "leakAfter must be at least 10 ms, was $leakAfter" }
        require(!resolveTimeout.isNegative() && resolveTimeout.isFinite()) {
            "resolveTimeout must not be negative and must be finite, was $resolveTimeout"
        }
    }

    override fun toString(): String =
        "StoragePolicy(acquireTimeout=$acquireTimeout, maxWaiters=$maxWaiters, cancelGrace=$cancelGrace, " +
            "cancelRepeat=$cancelRepeat, cancelRoute=$cancelRoute, beginTimeout=$beginTimeout, " +
            "commitTimeout=$commitTimeout, rollbackTimeout=$rollbackTimeout, resetTimeout=$resetTimeout, " +
            "hookTimeout=$hookTimeout, resolveTimeout=$resolveTimeout, opsDuringTxn=$opsDuringTxn, reset=$reset, " +
            "leakAfter=$leakAfter, traceLeases=$traceLeases, cancelMode=$cancelMode)"

    private companion object {
        fun bounded(name: String, value: Duration) {
            require(value >= 1.milliseconds && value.isFinite()) {
                "$name must be at least 1 ms and finite, was $value"
            }
        }
    }
}

/** How thoroughly a session is cleaned before somebody else gets it. */
public enum class ResetLevel {
    /** Not at all. */
    NONE,

    /** What this library changed is undone, and an open transaction is rolled back. */
    TRACKED,

    /** The platform's own complete reset, where it has one; else [TRACKED]. */
    FULL,
}

/** What an operation does to the data; read-only transactions refuse [WRITE]. */
public enum class Access { UNKNOWN, READ, WRITE }

/**
 * What one operation asks for. Checked when constructed. From Java: `OpOptionsBuilder`.
 *
 * @property timeout longest run of the operation itself, each page of rows counted alone; it is cancelled then and throws
 *   [StorageException.OpTimeout]. Positive; [INFINITE] never.
 * @property access what it does to the data.
 * @property fetchSize rows asked for at once. 1..100000.
 * @property maxRows rows delivered at most; 0 is no limit. At least 0.
 * @property generatedKeys whether an insert reports the keys it made.
 * @property owned whether open rows are bound to the calling coroutine: closed when it ends.
 * @property label for reports; may be empty.
 */
public class OpOptions(
    public val timeout: Duration = INFINITE,
    public val access: Access = Access.UNKNOWN,
    public val fetchSize: Int = DEFAULT_FETCH,
    public val maxRows: Long = 0,
    public val generatedKeys: Boolean = false,
    public val owned: Boolean = true,
    public val label: String = "",
) {
    init {
        require(timeout.isPositive()) { "timeout must be positive, was $timeout" }
        require(fetchSize in 1..MAX_FETCH) { "fetchSize must be in 1..$MAX_FETCH, was $fetchSize" }
        require(maxRows >= 0) { "maxRows must be at least 0, was $maxRows" }
    }

    /** The same with another [access]. */
    public fun access(access: Access): OpOptions =
        OpOptions(timeout, access, fetchSize, maxRows, generatedKeys, owned, label)

    /** The same, bound to no coroutine. */
    public fun unowned(): OpOptions = OpOptions(
        timeout,
        access,
        fetchSize,
        maxRows,
        generatedKeys,
        owned = false,
        label,
    )

    override fun toString(): String =
        "OpOptions(timeout=$timeout, access=$access, fetchSize=$fetchSize, maxRows=$maxRows, " +
            "generatedKeys=$generatedKeys, owned=$owned, label=$label)"

    public companion object {
        private const val DEFAULT_FETCH = 256
        private const val MAX_FETCH = 100_000

        /** No limit, access unknown. */
        public val DEFAULT: OpOptions = OpOptions()

        /** An operation that only reads. */
        public val READ: OpOptions = OpOptions(access = Access.READ)

        /** An operation that changes data. */
        public val WRITE: OpOptions = OpOptions(access = Access.WRITE)
    }
}
