package dev.carom.storage.internal

import dev.carom.storage.CancelClass
import dev.carom.storage.CancelMode
import dev.carom.storage.ErrorCategory
import dev.carom.storage.StorageException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.coroutines.ContinuationInterceptor
import kotlin.time.Duration

/** What a call came to, before anybody has judged it. */
internal sealed interface Ran<out R> {
    class Returned<R>(val value: R) : Ran<R>

    class Threw(val failure: Throwable) : Ran<Nothing>

    /** It has not ended; its session was cut off. */
    data object Abandoned : Ran<Nothing>
}

/** Why a call was stopped. */
internal sealed interface Stop {
    class ByCaller(val cancellation: CancellationException) : Stop

    data object ByTimeout : Stop

    class ByForce(val why: () -> StorageException) : Stop
}

/** @property stop null if the call ended by itself. */
internal class Verdict<out R>(val ran: Ran<R>, val stop: Stop?, val result: CancelClass?)

/**
 * One call on a session. It runs in a coroutine of the pool, not in a child of the caller: so a caller can leave when the
 * grace is over, and not before.
 */
internal class Running<S : Any>(private val engine: Engine<S>, private val session: S) {
    /** Null: the call has ended. */
    private val wake = CompletableDeferred<Stop?>()

    /** Stops the call from outside. */
    fun stop(why: () -> StorageException) {
        wake.complete(Stop.ByForce(why))
    }

    suspend fun <R> run(limit: Duration, block: suspend (S) -> R): Verdict<R> {
        var ran: Ran<R> = Ran.Abandoned
        val context = currentCoroutineContext().minusKey(Job).minusKey(ContinuationInterceptor)
        val worker = engine.scope.launch(context, CoroutineStart.UNDISPATCHED) {
            ran = try {
                Ran.Returned(block(session))
            } catch (e: Throwable) {
                Ran.Threw(e)
            }
        }
        val stop = if (worker.isCompleted) null else awaitEnd(worker, limit)
        if (stop == null) return Verdict(ran, null, null)
        if (engine.policy.cancelMode == CancelMode.LET_RUN && stop !is Stop.ByForce) {
            withContext(NonCancellable) { wake.join() }
        }
        val result = if (worker.isCompleted) CancelClass.NOT_SENT else settle(worker) { ran.isCancelled() }
        val abandoned = result == CancelClass.TIMEOUT || result == CancelClass.CUT_OFF
        return Verdict(if (abandoned) Ran.Abandoned else ran, stop, result)
    }

    private suspend fun awaitEnd(worker: Job, limit: Duration): Stop? {
        worker.invokeOnCompletion { wake.complete(null) }
        return try {
            if (limit.isInfinite()) wake.join() else withTimeoutOrNull(limit) { wake.join() }
            if (wake.isCompleted) wake.await() else Stop.ByTimeout
        } catch (e: CancellationException) {
            Stop.ByCaller(e)
        }
    }

    private suspend fun settle(worker: Job, cancelled: () -> Boolean): CancelClass = withContext(NonCancellable) {
        val events = Channel<CancelEvent>(Channel.UNLIMITED)
        worker.invokeOnCompletion { events.trySend(CancelEvent.Ended(cancelled())) }
        events.trySend(CancelEvent.Requested)
        val policy = engine.policy
        var state =
            CancelState(policy.cancelGrace, policy.cancelRepeat, destroys = policy.cancelMode == CancelMode.DESTROY)
        var result: CancelClass? = null
        // Requests go out though the pool is cancelled, and end when the session is cut off.
        val reach = Job()
        while (result == null) {
            val wait = state.nextDeadline?.let { it - engine.now } ?: Duration.INFINITE
            val event = withTimeoutOrNull(wait) { events.receive() } ?: CancelEvent.Tick
            val step = state.on(event, engine.now)
            state = step.state
            for (effect in step.effects) {
                when (effect) {
                    is CancelEffect.Send -> send(worker, events, reach)

                    is CancelEffect.Abort -> {
                        abort(worker)
                        reach.cancel()
                    }

                    is CancelEffect.Settled -> result = effect.result
                }
            }
        }
        engine.countCancel(result)
        result
    }

    private fun send(worker: Job, events: Channel<CancelEvent>, reach: Job) {
        engine.scope.launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                withContext(reach) { engine.driver.cancel(session, worker) }
            } catch (e: Throwable) {
                // Nothing depends on whether a request went well: only the end of the call counts.
                if (e is CancellationException) throw e
            } finally {
                events.trySend(CancelEvent.Answered)
            }
        }
    }

    private fun abort(worker: Job) {
        engine.driver.abort(session)
        worker.cancel()
    }

    private fun Ran<*>.isCancelled(): Boolean = this is Ran.Threw &&
        (failure is CancellationException || engine.driver.classify(failure)?.category == ErrorCategory.CANCELLED)
}
