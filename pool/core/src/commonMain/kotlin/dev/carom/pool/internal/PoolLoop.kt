package dev.carom.pool.internal

import dev.carom.pool.CloseReport
import dev.carom.pool.Connector
import dev.carom.pool.Holder
import dev.carom.pool.PoolException
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.Resolver
import dev.carom.pool.describe
import dev.carom.pool.resolverPause
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.random.Random
import kotlin.time.Duration

/** Which optional calls a connector has; those it has not are never made, nor waited for. */
internal class Hooks(val acquire: Boolean, val recycle: Boolean)

internal sealed interface ShellInput : LoopInput {
    /** The coarse clock was asked: tick once, a little later. */
    data object Pulse : ShellInput

    /** A waiter's deadline is earlier than what the loop sleeps for. */
    data object DeadlineMoved : ShellInput

    class Close(val grace: Duration) : ShellInput

    class DeskClosed(val refused: Int) : ShellInput

    class Refused(val cause: PoolException) : ShellInput

    class ResolverEnded(val cause: Throwable?, val retry: Duration) : ShellInput

    class CloseFailed(val slot: Long, val cause: Throwable) : ShellInput

    class WhyNotReady(val wanted: Int, val answer: CompletableDeferred<PoolException>) : ShellInput
}

/** Feeds the [PoolState] one event after the other and does what it says; decides nothing. */
@OptIn(ExperimentalAtomicApi::class, ExperimentalCoroutinesApi::class)
internal class PoolLoop<C : Any>(
    private val name: String,
    private val policy: PoolPolicy,
    private val resolver: Resolver,
    private val connector: Connector<C>,
    hooks: Hooks,
    private val scope: CoroutineScope,
    private val job: CompletableJob,
    start: kotlin.time.TimeMark,
    random: Random,
) : DeskEvents {
    private val inbox = Channel<LoopInput>(Channel.UNLIMITED)
    val clock = CoarseClock(start) { send(ShellInput.Pulse) }
    val desk = ClaimDesk<C>(policy.maxSlots, clock, hooks.recycle, this)
    val board = NoticeBoard(policy.noticeBuffer)
    val report = CompletableDeferred<CloseReport>()

    private val state = PoolState(policy, desk, random, hooks.recycle)
    private val tasks = HashMap<Long, SlotTask<C>>()
    private val lines = LinkedHashMap<Long, Line<C>>()
    private val closing = Closing(policy)
    private var resolving: Job? = null
    private var unresolved: String? = "the resolver has not answered yet"
    private var resolverFailure: Throwable? = null
    private var pulseAt: Duration? = null
    private var refused = 0L
    private var lastTotal = 0

    val snapshots = MutableStateFlow(state.snapshot(name, refused, PoolSnapshot.Phase.Open))

    suspend fun join() = job.join()

    fun send(input: LoopInput) {
        // Fails once the loop has ended; nothing that comes then matters any more.
        inbox.trySend(input)
    }

    override fun returned(slot: Long, outcome: Outcome) = send(PoolEvent.Returned(slot, outcome))

    override fun ranLow() = send(PoolEvent.RanLow)

    override fun deadlineMoved() = send(ShellInput.DeadlineMoved)

    override fun closed(refused: Int) = send(ShellInput.DeskClosed(refused))

    suspend fun run() {
        try {
            resolving = scope.launch { resolve() }
            while (!closing.finished) {
                val input = receive()
                if (input == null) process(PoolEvent.Tick) else take(input)
                while (true) take(inbox.tryReceive().getOrNull() ?: break)
                settle(clock.now())
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
            maxSlots = policy.maxSlots,
        )
        board.close()
    }

    fun refuse(attempts: Int, lastFailure: Throwable?, verdict: Verdict): PoolException =
        verdict.refuse(attempts, lastFailure).also { send(ShellInput.Refused(it)) }

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

    private fun deadline(): Duration? =
        listOfNotNull(state.nextDeadline, desk.nextDeadline, pulseAt, closing.deadline).minOrNull()

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

            is ShellInput.ResolverEnded -> resolverEnded(input)

            is ShellInput.CloseFailed ->
                tasks[input.slot]?.let { board.tell(PoolNotice.CloseFailed(input.slot, it.backend, input.cause)) }

            is ShellInput.WhyNotReady -> input.answer.complete(verdict().notReady(input.wanted))
        }
    }

    private fun process(event: PoolEvent) {
        when (event) {
            is PoolEvent.BackendsListed -> {
                unresolved = null
                resolverFailure = null
            }

            is PoolEvent.Connected -> admit(event.slot)

            else -> Unit
        }
        for (effect in state.on(event, clock.now())) perform(effect)
        if (event is PoolEvent.Ended) {
            tasks.remove(event.slot)
            lines.remove(event.slot)
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
            is PoolEffect.Tell -> board.tell(effect.notice)
        }
    }

    private fun connect(order: PoolEffect.Connect) {
        val failed = { cause: Throwable -> send(ShellInput.CloseFailed(order.slot, cause)) }
        val task = SlotTask(order.slot, order.index, order.backend, connector, policy, ::send, failed)
        tasks[order.slot] = task
        task.start(scope)
    }

    private fun admit(slot: Long) {
        val task = tasks[slot] ?: return
        val connection = task.connection ?: return
        val line = Line(slot, task.index, task.backend, connection, desk)
        lines[slot] = line
        desk.admit(line, lines.values.groupBy({ it.backend }, { it.index }).values)
    }

    private fun settle(now: Duration) {
        val pulse = pulseAt?.let { it <= now } ?: false
        if (pulse) {
            pulseAt = null
            clock.tick(now)
        }
        if (desk.nextDeadline?.let { it <= now } == true) {
            val verdict = verdict()
            desk.expire(now) { refuse(it.attempts, it.lastFailure, verdict) }
        }
        val snapshot = state.snapshot(name, refused, closing.phase)
        tuneDemand(snapshot.wanted, pulse)
        snapshots.value = snapshot
        if (!state.open) advanceClosing(now)
    }

    /** Asks the desk to say when it runs low, but not again at once if the last time changed nothing. */
    private fun tuneDemand(total: Int, pulse: Boolean) {
        desk.lowWater = if (state.mayGrow) policy.spares / 2 else -1
        if (!state.mayGrow) {
            desk.lowTold = true
        } else if (pulse || total != lastTotal) {
            desk.lowTold = false
        }
        lastTotal = total
    }

    private fun close(grace: Duration) {
        closing.begin(clock.now() + grace)
        if (!state.open) return
        resolving?.cancel()
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

    private fun resolverEnded(input: ShellInput.ResolverEnded) {
        val cause = input.cause
        if (cause == null) {
            board.tell(PoolNotice.ResolverCompleted(state.sets.count { it.listed }))
            if (unresolved != null) unresolved = "the resolver completed without an answer"
        } else {
            board.tell(PoolNotice.ResolverFailed(cause, input.retry.inWholeMilliseconds))
            resolverFailure = cause
            if (unresolved != null) unresolved = "the resolver has not answered yet (${describe(cause)})"
        }
    }

    private suspend fun resolve() {
        var attempt = 0L
        while (true) {
            try {
                resolver.backends().conflate().collect {
                    attempt = 0
                    send(PoolEvent.BackendsListed(it.toSet()))
                }
                send(ShellInput.ResolverEnded(null, Duration.ZERO))
                return
            } catch (e: Throwable) {
                currentCoroutineContext().ensureActive()
                val pause = resolverPause(attempt++)
                send(ShellInput.ResolverEnded(e, pause))
                delay(pause)
            }
        }
    }

    private fun verdict() = Verdict(name, policy, state, holders(), desk.waiting, unresolved, resolverFailure)

    private fun holders(): List<Holder> = lines.values
        .mapNotNull { line -> line.lease.load()?.let { Holder(it.holderName, line.backend, it.id, it.heldMillis) } }
        .sortedByDescending { it.ageMillis }
}
