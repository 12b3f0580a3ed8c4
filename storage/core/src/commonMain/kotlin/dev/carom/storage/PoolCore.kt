package dev.carom.storage

import dev.carom.storage.internal.Engine
import dev.carom.storage.internal.Errand
import dev.carom.storage.internal.HoldCore
import dev.carom.storage.internal.PoolHome
import dev.carom.storage.internal.laneElement
import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

/**
 * A pool of any storage: everything but its operations. [typed] gives it the type that has them.
 *
 * @param S the session.
 */
public class PoolCore<S : Any> private constructor(internal val engine: Engine<S>, private val job: CompletableJob) :
    StoragePool<ConnCore<S>, TxnCore<S>>,
    Sessions<S> {
    override val mode: StorageMode get() = StorageMode.POOL
    override val kind: StorageKind get() = engine.driver.kind
    override val lane: StorageLane get() = engine.lane
    override val name: String get() = engine.name
    override val policy: StoragePolicy get() = engine.policy
    override val notices: Flow<StorageNotice> get() = engine.notices

    /** Who has sessions now. */
    public fun leases(): List<LeaseInfo> = engine.loans()

    override suspend fun <R> use(options: OpOptions, block: suspend (S) -> R): R =
        if (engine.worksHere(currentCoroutineContext())) {
            open(options).runAndEnd(block)
        } else {
            Errand(engine, options, block).run()
        }

    override suspend fun hold(options: OpOptions): SessionHold<S> {
        val hold = open(options)
        hold.watch()
        hold.bindToCaller()
        return hold
    }

    private suspend fun open(options: OpOptions): HoldCore<S> {
        val lease = engine.desk.lease()
        val hold = HoldCore(engine, lease, options, { engine.closed(null) }) { lease.end(ResetLevel.TRACKED) }
        lease.escalation.onStop { hold.stopAndEnd { engine.closed(null) } }
        return hold
    }

    override suspend fun conn(): ConnCore<S> = ConnCore(engine, engine.desk.lease())

    override suspend fun beginTxn(policy: TxnPolicy): TxnCore<S> {
        val txn = TxnCore(engine, policy, PoolHome(engine), currentCoroutineContext())
        txn.start()
        return txn
    }

    override fun stats(): StorageStats = engine.stats()

    override suspend fun close(drainMillis: Long) {
        require(drainMillis >= 0) { "drainMillis must not be negative, was $drainMillis" }
        val drain = if (drainMillis == Long.MAX_VALUE) Duration.INFINITE else drainMillis.milliseconds
        val own = currentCoroutineContext().laneElement(lane)?.leases.orEmpty()
        if (drain.isInfinite() && own.any { id -> id in engine.desk.state.loans }) {
            throw StorageException.WouldWaitForSelf(
                name,
                "the caller closes the pool and has ${own.size} of its sessions",
            )
        }
        engine.desk.close(drain)
        engine.desk.closed.join()
        job.complete()
    }

    /**
     * This pool with the operations of its type: what [conn] and [txn] make of the plain handles.
     *
     * `class MyPool(c: PoolCore<S>) : StoragePool<MyConn, MyTxn> by c.typed(::MyConn, ::MyTxn), MyOps by MyOpsOn(c)`
     */
    public fun <C : StorageConn<T>, T : StorageTxn> typed(
        conn: (ConnCore<S>) -> C,
        txn: (TxnCore<S>) -> T,
    ): StoragePool<C, T> = TypedPool(this, conn, txn)

    /**
     * Sessions of the transaction in the caller's context, else of its connection, else of this pool. A cold flow decides
     * when it is collected.
     */
    public fun nearest(): Sessions<S> = NearestSessions(this)

    override fun toString(): String = "storage pool $name: ${stats()}"

    internal companion object {
        fun <S : Any> open(
            scope: CoroutineScope,
            name: String,
            driver: StorageDriver<S>,
            source: SessionSource<S>,
            policy: StoragePolicy,
            timeSource: TimeSource,
            random: Random,
        ): PoolCore<S> {
            require(name.isNotEmpty()) { "the name of a pool must not be empty" }
            val job = SupervisorJob(scope.coroutineContext[Job])
            val inner = CoroutineScope(scope.coroutineContext + job)
            val core = PoolCore(Engine(name, driver, source, policy, inner, timeSource, random), job)
            // Told of a cancellation when it happens, not when everything has ended: what hangs is to be cut off.
            val watch = inner.launch(start = CoroutineStart.UNDISPATCHED) {
                try {
                    awaitCancellation()
                } finally {
                    core.engine.desk.close(Duration.ZERO)
                }
            }
            val leaks = if (policy.leakAfter.isFinite()) {
                core.engine.leaks.start(core.engine) { core.engine.desk.all }
            } else {
                null
            }
            core.engine.desk.closed.invokeOnCompletion {
                watch.cancel()
                leaks?.cancel()
            }
            return core
        }
    }
}

