package dev.carom.storage.internal

import dev.carom.storage.DestroyReason
import dev.carom.storage.OpOptions
import dev.carom.storage.SessionHold
import dev.carom.storage.StorageException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicBoolean
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/**
 * A session kept for one operation or for several calls.
 *
 * @param leave gives the session back to where it came from, once.
 * @param ended what a call gets after the end.
 * @param savepoint what to go back to if a call fails.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class HoldCore<S : Any>(
    private val engine: Engine<S>,
    private val lease: Lease<S>,
    private val options: OpOptions,
    private val ended: () -> StorageException,
    private val savepoint: AutoSavepoint<S>? = null,
    private val leave: () -> Unit,
) : SessionHold<S> {
    private val mutex = Mutex()
    private val ending = AtomicBoolean(false)
    private val left = CompletableDeferred<Unit>()

    @Volatile private var stopped: (() -> StorageException)? = null

    @Volatile private var failed = false

    @Volatile private var running: Running<S>? = null

    @Volatile private var cleanup: (suspend (S) -> Unit)? = null
    private var owner: DisposableHandle? = null

    override val isEnded: Boolean get() = ending.load()

    override suspend fun <R> call(block: suspend (S) -> R): R = mutex.withLock { callHere(block) }

    private suspend fun <R> callHere(block: suspend (S) -> R): R {
        if (isEnded) throw (stopped ?: ended)()
        val mine = Running(engine, lease.session)
        running = mine
        // Whoever stops sets the reason first and then looks for a call: one of the two sees the other.
        stopped?.let { throw it() }
        lease.use.begins()
        try {
            return engine.conclude(lease, mine.run(options.timeout, block))
        } catch (failure: Throwable) {
            failed = true
            throw failure
        } finally {
            running = null
            lease.used()
        }
    }

    override fun onEnd(cleanup: suspend (S) -> Unit) {
        this.cleanup = cleanup
    }

    override suspend fun end() {
        if (ending.compareAndSet(false, true)) {
            withContext(NonCancellable) {
                mutex.withLock { clean() }
                savepoint?.end(keep = !failed)
            }
            owner?.dispose()
            leave()
            left.complete(Unit)
        } else {
            withContext(NonCancellable) { left.join() }
        }
    }

    private suspend fun clean() {
        val action = cleanup ?: return
        if (lease.isSpoiled) return
        when (val ran = engine.shielded(lease, engine.policy.cancelGrace, action)) {
            is Ran.Returned -> Unit
            is Ran.Threw -> lease.spoil(DestroyReason.BROKEN, ran.failure)
            is Ran.Abandoned -> lease.spoil(DestroyReason.CANCEL_TIMEOUT, null)
        }
    }

    /** For one operation: who called it will end it. */
    fun stopCall(why: () -> StorageException) {
        stopped = why
        running?.stop(why)
    }

    /** For what stays open: nobody may be there to end it. */
    fun stopAndEnd(why: () -> StorageException) {
        stopCall(why)
        engine.launchShielded { end() }
    }

    /** Ends this when the calling coroutine ends. */
    suspend fun bindToCaller() {
        if (!options.owned) return
        owner = currentCoroutineContext()[Job]?.invokeOnCompletion { stopAndEnd(ended) }
        if (isEnded) owner?.dispose()
    }

    /** It may be forgotten. */
    fun watch() = lease.watch()

    /** The whole of an operation. */
    suspend fun <R> runAndEnd(block: suspend (S) -> R): R {
        try {
            return callHere(block)
        } finally {
            if (savepoint != null) withContext(NonCancellable) { savepoint.end(keep = !failed) }
            leaveNow()
        }
    }

    private fun leaveNow() {
        if (!ending.compareAndSet(false, true)) return
        leave()
        left.complete(Unit)
    }
}
