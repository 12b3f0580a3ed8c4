package dev.carom.pool.internal

import kotlin.concurrent.Volatile
import kotlin.time.Duration

/**
 * Where callers queue: runs the orders of a [ClaimDesk], one at a time.
 *
 * While anybody waits, the top bits of [slots] are up. A connection that comes back goes to the first waiter that accepts
 * it; if none does, it is stashed. So what is free while callers wait is of no use to any of them.
 */
internal class Counter<C : Any>(
    private val rules: DeskRules,
    private val slots: FreeSlots,
    private val mask: (Request) -> LongArray?,
    private val line: (Int) -> Line<C>,
    private val clock: CoarseClock,
    private val events: DeskEvents,
) {
    private val queue = WaitQueue<C>()
    private val nothing = slots.maskOf { false }
    private var paused = false

    /** Why it is closed; null while it is open. */
    @Volatile
    var closed: (() -> Throwable)? = null
        private set

    @Volatile
    var waiting = 0
        private set

    @Volatile
    var nextDeadline: Duration? = null
        private set

    @Volatile
    var watched: Duration = Duration.ZERO

    @Volatile
    var lowTold = true

    fun low() {
        lowTold = true
        events.ranLow()
    }

    fun run(order: Order, done: MutableList<Waiter<C>>) {
        @Suppress("UNCHECKED_CAST")
        when (val o = order as DeskOrder<C>) {
            is Queue -> queue(o.waiter, done)

            is Leave -> {
                queue.remove(o.waiter)
                lowerIfIdle()
            }

            is HandOver -> handOver(o.line, o.outcome, done)

            is Expire -> expire(o, done)

            is Pause -> pause(o.paused, done)

            is Reconsider -> reconsider(done)

            is Look -> o.see(buildList { queue.forEach { add(it) } })

            is Close -> close(o.why, done)
        }
        publish()
    }

    private fun publish() {
        waiting = queue.size
        nextDeadline = deadline()
    }

    private fun deadline(): Duration? {
        val earliest = queue.nextDeadline
        val head = queue.head
        if (rules.delay == null || head == null || earliest == null || paused) return earliest
        return minOf(earliest, head.since + rules.delay.bound(clock.now()))
    }

    private fun queue(waiter: Waiter<C>, done: MutableList<Waiter<C>>) {
        closed?.let { why -> return refuse(waiter, done) { why() } }
        if (!waiter.continuation.isActive) return
        val index = pick(waiter)
        if (index >= 0) {
            lowerIfIdle()
            serve(waiter, line(index), done)
            return
        }
        if (queue.size >= rules.maxWaiting && !waiter.first && !waiter.request.reserved) {
            lowerIfIdle()
            val waiting = queue.size
            return refuse(waiter, done) { events.shed(it, waiting, Duration.ZERO) }
        }
        queue.add(waiter)
        rules.delay?.queued(waiter.since)
        // Published before [watched] is read; the pool does it the other way round, so one of the two sees the other.
        publish()
        if ((nextDeadline ?: Duration.INFINITE) < watched) events.deadlineMoved()
        if (!lowTold || rules.impatient) low()
    }

    private fun handOver(line: Line<C>, outcome: Outcome, done: MutableList<Waiter<C>>) {
        if (line.recalled || closed != null) {
            events.returned(line.slot, outcome)
            return
        }
        val waiter = next(line, done)
        if (waiter != null) {
            queue.remove(waiter)
            serve(waiter, line, done)
        } else {
            slots.stash(line.index)
            // Recalled meanwhile: then the pool saw it on loan and waits for it.
            if (line.recalled && slots.seize(line.index)) events.returned(line.slot, outcome)
        }
        lowerIfIdle()
    }

    /** The first who accepts [line] and whom the rules do not refuse. */
    private fun next(line: Line<C>, done: MutableList<Waiter<C>>): Waiter<C>? {
        queue.forEach { waiter ->
            if (!waiter.continuation.isActive) {
                queue.remove(waiter)
            } else if (waiter.request.suits(line) && (!paused || waiter.request.reserved)) {
                if (!shed(waiter, done)) return waiter
            }
        }
        return null
    }

    private fun shed(waiter: Waiter<C>, done: MutableList<Waiter<C>>): Boolean {
        val delay = rules.delay ?: return false
        if (waiter.request.reserved || waiter.first) return false
        val now = clock.now()
        if (!delay.refuses(now - waiter.since, now)) return false
        dismiss(waiter, now, done)
        return true
    }

    private fun dismiss(waiter: Waiter<C>, now: Duration, done: MutableList<Waiter<C>>) {
        queue.remove(waiter)
        val waiting = queue.size
        refuse(waiter, done) { events.shed(it, waiting, now - it.since) }
    }

    private fun expire(order: Expire<C>, done: MutableList<Waiter<C>>) {
        while (true) {
            val waiter = queue.overdue(order.now) ?: break
            queue.remove(waiter)
            if (waiter.continuation.isActive) refuse(waiter, done, order.refuse)
        }
        val delay = rules.delay
        if (delay != null && !paused && order.now.isFinite()) {
            while (true) {
                val head = queue.head ?: break
                if (head.first || order.now - head.since < delay.bound(order.now)) break
                dismiss(head, order.now, done)
            }
        }
        lowerIfIdle()
    }

    private fun pause(paused: Boolean, done: MutableList<Waiter<C>>) {
        this.paused = paused
        if (paused) slots.raise(nothing) else reconsider(done)
    }

    private fun reconsider(done: MutableList<Waiter<C>>) {
        if (closed != null) return
        queue.forEach { waiter ->
            val index = if (waiter.continuation.isActive) pick(waiter) else -1
            if (index >= 0) {
                queue.remove(waiter)
                serve(waiter, line(index), done)
            }
        }
        lowerIfIdle()
    }

    private fun pick(waiter: Waiter<C>): Int =
        slots.raise(if (paused && !waiter.request.reserved) nothing else mask(waiter.request))

    private fun close(why: () -> Throwable, done: MutableList<Waiter<C>>) {
        if (closed != null) return
        closed = why
        // From now on the top bits stay up: nobody gets anything, and returns come to the pool.
        slots.shut()
        val refused = queue.size
        while (true) refuse(queue.poll() ?: break, done) { why() }
        events.closed(refused)
    }

    private fun serve(waiter: Waiter<C>, line: Line<C>, done: MutableList<Waiter<C>>) {
        waiter.lease = line.lend(waiter.request.who)
        done += waiter
    }

    private fun refuse(waiter: Waiter<C>, done: MutableList<Waiter<C>>, why: (Waiter<C>) -> Throwable) {
        waiter.refuse = why
        done += waiter
    }

    private fun lowerIfIdle() {
        if (queue.size > 0 || closed != null) return
        rules.delay?.emptied()
        if (!paused) slots.lower()
    }
}

internal sealed class DeskOrder<C : Any> : Order()

internal class Queue<C : Any>(val waiter: Waiter<C>) : DeskOrder<C>()

internal class Leave<C : Any>(val waiter: Waiter<C>) : DeskOrder<C>()

internal class HandOver<C : Any>(val line: Line<C>, val outcome: Outcome) : DeskOrder<C>()

internal class Expire<C : Any>(val now: Duration, val refuse: (Waiter<C>) -> Throwable) : DeskOrder<C>()

internal class Pause<C : Any>(val paused: Boolean) : DeskOrder<C>()

internal class Reconsider<C : Any> : DeskOrder<C>()

internal class Look<C : Any>(val see: (List<Waiter<C>>) -> Unit) : DeskOrder<C>()

internal class Close<C : Any>(val why: () -> Throwable) : DeskOrder<C>()
