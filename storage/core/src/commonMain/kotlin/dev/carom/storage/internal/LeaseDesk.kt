package dev.carom.storage.internal

import dev.carom.storage.LeaseTrace
import dev.carom.storage.SessionLease
import dev.carom.storage.StorageException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlin.concurrent.atomics.AtomicLong
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration

/** Takes sessions from the source, one for each who asks, and closes it. */
@OptIn(ExperimentalAtomicApi::class)
internal class LeaseDesk<S : Any>(private val engine: Engine<S>) {
    private val machine = Machine<LeaseState, LeaseEvent, LeaseEffect>(
        LeaseState(engine.source.capacity, engine.policy.maxWaiters),
    ) { state, event -> state.on(event) }
    private val leases = Registry<Lease<S>>()
    private val numbers = AtomicLong(0)
    val closed: CompletableDeferred<Unit> = CompletableDeferred()

    val state: LeaseState get() = machine.state

    val all: Collection<Lease<S>> get() = leases.values

    fun find(id: Long): Lease<S>? = leases[id]

    /** A session that is there, if nobody waits for one. */
    fun ready(context: CoroutineContext): Lease<S>? {
        context.ensureActive()
        if (state.phase != LeaseState.Phase.Open) throw engine.closed(null)
        return engine.source.tryLease(wishOf(context))?.let { taken(it, context) }
    }

    /**
     * Waits for a session. The answer and the giving up race for one cell, and whoever loses puts things right: a session
     * that arrives too late goes straight back.
     */
    suspend fun lease(): Lease<S> {
        val context = currentCoroutineContext()
        ready(context)?.let { return it }
        val told = Job()
        val place = ask(context) { told.complete() }
        try {
            place.await(told)
        } catch (e: CancellationException) {
            place.dropAnswer()
            throw e
        }
        return taken(place.session(), context)
    }

    /** Queues for a session. [told] is called, once and on any thread, when there is an answer and nobody gave up. */
    fun ask(context: CoroutineContext, told: (Asking<S>) -> Unit): Asking<S> {
        val place = Asking(engine, context, wishOf(context), numbers.incrementAndFetch(), told)
        perform(machine.send(LeaseEvent.Asked(place)))
        return place
    }

    private fun wishOf(context: CoroutineContext): Any? = context[engine.lane.wishes]?.value

    fun gone(place: Asking<S>) {
        machine.send(LeaseEvent.Gone(place))
    }

    /** @throws StorageException.PoolClosed if it was closed meanwhile: then [raw] has gone back. */
    fun taken(raw: SessionLease<S>, context: CoroutineContext): Lease<S> {
        val id = engine.countAcquired()
        val trace = if (engine.policy.traceLeases) LeaseTrace(holderOf(context)) else null
        val loan = Loan(id, context, engine.now, trace)
        val lease = Lease(engine, id, raw, loan)
        leases.add(id, lease)
        val effects = machine.send(LeaseEvent.Taken(loan))
        if (effects.any { it is LeaseEffect.Reject }) {
            leases.remove(id)
            raw.giveBack()
            throw engine.closed(null)
        }
        perform(effects)
        return lease
    }

    fun returned(id: Long) {
        leases.remove(id)
        perform(machine.send(LeaseEvent.Returned(id)))
    }

    fun close(drain: Duration) {
        perform(machine.send(LeaseEvent.CloseAsked(engine.now + drain)))
        val deadline = machine.state.nextDeadline ?: return
        if (deadline <= engine.now) return tick()
        val timer = engine.scope.launch {
            delay(deadline - engine.now)
            tick()
        }
        closed.invokeOnCompletion { timer.cancel() }
    }

    private fun tick() = perform(machine.send(LeaseEvent.Ticked(engine.now)))

    private fun perform(effects: List<LeaseEffect>) {
        for (effect in effects) {
            when (effect) {
                is LeaseEffect.Admit -> asking(effect.waiter).ask()
                is LeaseEffect.RefuseClosed -> asking(effect.waiter).refuse(engine.closed(null))
                is LeaseEffect.RefuseFull -> asking(effect.waiter).refuse(full(effect.waiting))
                is LeaseEffect.RefuseDeadlock -> asking(effect.waiter).refuse(deadlock(effect.loans))
                is LeaseEffect.Escalate -> effect.ids.forEach { leases[it]?.escalation?.stop() }
                is LeaseEffect.CloseSource -> closeSource()
                is LeaseEffect.Reject -> error("handled where the session was taken")
            }
        }
    }

    private fun closeSource() {
        engine.scope.launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                engine.source.close()
            } finally {
                machine.send(LeaseEvent.Emptied)
                closed.complete(Unit)
            }
        }
    }

    private fun full(waiting: Int) =
        StorageException.AcquireRejected(
            engine.name,
            "$waiting of ${engine.policy.maxWaiters} callers wait already",
            waiting,
        )

    private fun deadlock(loans: List<Loan>): StorageException {
        val holders = engine.infos(loans)
        return StorageException.PoolDeadlock(
            engine.name,
            "all ${loans.size} sessions are held by callers who wait for another one: ${holders.joinToString()}",
            holders,
        )
    }

    fun timeout(): StorageException {
        engine.countTimeout()
        val now = state
        val holders = engine.infos(now.loans.values)
        return StorageException.AcquireTimeout(
            engine.name,
            "no session within ${engine.policy.acquireTimeout}: " +
                "${minOf(now.loans.size, now.capacity)} of ${now.capacity} lent, " +
                "${now.waiters.size} waiting, holders ${holders.joinToString()}",
            holders,
            now.waiters.size,
            null,
        )
    }

    @Suppress("UNCHECKED_CAST")
    private fun asking(waiter: Waiter) = waiter as Asking<S>
}