/**
 * Opens a pool in this scope, of which it is a child: the scope does not complete while the pool is open, and when it is
 * cancelled, everything lent is cut off.
 *
 * @param name for messages and notices. Not empty.
 * @param driver what the storage is.
 * @param source where its sessions come from.
 * @param policy the numbers.
 * @param timeSource must advance together with `delay` in this scope: in `runTest`, `testScheduler.timeSource`.
 * @param random for the waits between retries.
 */
public fun <S : Any> CoroutineScope.openStorage(
    name: String,
    driver: StorageDriver<S>,
    source: SessionSource<S>,
    policy: StoragePolicy,
    timeSource: TimeSource,
    random: Random,
): PoolCore<S> = PoolCore.open(this, name, driver, source, policy, timeSource, random)

/** [openStorage] with the clock and the dice of the system. */
public fun <S : Any> CoroutineScope.openStorage(
    name: String,
    driver: StorageDriver<S>,
    source: SessionSource<S>,
    policy: StoragePolicy = StoragePolicy(),
): PoolCore<S> = openStorage(name, driver, source, policy, TimeSource.Monotonic, Random.Default)

private class TypedPool<S : Any, C : StorageConn<T>, T : StorageTxn>(
    private val core: PoolCore<S>,
    private val wrapConn: (ConnCore<S>) -> C,
    private val wrapTxn: (TxnCore<S>) -> T,
) : StoragePool<C, T> {
    override val mode: StorageMode get() = core.mode
    override val kind: StorageKind get() = core.kind
    override val lane: StorageLane get() = core.lane
    override val name: String get() = core.name
    override val policy: StoragePolicy get() = core.policy
    override val notices: Flow<StorageNotice> get() = core.notices

    override suspend fun conn(): C = wrapConn(core.conn())

    override suspend fun beginTxn(policy: TxnPolicy): T = wrapTxn(core.beginTxn(policy))

    override fun stats(): StorageStats = core.stats()

    override suspend fun close(drainMillis: Long): Unit = core.close(drainMillis)

    override fun toString(): String = core.toString()
}

private class NearestSessions<S : Any>(private val pool: PoolCore<S>) : Sessions<S> {
    override suspend fun <R> use(options: OpOptions, block: suspend (S) -> R): R = here().use(options, block)

    override suspend fun hold(options: OpOptions): SessionHold<S> = here().hold(options)

    private suspend fun here(): Sessions<S> {
        val element = currentCoroutineContext().laneElement(pool.lane) ?: return pool
        // The cores put themselves behind the typed faces: this lane is this pool's, so the sessions are its too.
        @Suppress("UNCHECKED_CAST")
        return (
            element.txn?.hooks?.anchor?.sessions
                ?: element.conn?.let { pool.engine.desk.find(it.leaseInfo.id)?.face }
                ?: pool
            )
            as Sessions<S>
    }
}
