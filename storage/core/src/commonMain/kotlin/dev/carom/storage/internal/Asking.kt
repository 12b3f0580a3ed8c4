package dev.carom.storage.internal

import dev.carom.storage.SessionLease
import dev.carom.storage.StorageException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext

/**
 * One who asks the source for a session. The answer and the giving up race for one cell.
 *
 * @param told see [LeaseDesk.ask]. If the driver has threads, in the middle of a giving back: must be short.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class Asking<S : Any>(
    private val engine: Engine<S>,
    private val context: CoroutineContext,
    private val wish: Any?,
    number: Long,
    private val told: (Asking<S>) -> Unit,
) : Waiter(number, context.laneElement(engine.lane)?.leases.orEmpty()) {
    /** Null: nobody has said anything; a lease; a [Refused]; [GONE]. */
    private val answer = AtomicReference<Any?>(null)

    @Volatile private var asker: Job? = null

    private class Refused(val why: Throwable)

    // With threads of their own for the calls, there is nothing to do for a thread in between: who gives a session back
    // starts the next call.
    private val between get() = if (engine.driver.threads == null) EmptyCoroutineContext else Dispatchers.Unconfined

    fun ask() {
        asker = engine.scope.launch(between, CoroutineStart.UNDISPATCHED) {
            val outcome: Any = try {
                engine.source.lease(holderOf(context), wish)
            } catch (e: Throwable) {
                Refused(e)
            }
            if (!answer(outcome)) late(outcome)
        }
        if (answer.load() != null) asker?.cancel()
    }

    fun refuse(why: StorageException) {
        answer(Refused(why))
        asker?.cancel()
    }

    private fun answer(outcome: Any): Boolean {
        // First: a caller who is cancelled at this moment returns as soon as there is an answer, and must not be counted then.
        engine.desk.gone(this)
        if (!answer.compareAndSet(null, outcome)) return false
        told(this)
        return true
    }

    private fun late(outcome: Any?) {
        (outcome as? SessionLease<*>)?.giveBack()
    }

    /** An answer that nobody can take any more. */
    fun dropAnswer() = late(answer.load())

    /** Whether it was given up before there was an answer. */
    val isGone: Boolean get() = answer.load() === GONE

    private fun giveUp(): Boolean {
        if (!answer.compareAndSet(null, GONE)) return false
        engine.desk.gone(this)
        asker?.cancel()
        return true
    }

    /** Waits until [done]; gives up when the time is over, or the caller is cancelled, unless there is an answer by then. */
    suspend fun await(done: Job) {
        try {
            val limit = engine.policy.acquireTimeout
            if (limit.isInfinite()) done.join() else withTimeoutOrNull(limit) { done.join() }
        } catch (e: CancellationException) {
            giveUp()
            throw e
        }
        if (giveUp()) throw engine.desk.timeout()
    }

    /** What was answered. */
    @Suppress("UNCHECKED_CAST")
    fun session(): SessionLease<S> = when (val outcome = answer.load()) {
        is Refused -> throw failure(outcome.why)
        else -> checkNotNull(outcome) as SessionLease<S>
    }

    private fun failure(cause: Throwable): Throwable = when {
        cause is StorageException -> cause
        !engine.scope.isActive || engine.desk.state.phase != LeaseState.Phase.Open -> engine.closed(cause)
        else -> StorageException.ConnectFailed(engine.name, "no session: ${cause.message}", cause)
    }

    private companion object {
        val GONE = Any()
    }
}
