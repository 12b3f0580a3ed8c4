package dev.carom.pool.internal

import dev.carom.pool.ClaimOutcome
import dev.carom.pool.Fault
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.ExperimentalAtomicApi
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

    /** What a caller has reported matters to the pool. */
    fun reported(slot: Long, fault: Fault, cause: Throwable?)

    fun classify(cause: Throwable): Fault

    /** Why a waiter is refused although its time is not over. */
    fun shed(waiter: Waiter<*>, waiting: Int, waited: Duration): Throwable
}

/** How the desk queues. */
internal class DeskRules(
    val capacity: Int,
    /** Connections kept for the reserved lane. */
    val reserved: Int = 0,
    val maxWaiting: Int = Int.MAX_VALUE,
    val delay: ControlledDelayState? = null,
    /** Whether the pool wants to know of every waiter, at once. */
    val impatient: Boolean = false,
    /** Every return goes through the pool, which has the connection cleaned first. */
    val cleans: Boolean = false,
)

/**
 * Lends the connections in circulation and takes them back.
 *
 * A free connection is taken with one compare-and-set and given back with another ([FreeSlots]). Only when none is free,
 * or somebody waits, does it become an order that runs in turn with others ([Serial], [Counter]).
 */
@OptIn(ExperimentalAtomicApi::class)
internal class ClaimDesk<C : Any>(rules: DeskRules, val clock: CoarseClock, private val events: DeskEvents) : Lending {
    val reserved = rules.reserved
    private val cleans = rules.cleans
    private val slots = FreeSlots(rules.capacity)
    private val lines = arrayOfNulls<Line<C>>(rules.capacity)
    private val common: LongArray? = if (reserved == 0) null else slots.maskOf { it >= reserved }
    private val counter = Counter(rules, slots, ::mask, ::line, clock, events)
    private val serial = Serial<Waiter<C>>(counter::run, ::complete)

    override val waiting: Int get() = counter.waiting
    val nextDeadline: Duration? get() = counter.nextDeadline

    /** Until when the pool sleeps: a waiter with an earlier deadline must wake it. */
    var watched: Duration by counter::watched

    /** With so few free, the pool wants to know. Below 0: it does not. */
    @Volatile
    var lowWater = -1

    var lowTold: Boolean by counter::lowTold

    override val free: Int get() = slots.count()

    /** @throws Throwable if the desk is closed: why. */
    fun checkOpen() {
        counter.closed?.let { throw it() }
    }

    /** A free connection, if there is one and nobody waits. */
    fun take(who: Any?): Lease<C>? = taken(slots.take(common), who)

    fun take(request: Request): Lease<C>? = taken(slots.take(mask(request)), request.who)

    private fun taken(index: Int, who: Any?): Lease<C>? {
        if (index < 0) return null
        if (!counter.lowTold && slots.count() <= lowWater) counter.low()
        return line(index).lend(who)
    }

    /** Queues until a connection is handed over, the deadline passes, or the desk closes. */
    suspend fun await(
        request: Request,
        since: Duration,
        attempts: Int = 0,
        lastFailure: Throwable? = null,
    ): Lease<C> = suspendCancellableCoroutine { continuation ->
        clock.touch()
        val waiter = Waiter(continuation, request, since, attempts, lastFailure)
        continuation.invokeOnCancellation { serial.offer(Leave(waiter)) }
        serial.offer(Queue(waiter))
    }

    fun takeBack(line: Line<C>) {
        line.returned()
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

    fun reported(line: Line<C>, outcome: ClaimOutcome, latencyNanos: Long) {
        if (latencyNanos > 0) line.meter.took(latencyNanos)
        when (outcome) {
            ClaimOutcome.Success -> line.meter.succeeded()
            ClaimOutcome.Degraded -> if (line.meter.degraded()) events.reported(line.slot, Fault.Broken, null)
            ClaimOutcome.Failure -> if (line.meter.failed()) events.reported(line.slot, Fault.Broken, null)
        }
    }

    fun reported(line: Line<C>, cause: Throwable): Fault {
        val fault = events.classify(cause)
        when (fault) {
            Fault.None -> Unit

            Fault.Broken -> if (line.meter.failed()) events.reported(line.slot, fault, cause)

            // At once: the next claim for this role must not get it.
            Fault.Demoted -> {
                line.meter.demote()
                events.reported(line.slot, fault, cause)
            }

            Fault.Authentication -> events.reported(line.slot, fault, cause)
        }
        return fault
    }

    /** Puts a connection that the pool had into circulation. */
    fun offer(line: Line<C>) {
        line.recalled = false
        putBack(line, Outcome.Unused)
    }

    /** Says which connections there are. */
    fun admit(line: Line<C>) {
        lines[line.index] = line
    }

    /** See [FreeSlots.assign]. */
    fun assign(backends: Collection<List<Int>>, meters: List<Meter>?) = slots.assign(backends, meters)

    /** Refuses all who wait, and everyone from now on. */
    fun close(why: () -> Throwable) {
        serial.offer(Close<C>(why))
    }

    /** Refuses those whose deadline is over, with what [refuse] says. */
    fun expire(now: Duration, refuse: (Waiter<C>) -> Throwable) {
        serial.offer(Expire(now, refuse))
    }

    /** From now on claims of the normal lane wait, or no longer do. */
    fun pause(paused: Boolean) {
        serial.offer(Pause<C>(paused))
    }

    /** What a waiter did not accept it may accept now. */
    fun reconsider() {
        serial.offer(Reconsider<C>())
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

    override fun idleSince(index: Int): Long = line(index).idleSinceMillis

    /** The lease, among those out now, that [matches]. */
    fun leaseOut(matches: (Lease<C>) -> Boolean): Lease<C>? {
        for (line in lines) line?.lease?.load()?.let { if (matches(it)) return it }
        return null
    }

    /** Tells [see], on whichever thread, who waits. It must not call back. */
    fun look(see: (List<Waiter<C>>) -> Unit) {
        serial.offer(Look(see))
    }

    private fun mask(request: Request): LongArray? = when {
        !request.easy -> slots.maskOf { index -> lines[index]?.let(request::suits) ?: false }
        request.reserved -> null
        else -> common
    }

    private fun line(index: Int): Line<C> = checkNotNull(lines[index]) { "no connection at index $index" }

    private fun putBack(line: Line<C>, outcome: Outcome) {
        when {
            line.recalled -> events.returned(line.slot, outcome)

            !slots.give(line.index) -> serial.offer(HandOver(line, outcome))

            // Recalled between the two lines above: then the pool saw it on loan and waits for it.
            line.recalled && slots.seize(line.index) -> events.returned(line.slot, outcome)
        }
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
