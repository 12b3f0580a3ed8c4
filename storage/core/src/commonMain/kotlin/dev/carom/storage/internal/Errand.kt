package dev.carom.storage.internal

import dev.carom.storage.CancelClass
import dev.carom.storage.CancelMode
import dev.carom.storage.OpOptions
import dev.carom.storage.ResetLevel
import dev.carom.storage.StorageException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.coroutines.CoroutineContext

/**
 * One operation of a pool, from the asking for a session to the giving back. Whoever gives a session back starts the next
 * operation, which gives it back itself before its caller knows of it: so a session that many wait for is never idle while
 * threads tell each other about it.
 * ```
 * caller ──asks──▶ desk ──granted──▶ worker ──ENDED──▶ gives back, wakes the caller
 *    └─── cancelled, out of time, pool closed ──▶ a Stop: the caller settles it and gives back
 * ```
 */
@OptIn(ExperimentalAtomicApi::class)
internal class Errand<S : Any, R>(
    private val engine: Engine<S>,
    private val options: OpOptions,
    private val block: suspend (S) -> R,
) {
    /** [ENDED] or a [Stop]: whoever comes first gives the session back. */
    private val fate = AtomicReference<Any?>(null)

    /** Wakes the caller. */
    private val done = Job()

    /** The work, once it has a session; null if it came to nothing. */
    private val work = CompletableDeferred<Work<S>?>()

    @Volatile private var ran: Ran<R> = Ran.Abandoned

    /** The time was over, and it ran on. */
    @Volatile private var late = false

    @Volatile private var outcome: Kept<R>? = null

    private class Work<S : Any>(val lease: Lease<S>, val worker: Job, val timer: Job?)

    private val letsRun get() = engine.policy.cancelMode == CancelMode.LET_RUN

    suspend fun run(): R {
        val context = currentCoroutineContext()
        val ready = engine.desk.ready(context)
        val place = if (ready != null) null else engine.desk.ask(context) { told(it, context) }
        if (ready != null) begin(ready, context)
        try {
            place?.await(done)
            if (!done.isCompleted) done.join()
        } catch (e: CancellationException) {
            if (place?.isGone == true) throw e
            withContext(NonCancellable) { leave(Stop.ByCaller(e)) }
            throw e
        }
        val stop = fate.load() as? Stop
        if (stop != null) withContext(NonCancellable) { settle(stop) }
        return checkNotNull(outcome).get()
    }

    private fun told(place: Asking<S>, context: CoroutineContext) {
        val lease = try {
            engine.desk.taken(place.session(), context)
        } catch (refused: Throwable) {
            outcome = Kept(null, refused)
            work.complete(null)
            done.complete()
            return
        }
        begin(lease, context)
    }

    private fun begin(lease: Lease<S>, context: CoroutineContext) {
        lease.use.begins()
        lease.escalation.onStop { stop(Stop.ByForce { engine.closed(null) }) }
        val limit = options.timeout
        val timer = if (limit.isFinite()) engine.scope.launch { delay(limit).also { timeOver() } } else null
        val worker = engine.launchCall(context) {
            ran = if (fate.load() == null) ranOf { block(lease.session) } else notBegun()
            if (fate.compareAndSet(null, ENDED)) ended(lease, timer)
        }
        work.complete(Work(lease, worker, timer))
    }

    private fun ended(lease: Lease<S>, timer: Job?) {
        timer?.cancel()
        val verdict = if (late) Verdict(ran, Stop.ByTimeout, CancelClass.NOT_SENT) else Verdict(ran, null, null)
        outcome = keepingFailure { engine.conclude(lease, verdict) }
        giveBack(lease)
        done.complete()
    }

    private fun timeOver() {
        if (letsRun) late = true else stop(Stop.ByTimeout)
    }

    private fun stop(why: Stop) {
        if (fate.compareAndSet(null, why)) done.complete()
    }

    /** The caller is cancelled: returns when the session is back, or cut off. */
    private suspend fun leave(why: Stop) {
        if (letsRun) done.join()
        fate.compareAndSet(null, why)
        val stop = fate.load() as? Stop
        if (stop == null) done.join() else settle(stop)
    }

    private suspend fun settle(stop: Stop) {
        val (lease, worker, timer) = work.await()?.let { Triple(it.lease, it.worker, it.timer) } ?: return
        timer?.cancel()
        val result =
            if (worker.isCompleted) CancelClass.NOT_SENT else Settling(engine, lease.session).settle(worker) { ran }
        val what = if (result.isAbandoned) Ran.Abandoned else ran
        outcome = keepingFailure { engine.conclude(lease, Verdict(what, stop, result)) }
        giveBack(lease)
    }

    private fun giveBack(lease: Lease<S>) {
        lease.used()
        lease.end(ResetLevel.TRACKED)
    }

    private companion object {
        val ENDED = Any()
    }
}
