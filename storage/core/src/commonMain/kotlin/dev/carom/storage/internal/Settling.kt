package dev.carom.storage.internal

import dev.carom.storage.CancelClass
import dev.carom.storage.CancelMode
import dev.carom.storage.ErrorCategory
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.withContext
import kotlin.time.Duration

/** Stops a call for certain: feeds a [CancelState] and does what it says. */
@OptIn(ExperimentalCoroutinesApi::class)
internal class Settling<S : Any>(private val engine: Engine<S>, private val session: S) {
    /**
     * Returns when [worker] and all requests to stop it have ended, or the session was cut off.
     *
     * @param ran what it came to.
     */
    suspend fun settle(worker: Job, ran: () -> Ran<*>): CancelClass = withContext(NonCancellable) {
        val events = Channel<CancelEvent>(Channel.UNLIMITED)
        worker.invokeOnCompletion { events.trySend(CancelEvent.Ended(ran().isCancelled())) }
        events.trySend(CancelEvent.Requested)
        val policy = engine.policy
        var state =
            CancelState(policy.cancelGrace, policy.cancelRepeat, destroys = policy.cancelMode == CancelMode.DESTROY)
        var result: CancelClass? = null
        // Requests go out though the pool is cancelled, and end when the session is cut off.
        val reach = Job()
        while (result == null) {
            val wait = state.nextDeadline?.let { it - engine.now } ?: Duration.INFINITE
            val event = events.nextWithin(wait)
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

    /** Not a receive that is timed out: one that got its event at that very moment would drop it. */
    private suspend fun Channel<CancelEvent>.nextWithin(wait: Duration): CancelEvent = select {
        onReceive { it }
        if (wait.isFinite()) onTimeout(wait) { CancelEvent.Tick }
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

/** What was not begun, because somebody wanted its end before. */
internal fun notBegun(): Ran<Nothing> = Ran.Threw(CancellationException("stopped before it was begun"))

internal val CancelClass.isAbandoned: Boolean get() = this == CancelClass.TIMEOUT || this == CancelClass.CUT_OFF
