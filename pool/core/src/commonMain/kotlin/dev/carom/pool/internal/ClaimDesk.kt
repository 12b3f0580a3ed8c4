package dev.carom.pool.internal

import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.concurrent.Volatile
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration

/** What the desk tells the pool. Called from any thread; must not block. */
internal interface DeskEvents {
    fun returned(slot: Long, outcome: Outcome)

    /** Few connections are free, or somebody waits, for the first time since [ClaimDesk.lowTold] was reset. */
    fun ranLow()

    /** A waiter's deadline lies before [ClaimDesk.watched]. */
    fun deadlineMoved()

    /** The desk is closed; so many waiters were refused. */
    fun closed(refused: Int)
}

/**
 * Lends the connections in circulation and takes them back.
 *
 * A free connection is taken with one compare-and-set and given back with another ([FreeSlots]). Only when none is free,
 * or somebody waits, does it become an order that runs in turn with others ([Serial]).
 */
internal class ClaimDesk<C : Any>(
    capacity: Int,
    val clock: CoarseClock,
    /** Every return goes through the pool, which has the connection cleaned first. */
    private val cleans: Boolean,
    private val events: DeskEvents,
) : Lending {
    private val slots = FreeSlots(capacity)
    private val lines = arrayOfNulls<Line<C>>(capacity)
    private val queue = WaitQueue<C>()
    private val serial = Serial<Waiter<C>>({ order, done -> run(order, done) }, ::complete)

    /** Why it is closed; null while it is open. */
    @Volatile
    private var closed: (() -> Throwable)? = null

    @Volatile
    override var waiting = 0
        private set

    @Volatile
    var nextDeadline: Duration? = null
        private set

    /** Until when the pool sleeps: a waiter with an earlier deadline must wake it. */
    @Volatile
    var watched: Duration = Duration.ZERO

    /** With so few free, the pool wants to know. Below 0: it does not. */
    @Volatile
    var lowWater = -1

    @Volatile
    var lowTold = true

    override val free: Int get() = slots.count()

    /** @throws Throwable if the desk is closed: why. */
    fun checkOpen() {
        closed?.let { throw it() }
    }

    /** A free connection, if there is one and nobody waits. */
    fun take(holder: Any?): Lease<C>? {
        val index = slots.take()
        if (index < 0) return null
        if (!lowTold && slots.count() <= lowWater) low()
        return line(index).lend(holder)
    }

    /** Queues until a connection is handed over, the deadline passes, or the desk closes. */
    suspend fun await(
        deadline: Duration,
        holder: Any?,
        attempts: Int,
        lastFailure: Throwable?,
    ): Lease<C> = suspendCancellableCoroutine { continuation ->
        clock.touch()
        val waiter = Waiter(continuation, deadline, holder, first = attempts > 0, attempts, lastFailure)
        continuation.invokeOnCancellation { serial.offer(Leave(waiter)) }
        serial.offer(Queue(waiter))
    }

    fun takeBack(line: Line<C>) {
        if (cleans) {
            events.returned(line.slot, Outcome.Used)
        } else {
            putBack(line, Outcome.Used)
        }
        clock.touch()
    }

    fun takeBack(line: Line<C>, outcome: Outcome) {
        if (outcome is Outcome.Unused) putBack(line, outcome) else events.returned(line.slot, outcome)
    }

    /** Puts a connection that the pool had into circulation. */
    fun offer(line: Line<C>) {
        line.recalled = false
        putBack(line, Outcome.Unused)
    }

    /** Says which connections there are; those of one backend are one list of indices. */
    fun admit(line: Line<C>, backends: Collection<List<Int>>) {
        lines[line.index] = line
        slots.assign(backends)
    }

    /** Refuses all who wait, and everyone from now on. */
    fun close(why: () -> Throwable) {
        serial.offer(Close<C>(why))
    }

    /** Refuses those whose deadline is over, with what [refuse] says. */
    fun expire(now: Duration, refuse: (Waiter<C>) -> Throwable) {
        serial.offer(Expire(now, refuse))
    }

    override fun isFree(index: Int): Boolean = slots.isFree(index)

    override fun recall(index: Int): Boolean {
        line(index).recalled = true
        return slots.seize(index)
    }

    override fun keep(index: Int) {
        line(index).recalled = false
    }

    override fun loans(index: Int): Int = lines[index]?.loans ?: 0

    private fun line(index: Int): Line<C> = checkNotNull(lines[index]) { "no connection at index $index" }

    private fun putBack(line: Line<C>, outcome: Outcome) {
        when {
            line.recalled -> events.returned(line.slot, outcome)

            !slots.give(line.index) -> serial.offer(HandOver(line, outcome))

            // Recalled between the two lines above: then the pool saw it on loan and waits for it.
            line.recalled && slots.seize(line.index) -> events.returned(line.slot, outcome)
        }
    }

    private fun lower() {
        if (closed == null) slots.lower()
    }

    private fun low() {
        lowTold = true
        events.ranLow()
    }

    private fun run(order: Order, done: MutableList<Waiter<C>>) {
        @Suppress("UNCHECKED_CAST")
        when (val o = order as DeskOrder<C>) {
            is Queue -> queue(o.waiter, done)

            is Leave -> {
                queue.remove(o.waiter)
                if (queue.size == 0) lower()
            }

            is HandOver -> handOver(o.line, o.outcome, done)

            is Expire -> expire(o, done)

            is Close -> close(o.why, done)
        }
        waiting = queue.size
        nextDeadline = queue.nextDeadline
    }

    private fun queue(waiter: Waiter<C>, done: MutableList<Waiter<C>>) {
        closed?.let { why ->
            waiter.refuse = { why() }
            done += waiter
            return
        }
        if (!waiter.continuation.isActive) return
        val index = if (queue.size == 0) slots.raise() else -1
        if (index >= 0) {
            lower()
            waiter.lease = line(index).lend(waiter.holder)
            done += waiter
            return
        }
        queue.add(waiter)
        // Published before [watched] is read; the pool does it the other way round, so one of the two sees the other.
        nextDeadline = queue.nextDeadline
        if (waiter.deadline < watched) events.deadlineMoved()
        if (!lowTold) low()
    }

    private fun handOver(line: Line<C>, outcome: Outcome, done: MutableList<Waiter<C>>) {
        if (line.recalled || closed != null) {
            events.returned(line.slot, outcome)
            return
        }
        var waiter = queue.poll()
        while (waiter != null && !waiter.continuation.isActive) waiter = queue.poll()
        if (queue.size == 0) lower()
        if (waiter == null) {
            putBack(line, outcome)
        } else {
            waiter.lease = line.lend(waiter.holder)
            done += waiter
        }
    }

    private fun expire(order: Expire<C>, done: MutableList<Waiter<C>>) {
        while (true) {
            val deadline = queue.nextDeadline
            if (deadline == null || deadline > order.now) break
            val waiter = queue.poll() ?: break
            if (!waiter.continuation.isActive) continue
            waiter.refuse = order.refuse
            done += waiter
        }
        if (queue.size == 0) lower()
    }

    private fun close(why: () -> Throwable, done: MutableList<Waiter<C>>) {
        if (closed != null) return
        closed = why
        // From now on the top bits stay up: nobody gets anything, and returns come to the pool.
        slots.shut()
        val refused = queue.size
        while (true) {
            val waiter = queue.poll() ?: break
            waiter.refuse = { why() }
            done += waiter
        }
        events.closed(refused)
    }

    /** Outside the serial part: what resumes here may run at once, on this thread. */
    private fun complete(waiter: Waiter<C>) {
        val lease = waiter.lease
        if (lease != null) {
            // A grant that crosses a cancellation goes to the next in line.
            waiter.continuation.resume(lease) { _, unclaimed, _ -> unclaimed.end(Outcome.Unused) }
        } else {
            waiter.continuation.resumeWithException(checkNotNull(waiter.refuse)(waiter))
        }
    }
}

private sealed class DeskOrder<C : Any> : Order()

private class Queue<C : Any>(val waiter: Waiter<C>) : DeskOrder<C>()

private class Leave<C : Any>(val waiter: Waiter<C>) : DeskOrder<C>()

private class HandOver<C : Any>(val line: Line<C>, val outcome: Outcome) : DeskOrder<C>()

private class Expire<C : Any>(val now: Duration, val refuse: (Waiter<C>) -> Throwable) : DeskOrder<C>()

private class Close<C : Any>(val why: () -> Throwable) : DeskOrder<C>()
