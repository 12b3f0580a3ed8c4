package dev.carom.storage.internal

import dev.carom.storage.DestroyReason
import dev.carom.storage.LeaseInfo
import dev.carom.storage.LeaseTrace
import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionLease
import dev.carom.storage.StorageException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicBoolean
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration

/** One loan. Ends once, whoever ends it. */
@OptIn(ExperimentalAtomicApi::class)
internal class Lease<S : Any>(private val engine: Engine<S>, val id: Long, val raw: SessionLease<S>, val loan: Loan) {
    val session: S get() = raw.session

    private val ended = AtomicBoolean(false)

    /** Why the session must not be used again; the first reason stays. */
    @Volatile
    var lost: Pair<DestroyReason, Throwable?>? = null
        private set

    /** What to end when the pool must not wait any longer. */
    val escalation = StopCell()

    /** The connection it was made into. */
    @Volatile
    var face: Any? = null

    val use = LeaseUse(loan.since)

    /** Whether a refused write is the caller's own doing. */
    @Volatile
    var readOnly: Boolean = false

    val isSpoiled: Boolean get() = lost != null

    val info: LeaseInfo get() = engine.infoOf(loan).also { it.face = face }

    /** From now on it is somebody's to forget. */
    fun watch() {
        use.watched = true
        engine.leaks.used()
    }

    /** A call has ended. */
    fun used() {
        use.ends(engine.now)
        if (use.watched) engine.leaks.used()
    }

    fun spoil(reason: DestroyReason, cause: Throwable?) {
        if (lost == null) lost = reason to cause
    }

    fun end(level: ResetLevel): Job? = if (ended.compareAndSet(false, true)) engine.giveBack(this, level) else null
}

/** Takes sessions from the source, one for each who asks, and closes it. */
@OptIn(ExperimentalCoroutinesApi::class)
internal class LeaseDesk<S : Any>(private val engine: Engine<S>) {
    private val machine = Machine<LeaseState, LeaseEvent, LeaseEffect>(
        LeaseState(engine.source.capacity, engine.policy.maxWaiters),
    ) { state, event -> state.on(event) }
    private val leases = Registry<Lease<S>>()
    val closed: CompletableDeferred<Unit> = CompletableDeferred()

    val state: LeaseState get() = machine.state

    val all: Collection<Lease<S>> get() = leases.values

    fun find(id: Long): Lease<S>? = leases[id]

    /**
     * Waits for a session. The answer and the giving up race for one cell, and whoever loses puts things right: a session
     * that arrives too late goes straight back.
     */
    suspend fun lease(): Lease<S> {
        val context = currentCoroutineContext()
        context.ensureActive()
        if (state.phase != LeaseState.Phase.Open) throw engine.closed(null)
        val wish = context[engine.lane.wishes]?.value
        engine.source.tryLease(wish)?.let { return taken(it, context) }
        val waiter = Asking(context.laneElement(engine.lane)?.leases.orEmpty(), context, wish)
        perform(machine.send(LeaseEvent.Asked(waiter)))
        try {
            val limit = engine.policy.acquireTimeout
            if (limit.isInfinite()) waiter.answer.join() else withTimeoutOrNull(limit) { waiter.answer.join() }
        } catch (e: CancellationException) {
            waiter.giveUp()
            throw e
        } finally {
            machine.send(LeaseEvent.Gone(waiter))
        }
        return taken(waiter.result(), context)
    }

    private fun taken(raw: SessionLease<S>, context: CoroutineContext): Lease<S> {
        val id = engine.countAcquired()
        val holder = context[CoroutineName]?.name ?: context[Job]?.toString() ?: "unnamed"
        val trace = if (engine.policy.traceLeases) LeaseTrace(holder) else null
        val loan = Loan(id, holder, engine.now, trace)
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

    private fun timeout(): StorageException {
        engine.countTimeout()
        val now = state
        val holders = engine.infos(now.loans.values)
        return StorageException.AcquireTimeout(
            engine.name,
            "no session within ${engine.policy.acquireTimeout}: ${now.loans.size} of ${now.capacity} lent, " +
                "${now.waiters.size} waiting, holders ${holders.joinToString()}",
            holders,
            now.waiters.size,
            null,
        )
    }

    @Suppress("UNCHECKED_CAST")
    private fun asking(waiter: Waiter) = waiter as LeaseDesk<S>.Asking

    private sealed interface Answer<out S : Any> {
        class Got<S : Any>(val raw: SessionLease<S>) : Answer<S>

        class Failed(val failure: Throwable) : Answer<Nothing>
    }

    private inner class Asking(holds: Set<Long>, private val context: CoroutineContext, private val wish: Any?) :
        Waiter(holds) {
        val answer = CompletableDeferred<Any>()
        private var asker: Job? = null

        fun ask() {
            val holder = context[CoroutineName]?.name ?: context[Job]?.toString() ?: "unnamed"
            asker = engine.scope.launch(start = CoroutineStart.UNDISPATCHED) {
                val outcome: Answer<S> = try {
                    Answer.Got(engine.source.lease(holder, wish))
                } catch (e: Throwable) {
                    Answer.Failed(e)
                }
                if (!answer.complete(outcome) && outcome is Answer.Got) outcome.raw.giveBack()
            }
            if (answer.isCompleted) asker?.cancel()
        }

        fun refuse(why: StorageException) {
            answer.complete(Answer.Failed(why))
            asker?.cancel()
        }

        fun giveUp() {
            if (!answer.complete(GONE)) (got() as? Answer.Got<S>)?.raw?.giveBack()
            asker?.cancel()
        }

        fun result(): SessionLease<S> {
            if (!answer.isCompleted && answer.complete(GONE)) {
                asker?.cancel()
                throw timeout()
            }
            return when (val outcome = got()) {
                is Answer.Got<S> -> outcome.raw
                is Answer.Failed -> throw failure(outcome.failure)
                else -> throw timeout()
            }
        }

        @Suppress("UNCHECKED_CAST")
        private fun got(): Answer<S>? = answer.getCompleted() as? Answer<S>

        private fun failure(cause: Throwable): Throwable = when {
            cause is StorageException -> cause
            !engine.scope.isActive || state.phase != LeaseState.Phase.Open -> engine.closed(cause)
            else -> StorageException.ConnectFailed(engine.name, "no session: ${cause.message}", cause)
        }
    }

    private companion object {
        val GONE = Any()
    }
}
