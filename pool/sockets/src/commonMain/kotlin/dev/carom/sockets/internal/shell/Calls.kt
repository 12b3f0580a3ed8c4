package dev.carom.sockets.internal.shell

import dev.carom.sockets.internal.state.Failure
import dev.carom.sockets.internal.state.Message
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive

/** A call that the state has been told of. All of it is guarded by the socket's guard. */
internal class Call(val id: Long) {
    /** Null until it is decided; then it never changes. */
    var outcome: Outcome? = null

    /** Who waits for the outcome, if somebody has had to. */
    var waiting: CancellableContinuation<Unit>? = null
}

internal sealed interface Outcome {
    /** The socket is closed, or closes meanwhile. */
    val isClosed: Boolean get() = this is Failed && failure == Failure.Closed

    data object Done : Outcome

    /** [pipe] is null if it is gone. */
    class Delivered(val message: Message, val pipe: Pipe?) : Outcome

    class Failed(val failure: Failure) : Outcome
}

/** The calls that are not decided yet. Guarded by the socket's guard. */
internal class CallBook {
    private val open = HashMap<Long, Call>()

    /** The call that the state is being told of: most are decided before it must be found again. */
    private var latest: Call? = null
    private var last = 0L

    fun number(): Long = ++last

    /** A call, after the state was told of it. */
    inline fun begin(id: Long, tell: () -> Unit): Call {
        val call = Call(id)
        latest = call
        tell()
        latest = null
        if (call.outcome == null) open[id] = call
        return call
    }

    fun remove(call: Call): Boolean = open.remove(call.id) != null

    fun decide(id: Long, outcome: Outcome, after: Afterwards) {
        val own = latest
        if (own != null && own.id == id) {
            // Nobody waits yet.
            own.outcome = outcome
            return
        }
        val call = open.remove(id) ?: return
        call.outcome = outcome
        after.resume(call)
    }
}

/**
 * What is to be done when the guard has been let go of: what may call back. In this order: links are flushed before
 * anybody's code goes on, for that may take its time.
 */
internal class Afterwards {
    private var flushes: ArrayList<Pipe>? = null
    private var orders: ArrayList<() -> Unit>? = null
    private var decided: ArrayList<Call>? = null
    private var last: Pipe? = null

    fun flush(pipe: Pipe) {
        if (pipe === last) return
        last = pipe
        (flushes ?: ArrayList<Pipe>(2).also { flushes = it }).add(pipe)
    }

    fun then(order: () -> Unit) {
        (orders ?: ArrayList<() -> Unit>(2).also { orders = it }).add(order)
    }

    fun resume(call: Call) {
        (decided ?: ArrayList<Call>(4).also { decided = it }).add(call)
    }

    inline fun run(resume: (Call) -> Unit) {
        flushes?.forEach { it.flush() }
        orders?.forEach { it() }
        decided?.forEach(resume)
    }
}

/**
 * A scope that is cancelled tells one child after another. If the socket has heard of it before its caller, who lives in
 * the same scope, the caller is cancelled all the same: that the socket closed is no failure then.
 */
@OptIn(ExperimentalCoroutinesApi::class)
internal suspend fun leaveIfCancelled() {
    var job = currentCoroutineContext()[Job]
    while (job != null) {
        job.ensureActive()
        job = job.parent
    }
}
