package dev.carom.storage.split

import dev.carom.storage.OpOptions
import dev.carom.storage.Propagation
import dev.carom.storage.SessionSource
import dev.carom.storage.Sessions
import dev.carom.storage.StoragePool
import dev.carom.storage.StorageTxn
import dev.carom.storage.TxnPolicy
import dev.carom.storage.internal.laneElement
import dev.carom.storage.split.internal.SplitSource
import dev.carom.storage.txn
import dev.carom.storage.withWish
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration
import kotlin.time.TimeSource

/**
 * Makes one pool over a primary and its replicas:
 *
 *     val split = Split(roles, replication, SplitPolicy(), TimeSource.Monotonic)
 *     val pool = scope.openStorage("orders", driver, split.source)
 *     val orders = split.over(pool, pool)
 *
 * @param S the session.
 * @param timeSource must advance together with `delay`: in `runTest`, `testScheduler.timeSource`.
 */
public class Split<S : Any>(
    roles: RoleSource<S>,
    private val replication: Replication<S>,
    private val policy: SplitPolicy,
    timeSource: TimeSource,
) {
    public constructor(roles: RoleSource<S>, replication: Replication<S>) :
        this(roles, replication, SplitPolicy(), TimeSource.Monotonic)

    private val splitSource = SplitSource(roles, replication, policy, timeSource)

    /** Where the pool takes its sessions: of the primary, unless a read has asked for others. */
    public val source: SessionSource<S> get() = splitSource

    /**
     * Reads and writes on [pool], which stands on [source].
     *
     * @param sessions the same pool, as sessions.
     */
    public fun <P : StoragePool<*, T>, T : StorageTxn> over(pool: P, sessions: Sessions<S>): SplitPool<P, T> =
        SplitPool(pool, { splitSource.stats }, policy.checkTimeout) { sessions.use(OpOptions.READ, replication::token) }
}

/**
 * One storage with several servers: writes go to the primary, reads to a replica that is far enough for them.
 *
 * @property pool everything else; its operations go to the primary.
 * @param P the pool.
 * @param T the transaction.
 */
public class SplitPool<out P : StoragePool<*, T>, T : StorageTxn> internal constructor(
    public val pool: P,
    private val counts: () -> SplitStats,
    private val tokenTimeout: Duration,
    private val tokenNow: suspend () -> WriteToken,
) {
    /**
     * Runs [block] in a read-only transaction on a replica that serves [consistency]; on the primary if none does and
     * [SplitPolicy.allowPrimaryReads] says so. Inside a transaction of this pool it joins that, wherever it is.
     *
     * *Cancelled:* as [txn].
     *
     * @throws dev.carom.storage.StorageException.AcquireTimeout if no server serves it in time.
     * @throws dev.carom.storage.StorageException.ReadOnlyViolation if the block writes; or what the platform says of that.
     */
    public suspend fun <R> read(
        consistency: Consistency,
        policy: TxnPolicy,
        block: suspend CoroutineScope.(T) -> R,
    ): R = pool.withWish(consistency) { pool.txn(policy.readOnly(true), block) }

    /** [read] with the defaults of the platform. */
    public suspend fun <R> read(consistency: Consistency, block: suspend CoroutineScope.(T) -> R): R =
        read(consistency, TxnPolicy.DEFAULT, block)

    /**
     * Runs [block] in a transaction on the primary. What it returns comes with a token by which a read elsewhere sees what was
     * written; [WriteToken.UNKNOWN] if the primary did not tell, or if this joined a transaction that is not committed yet.
     *
     * *Cancelled:* as [txn]; not any more once the commit was sent.
     *
     * @throws dev.carom.storage.StorageException.TxnPolicyConflict inside a [read].
     */
    public suspend fun <R> write(policy: TxnPolicy, block: suspend CoroutineScope.(T) -> R): Written<R> {
        val joins = policy.propagation != Propagation.REQUIRES_NEW &&
            currentCoroutineContext().laneElement(pool.lane)?.txn != null
        val value = pool.txn(policy.readOnly(false), block)
        return Written(value, if (joins) WriteToken.UNKNOWN else token())
    }

    /** [write] with the defaults of the platform. */
    public suspend fun <R> write(block: suspend CoroutineScope.(T) -> R): Written<R> = write(TxnPolicy.DEFAULT, block)

    /**
     * Begins what [read] runs its block in, bound to nobody: whoever calls ends it. For callers without a block.
     *
     * *Cancelled:* no transaction is left behind, nor a session.
     */
    public suspend fun beginRead(consistency: Consistency, policy: TxnPolicy): T =
        pool.withWish(consistency) { pool.beginTxn(policy.readOnly(true).unowned()) }

    /**
     * A place in the primary's log behind everything that is committed now; [WriteToken.UNKNOWN] if the primary does not tell
     * within [SplitPolicy.checkTimeout]. Not stopped by cancellation: what was written is written, and that must not be
     * hidden by what happens afterwards.
     */
    public suspend fun token(): WriteToken = withContext(NonCancellable) {
        try {
            withTimeoutOrNull(tokenTimeout) { tokenNow() } ?: WriteToken.UNKNOWN
        } catch (_: Throwable) {
            // Also a CancellationException: it would be the pool's own.
            WriteToken.UNKNOWN
        }
    }

    /** Where reads went. */
    public fun stats(): SplitStats = counts()

    override fun toString(): String = "split of $pool, ${stats()}"
}

/**
 * Where reads went.
 *
 * @property replicaReads sessions of replicas taken for reads.
 * @property primaryReads sessions of the primary taken for reads, because no replica served them or for [Consistency.LATEST].
 */
public class SplitStats internal constructor(public val replicaReads: Long, public val primaryReads: Long) {
    override fun toString(): String = "$replicaReads reads on replicas, $primaryReads on the primary"
}
