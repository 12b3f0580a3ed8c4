package dev.carom.pool.internal

import dev.carom.pool.BackendChoice
import dev.carom.pool.CloseReport
import dev.carom.pool.Connector
import dev.carom.pool.Fault
import dev.carom.pool.Holder
import dev.carom.pool.PoolException
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolRecording
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.QueuePolicy
import dev.carom.pool.Resolver
import dev.carom.pool.internal.record.Recorder
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.random.Random
import kotlin.time.Duration

/** Feeds the [PoolState] one event after the other and does what it says; decides nothing. */
@OptIn(ExperimentalAtomicApi::class, ExperimentalCoroutinesApi::class)
internal class PoolLoop<C : Any>(
    private val name: String,
    private val policy: PoolPolicy,
    resolver: Resolver,
    private val connector: Connector<C>,
    private val hooks: Hooks,
    private val scope: CoroutineScope,
    private val job: CompletableJob,
    start: kotlin.time.TimeMark,
    random: Random,
    recording: PoolRecording?,
) : DeskEvents {
    private val inbox = Channel<LoopInput>(Channel.UNLIMITED)
    val clock = CoarseClock(start) { send(ShellInput.Pulse) }
    val desk = ClaimDesk<C>(rules(policy, hooks), clock, this)
    val board = NoticeBoard<PoolNotice>(policy.noticeBuffer) { PoolNotice.Missed(it) }
    val report = CompletableDeferred<CloseReport>()

    private val recorder = recording?.let { Recorder(it, desk, random).apply { begin(name, policy, hooks) } }
    private val state = PoolState(policy, recorder?.lending ?: desk, recorder?.random ?: random, hooks)
    private val tasks = HashMap<Long, SlotTask<C>>()
    private val lines = LinkedHashMap<Long, Line<C>>()
    private val closing = Closing(policy)
    private val resolving = Resolving(resolver, ::send)
    private val watch = LeaseWatch(policy.lease)
    private var paused = false
    private var pulseAt: Duration? = null
    private var refused = 0L
    private var lastTotal = 0
    private var couldGrow = false

    /** Whoever is told so may look at [snapshots] at once: it must be there. */
    private val told = ArrayList<() -> Unit>()

    val snapshots = MutableStateFlow(state.snapshot(name, refused, PoolSnapshot.Phase.Open))

    val running: Boolean get() = job.isActive

    suspend fun join() = job.join()

    fun send(input: LoopInput) {
        // Fails once the loop has ended; nothing that comes then matters any more.
        inbox.trySend(input)
    }

    override fun returned(slot: Long, outcome: Outcome) = send(PoolEvent.Returned(slot, outcome))

    override fun ranLow() = send(PoolEvent.RanLow)

    override fun deadlineMoved() = send(ShellInput.DeadlineMoved)

    override fun closed(refused: Int) = send(ShellInput.DeskClosed(refused))

    override fun reported(slot: Long, fault: Fault, cause: Throwable?) = send(PoolEvent.Reported(slot, fault, cause))

    override fun classify(cause: Throwable): Fault = faultOf(connector, cause)

    override fun shed(waiter: Waiter<*>, waiting: Int, waited: Duration): Throwable =
        shedException(name, policy, waiting, waited).also { send(ShellInput.Refused(it)) }

    suspend fun run() {
        try {
            resolving.start(scope)
            while (!closing.finished) {
                val input = receive()
                if (input == null) process(PoolEvent.Tick) else take(input)
                takeMore()
                val now = clock.now()
                // While something is always there to be received, nobody sees that a deadline has passed.
                if (input != null && due(now)) process(PoolEvent.Tick)
                settle(now)
            }
            job.complete()
        } catch (e: Throwable) {
            // A defect of ours, or the scope's end. Either way nothing may stay open.
            job.cancel(kotlinx.coroutines.CancellationException("the pool's loop ended", e))
            throw e
        } finally {
            inbox.close()
        }
    }

    /** After the last coroutine of the pool has ended, whether by [run] or by the end of the scope. */
    fun ended(cause: Throwable?) {
        desk.close { closedException(name, cause) }
        val rest = lines.values.count { it.lease.load() != null }
        report.complete(CloseReport(state.closed + lines.size - rest, state.forced + rest, closing.refused, stuck = 0))
        snapshots.value = PoolSnapshot(
            name,
            PoolSnapshot.Phase.Closed,
            emptyList(),
            waiting = 0,
            claims = snapshots.value.claims,
            refused = refused,
            wanted = 0,
            maxSlots = snapshots.value.maxSlots,
            opened = snapshots.value.opened,
            closed = snapshots.value.opened,
            paused = false,
        )
        board.close()
    }

    private fun refuse(waiter: Waiter<*>, verdict: Verdict): PoolException =
        verdict.refuse(waiter).also { send(ShellInput.Refused(it)) }

    private suspend fun receive(): LoopInput? {
        while (true) {
            inbox.tryReceive().getOrNull()?.let { return it }
            val deadline = deadline()
            desk.watched = deadline ?: Duration.INFINITE
            // A waiter that came just before did not know what we sleep for.
            if (desk.nextDeadline?.let { it < desk.watched } == true) continue
            return select {
                inbox.onReceive { it }
                if (deadline != null && deadline.isFinite()) onTimeout(deadline - clock.now()) { null }
            }
        }
    }

    /** What has come in meanwhile; not without end, or nothing else would ever be done. */
    private fun takeMore() {
        repeat(BATCH) { take(inbox.tryReceive().getOrNull() ?: return) }
    }

    private fun due(now: Duration): Boolean =
        pulseAt?.let { it <= now } == true || state.nextDeadline?.let { it <= now } == true

    private fun deadline(): Duration? =
        listOfNotNull(state.nextDeadline, desk.nextDeadline, watch.nextDeadline, pulseAt, closing.deadline).minOrNull()

    private fun take(input: LoopInput) {
        when (input) {
            is PoolEvent -> process(input)

            is ShellInput.Pulse -> if (pulseAt == null) pulseAt = clock.now() + CoarseClock.TICK

            is ShellInput.DeadlineMoved -> Unit

            is ShellInput.Close -> close(input.grace)

            is ShellInput.DeskClosed -> closing.deskClosed(input.refused)

            is ShellInput.Refused -> {
                refused++
                board.tell(PoolNotice.ClaimRefused(input.cause))
            }

            is ShellInput.Tell -> board.tell(input.notice)

            is ShellInput.ResolverEnded -> board.tell(resolving.ended(input, state.sets.count { it.listed }))

            is ShellInput.CloseFailed ->
                tasks[input.slot]?.let { board.tell(PoolNotice.CloseFailed(input.slot, it.backend, input.cause)) }

            is ShellInput.WhyNotReady -> input.answer.complete(verdict().notReady(input.wanted))

            is ShellInput.Explain -> {
                val verdict = verdict()
                input.answer.complete(verdict.explain(input.summary ?: verdict.summary, input.waiters, input.first))
            }

            is ShellInput.Pause -> pause(input.paused)

            is ShellInput.Drain -> {
                val connected = state.sets.find { it.backend == input.backend && it.listed }?.connected ?: 0
                process(PoolEvent.DrainRequested(input.backend))
                told += { input.answer.complete(connected) }
            }
        }
    }

    private fun process(event: PoolEvent) {
        when (event) {
            is PoolEvent.BackendsListed -> resolving.answered()
            is PoolEvent.Connected -> admit(event.slot)
            else -> Unit
        }
        val now = clock.now()
        for (effect in recorder?.decide(state, event, now) ?: state.on(event, now)) perform(effect)
        if (event is PoolEvent.Ended) {
            tasks.remove(event.slot)
            if (lines.remove(event.slot) != null) assign()
            closing.slots = state.slots
        }
    }

    private fun perform(effect: PoolEffect) {
        when (effect) {
            is PoolEffect.Connect -> connect(effect)
            is PoolEffect.Disconnect -> tasks[effect.slot]?.job?.cancel()
            is PoolEffect.Check -> tasks[effect.slot]?.check()
            is PoolEffect.Recycle -> tasks[effect.slot]?.recycle()
            is PoolEffect.Lend -> lines[effect.slot]?.let(desk::offer)
            is PoolEffect.Reconsider -> desk.reconsider()
            is PoolEffect.Tell -> board.tell(effect.notice)
        }
    }

    private fun connect(order: PoolEffect.Connect) {
        val failed = { cause: Throwable -> send(ShellInput.CloseFailed(order.slot, cause)) }
        val task =
            SlotTask(order.slot, order.index, order.backend, order.meter, connector, hooks, policy, ::send, failed)
        tasks[order.slot] = task
        task.start(scope)
    }

    private fun admit(slot: Long) {
        val task = tasks[slot] ?: return
        val connection = task.connection ?: return
        val line = Line(slot, task.index, task.backend, task.meter, connection, desk)
        lines[slot] = line
        desk.admit(line)
        assign()
    }

    private fun assign() {
        val backends = lines.values.groupBy { it.backend }.values
        val byLatency = policy.placement.choice == BackendChoice.LeastLatency
        desk.assign(
            backends.map { lines -> lines.map { it.index } },
            if (byLatency) backends.map { it.first().meter } else null,
        )
    }

    private fun pause(paused: Boolean) {
        if (this.paused == paused || !state.open) return
        this.paused = paused
        desk.pause(paused)
        board.tell(PoolNotice.Paused(paused))
    }

    private fun settle(now: Duration) {
        val pulse = pulseAt?.let { it <= now } ?: false
        if (pulse) {
            pulseAt = null
            clock.tick(now)
        }
        if (desk.nextDeadline?.let { it <= now } == true) {
            publish()
            val verdict = verdict()
            desk.expire(now) { refuse(it, verdict) }
        }
        if (policy.queue is QueuePolicy.FailFast && desk.waiting > 0 && resolving.unresolved == null &&
            state.hopeless
        ) {
            publish()
            val verdict = verdict()
            desk.expire(Duration.INFINITE) { refuse(it, verdict) }
        }
        if (watch.nextDeadline?.let { it <= now } == true) watch.look(now, lines.values, board::tell)
        // Who queued when nobody listened for demand.
        if (pulse && desk.waiting > 0 && state.mayGrow) process(PoolEvent.RanLow)
        tuneDemand(publish().wanted, pulse)
        told.forEach { it() }
        told.clear()
        if (!state.open) advanceClosing(now)
    }

    /** Also before somebody is refused: who is may look at [snapshots] at once. */
    private fun publish(): PoolSnapshot =
        state.snapshot(name, refused, closing.phase, paused).also { snapshots.value = it }

    /** Asks the desk to say when it runs low, but not again at once if the last time changed nothing. */
    private fun tuneDemand(total: Int, pulse: Boolean) {
        desk.lowWater = if (state.mayGrow) state.spares / 2 else -1
        if (!state.mayGrow) {
            desk.lowTold = true
        } else if (pulse || total != lastTotal || !couldGrow) {
            desk.lowTold = false
        }
        couldGrow = state.mayGrow
        lastTotal = total
    }

    private fun close(grace: Duration) {
        closing.begin(clock.now() + grace)
        if (!state.open) return
        resolving.stop()
        desk.close { closedException(name, null) }
        process(PoolEvent.CloseRequested)
        closing.slots = state.slots
    }

    private fun advanceClosing(now: Duration) {
        if (closing.graceEnds(now)) process(PoolEvent.GraceEnded)
        if (!closing.ends(now)) return
        val result = CloseReport(state.closed, state.forced, closing.refused, stuck = state.slots)
        board.tell(PoolNotice.PoolClosed(result))
        report.complete(result)
        snapshots.value = state.snapshot(name, refused, PoolSnapshot.Phase.Closed)
    }

    private fun verdict() =
        Verdict(name, policy, state, holders(), desk.waiting, resolving.unresolved, resolving.failure)

    private fun holders(): List<Holder> =
        lines.values.mapNotNull { it.lease.load()?.holder }.sortedByDescending { it.ageMillis }

    private companion object {
        const val BATCH = 64
    }
}

private fun rules(policy: PoolPolicy, hooks: Hooks) = DeskRules(
    capacity = policy.ceiling,
    reserved = policy.reserved,
    maxWaiting = policy.maxWaiters,
    delay = (policy.queue as? QueuePolicy.ControlledDelay)?.let { ControlledDelayState(it.target, it.interval) },
    impatient = policy.queue is QueuePolicy.FailFast,
    cleans = hooks.recycle,
)
