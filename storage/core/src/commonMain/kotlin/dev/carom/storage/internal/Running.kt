package dev.carom.storage.internal

import dev.carom.storage.CancelClass
import dev.carom.storage.CancelMode
import dev.carom.storage.StorageException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.Volatile
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration

/** What a call came to, before anybody has judged it. */
internal sealed interface Ran<out R> {
    class Returned<R>(val value: R) : Ran<R>

    class Threw(val failure: Throwable) : Ran<Nothing>

    /** It has not ended; its session was cut off. */
    data object Abandoned : Ran<Nothing>
}

internal inline fun <R> ranOf(block: () -> R): Ran<R> = try {
    Ran.Returned(block())
} catch (e: Throwable) {
    Ran.Threw(e)
}

/** Why a call was stopped. */
internal sealed interface Stop {
    /** @property why a cancellation, or the interrupt of a thread. */
    class ByCaller(val why: Throwable) : Stop

    data object ByTimeout : Stop

    class ByForce(val why: () -> StorageException) : Stop
}

/** @property stop null if the call ended by itself. */
internal class Verdict<out R>(val ran: Ran<R>, val stop: Stop?, val result: CancelClass?)

/**
 * One call on a session. It runs in a coroutine of the pool, not in a child of the caller: so a caller can leave when the
 * grace is over, and not before. See [RunningHere] for a caller who blocks.
 */
@OptIn(ExperimentalCoroutinesApi::class)
internal class Running<S : Any>(private val engine: Engine<S>, private val session: S) {
    /** Null: the call has ended. */
    private val wake = CompletableDeferred<Stop?>()

    @Volatile private var here: RunningHere<S>? = null

    @Volatile private var stopping = false

    /** Stops the call from outside. */
    fun stop(why: () -> StorageException) {
        if (wake.complete(Stop.ByForce(why))) here?.stopped()
    }

    suspend fun <R> run(limit: Duration, block: suspend (S) -> R): Verdict<R> {
        val context = currentCoroutineContext()
        val caller = engine.callerIn(context) ?: return runElsewhere(context, limit, block)
        return RunningHere(engine, session, wake).also { here = it }.run(caller, limit, block)
    }

    private suspend fun <R> runElsewhere(
        context: CoroutineContext,
        limit: Duration,
        block: suspend (S) -> R,
    ): Verdict<R> {
        var ran: Ran<R> = Ran.Abandoned
        var begun = true
        val worker = engine.launchCall(context) {
            begun = !stopping && !wake.isCompleted
            ran = if (begun) ranOf { block(session) } else notBegun()
        }
        val stop = when {
            !worker.isCompleted -> awaitEnd(worker, limit)

            begun -> null

            // From outside: nobody else can have said anything yet.
            else -> wake.getCompleted()
        }
        if (stop == null) return Verdict(ran, null, null)
        if (engine.policy.cancelMode == CancelMode.LET_RUN && stop !is Stop.ByForce) {
            withContext(NonCancellable) { wake.join() }
        }
        stopping = true
        val result =
            if (worker.isCompleted) CancelClass.NOT_SENT else Settling(engine, session).settle(worker) { ran }
        return Verdict(if (result.isAbandoned) Ran.Abandoned else ran, stop, result)
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
}
