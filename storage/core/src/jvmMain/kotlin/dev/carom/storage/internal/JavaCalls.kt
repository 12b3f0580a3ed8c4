@file:JvmName("JavaCalls")

package dev.carom.storage.internal

import dev.carom.storage.BlockingStorageDriver
import dev.carom.storage.Capabilities
import dev.carom.storage.ErrorInfo
import dev.carom.storage.PoolCore
import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionSource
import dev.carom.storage.SessionTxn
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageException
import dev.carom.storage.StorageKind
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnPolicy
import dev.carom.storage.openStorage
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.time.Duration
import kotlin.random.Random
import kotlin.time.toKotlinDuration

/**
 * Blocks this thread until [block] returns. An interrupt cancels [block]; when that has settled, it is thrown as
 * [StorageException.Interrupted], and the thread is interrupted still.
 */
internal fun <T> call(pool: String, block: suspend () -> T): T {
    // What need not wait would go through otherwise.
    if (Thread.currentThread().isInterrupted) throw interrupted(pool, InterruptedException())
    return begun(pool, block)
}

/** [call] that begins [block] in any case, as [runBlocking] does: it looks for an interrupt when it waits for the first time. */
private fun <T> begun(pool: String, block: suspend () -> T): T = try {
    runBlocking(CallerContexts.captured() + CallingThread(Thread.currentThread())) { block() }
} catch (e: InterruptedException) {
    Thread.currentThread().interrupt()
    throw interrupted(pool, e)
}

private fun interrupted(pool: String, why: InterruptedException) =
    StorageException.Interrupted(pool, "the thread was interrupted while it waited", why)

/** [call] for what has no result. */
internal fun run(pool: String, block: suspend () -> Unit): Unit = call(pool, block)

/** [call] for what must be ended by whoever gets it: a result that came although the interrupt was first goes to [late]. */
internal fun <T : Any> take(pool: String, late: suspend (T) -> Unit, block: suspend () -> T): T {
    var taken: T? = null
    try {
        return call(pool) { block().also { taken = it } }
    } catch (failure: Throwable) {
        // A cancelled coroutine that ends well all the same has its result dropped by runBlocking.
        taken?.let { uninterrupted(pool) { late(it) } }
        throw failure
    }
}

/**
 * The end of something: not left out because the thread is interrupted, whether it was before or is just now. What an
 * interrupt may still end is the waiting for it.
 */
internal fun uninterrupted(pool: String, block: suspend () -> Unit) {
    val interrupted = Thread.interrupted()
    try {
        begun(pool, block)
    } finally {
        if (interrupted) Thread.currentThread().interrupt()
    }
}

/** Opens with [open] in a scope of its own, which ends when what was opened in it has ended. */
internal fun <T> inOwnScope(open: (CoroutineScope) -> T): T {
    val owner = SupervisorJob()
    return open(CoroutineScope(Dispatchers.Default + owner)).also { owner.complete() }
}

internal fun <S : Any> openCore(
    name: String,
    driver: StorageDriver<S>,
    source: SessionSource<S>,
    policy: StoragePolicy,
): PoolCore<S> = inOwnScope { it.openStorage(name, driver, source, policy) }

/** Whole milliseconds, as many as a Long holds. */
internal fun drainMillis(drain: Duration): Long {
    require(!drain.isNegative) { "drain must not be negative, was $drain" }
    return drain.toKotlinDuration().inWholeMilliseconds
}

/** The wait before the next run of a block, in milliseconds; -1 if there is none. */
internal class Retrying(policy: TxnPolicy) {
    private val state = RetryState(policy.retry, Random.Default)
    val attempts: Int get() = state.attempts

    fun failed(failure: Throwable): Long = state.failed(failure)?.inWholeMilliseconds ?: -1
}

private const val THREADS = 64

/** A driver whose calls block, on threads for that. They are not interrupted: what stops them is its cancel. */
internal class BlockingDriverAdapter<S : Any>(private val blocking: BlockingStorageDriver<S>) : StorageDriver<S> {
    private val workers = Dispatchers.IO.limitedParallelism(THREADS, "carom-storage")

    override val kind: StorageKind get() = blocking.kind()
    override val capabilities: Capabilities get() = blocking.capabilities()

    override suspend fun begin(session: S, policy: TxnPolicy) = on { blocking.begin(session, policy) }

    override suspend fun commit(session: S) = on { blocking.commit(session) }

    override suspend fun rollback(session: S) = on { blocking.rollback(session) }

    override suspend fun savepoint(session: S, name: String) = on { blocking.savepoint(session, name) }

    override suspend fun releaseSavepoint(session: S, name: String) = on { blocking.releaseSavepoint(session, name) }

    override suspend fun rollbackToSavepoint(session: S, name: String) = on {
        blocking.rollbackToSavepoint(session, name)
    }

    override fun txnOf(session: S): SessionTxn = blocking.txnOf(session)

    override suspend fun cancel(session: S, call: Job) = on { blocking.cancel(session) }

    override fun isClean(session: S, level: ResetLevel): Boolean = blocking.isClean(session, level)

    override suspend fun reset(session: S, level: ResetLevel) = on { blocking.reset(session, level) }

    override fun abort(session: S) = blocking.abort(session)

    override fun classify(error: Throwable): ErrorInfo? = blocking.classify(error)

    override suspend fun outcomeToken(session: S): Any? = on { blocking.outcomeToken(session) }

    override suspend fun outcomeOf(session: S, token: Any) = on { blocking.outcomeOf(session, token) }

    // Two contexts: one that both shields and changes threads would lose the result to a cancellation.
    suspend fun <T> on(block: () -> T): T = withContext(NonCancellable) { withContext(workers) { block() } }
}
