package dev.carom.storage.internal

import dev.carom.storage.CancelClass
import dev.carom.storage.CancelMode
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicBoolean
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.time.Duration

/**
 * A call on the thread of a caller who blocks anyway: no other thread takes part, unless it is to be stopped. Then a coroutine
 * of the pool sees to that, and the caller waits until both have ended.
 *
 * @param wake why it is to be stopped; null once it has ended.
 */
@OptIn(ExperimentalAtomicApi::class, ExperimentalCoroutinesApi::class)
internal class RunningHere<S : Any>(
    private val engine: Engine<S>,
    private val session: S,
    private val wake: CompletableDeferred<Stop?>,
) {
    private val settled = CompletableDeferred<CancelClass>()
    private val settling = AtomicBoolean(false)

    @Volatile private var worker: Job? = null

    @Volatile private var ran: Ran<*> = Ran.Abandoned

    suspend fun <R> run(caller: Caller, limit: Duration, block: suspend (S) -> R): Verdict<R> {
        val context = currentCoroutineContext()
        val over = Job()
        val timer = if (limit.isFinite()) engine.scope.launch { delay(limit).also { stop(Stop.ByTimeout) } } else null
        caller.guarded({ stop(Stop.ByCaller(it)) }) {
            engine.scope.launch(context.minusKey(Job), CoroutineStart.UNDISPATCHED) {
                worker = coroutineContext.job
                ran = if (wake.isCompleted) notBegun() else ranOf { block(session) }
                over.complete()
            }
        }
        if (!over.isCompleted) awaitEnd(over)
        timer?.cancel()
        val stop = if (wake.complete(null)) null else wake.getCompleted()
        val result = if (settling.load()) withContext(NonCancellable) { settled.await() } else CancelClass.NOT_SENT

        @Suppress("UNCHECKED_CAST")
        val what = if (result.isAbandoned) Ran.Abandoned else ran as Ran<R>
        return Verdict(what, stop, result.takeIf { stop != null })
    }

    /** It has suspended: the thread is free to see its own interrupt. */
    private suspend fun awaitEnd(over: Job) {
        settled.invokeOnCompletion { over.cancel() }
        try {
            over.join()
        } catch (e: CancellationException) {
            stop(Stop.ByCaller(e))
            withContext(NonCancellable) { over.join() }
        }
    }

    private fun stop(why: Stop) {
        if (wake.complete(why)) stopped()
    }

    /** Somebody wants the end. Before the call has begun that is enough; it looks. */
    fun stopped() {
        val call = worker ?: return
        val byForce = wake.getCompleted() is Stop.ByForce
        if (engine.policy.cancelMode == CancelMode.LET_RUN && !byForce) return
        if (!settling.compareAndSet(expectedValue = false, newValue = true)) return
        engine.launchShielded { settled.complete(Settling(engine, session).settle(call) { ran }) }
    }
}
