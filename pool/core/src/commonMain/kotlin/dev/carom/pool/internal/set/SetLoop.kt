package dev.carom.pool.internal.set

import dev.carom.pool.CloseReport
import dev.carom.pool.Connector
import dev.carom.pool.PoolSnapshot.Phase
import dev.carom.pool.Removal
import dev.carom.pool.Resolver
import dev.carom.pool.SetConnection
import dev.carom.pool.SetNotice
import dev.carom.pool.SetPolicy
import dev.carom.pool.SetSnapshot
import dev.carom.pool.internal.NoticeBoard
import dev.carom.pool.resolverPause
import kotlinx.coroutines.CancellationException
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
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.TimeMark

internal sealed interface SetOrder : SetInput {
    class Close(val grace: Duration) : SetOrder

    class ResolverEnded(val cause: Throwable?, val retry: Duration) : SetOrder

    class Tell(val notice: SetNotice) : SetOrder
}

/** The connections in the set at one moment; [phase] says whether there will be more. */
internal class Roster<C : Any>(val holdings: List<Holding<C>>, val phase: Phase)

/** Feeds the [SetState] one event after the other and does what it says; decides nothing. */
@OptIn(ExperimentalAtomicApi::class, ExperimentalCoroutinesApi::class)
internal class SetLoop<C : Any>(
    private val name: String,
    private val policy: SetPolicy,
    preference: Preference,
    private val resolver: Resolver,
    private val connector: Connector<C>,
    private val scope: CoroutineScope,
    private val job: CompletableJob,
    private val start: TimeMark,
    random: Random,
) {
    private val inbox = Channel<SetInput>(Channel.UNLIMITED)
    private val tasks = HashMap<Long, SetTask<C>>()

    /** Every open connection, in the set or draining. */
    private val holdings = HashMap<Long, Holding<C>>()
    private val state = SetState(policy, preference, random) { holdings[it]?.leases ?: 0 }
    private var resolving: Job? = null
    private var backends = 0
    val notices = NoticeBoard<SetNotice>(policy.noticeBuffer) { SetNotice.Missed(it) }
    val report = CompletableDeferred<CloseReport>()
    val connections = MutableStateFlow<List<SetConnection<C>>>(emptyList())
    val roster = MutableStateFlow(Roster<C>(emptyList(), Phase.Open))
    val snapshots = MutableStateFlow(state.snapshot(name, Phase.Open))

    /** Callers that wait for a lease. */
    val waiting = AtomicInt(0)
    private var refused = 0

    fun send(input: SetInput) {
        // Fails once the loop has ended; nothing that comes then matters any more.
        inbox.trySend(input)
    }

    suspend fun join() = job.join()

    suspend fun run() {
        try {
            resolving = scope.launch { resolve() }
            while (state.report == null) {
                take(receive())
                while (true) take(inbox.tryReceive().getOrNull() ?: break)
                snapshots.value = state.snapshot(name, phase())
            }
            finish()
            job.complete()
        } catch (e: Throwable) {
            // A defect of ours, or the scope's end. Either way nothing may stay open.
            job.cancel(CancellationException("the set's loop ended", e))
            throw e
        } finally {
            inbox.close()
        }
    }

    /** After the last coroutine of the set has ended, whether by [run] or by the end of the scope. */
    fun ended() {
        val all = holdings.values
        val held = all.count { it.leases > 0 }
        for (holding in roster.value.holdings) holding.leave(Removal.SetClosed, null)
        publish(emptyList(), Phase.Closed)
        snapshots.value = SetSnapshot(name, Phase.Closed, emptyList(), wanted = 0)
        report.complete(CloseReport(all.size - held, held, waiting.load(), stuck = 0))
        notices.close()
    }

    private fun finish() {
        val ended = state.report ?: return
        val result = CloseReport(ended.closed, ended.forced, refused, ended.stuck)
        notices.tell(SetNotice.SetClosed(result))
        notices.close()
        publish(emptyList(), Phase.Closed)
        report.complete(result)
    }

    private suspend fun receive(): SetInput {
        inbox.tryReceive().getOrNull()?.let { return it }
        val deadline = state.nextDeadline
        return select {
            inbox.onReceive { it }
            if (deadline != null) onTimeout(deadline - start.elapsedNow()) { SetEvent.Tick }
        }
    }

    private fun phase(): Phase = when {
        state.open -> Phase.Open
        state.report == null -> Phase.Closing
        else -> Phase.Closed
    }

    private fun take(input: SetInput) {
        when (input) {
            is SetEvent -> process(input)
            is SetOrder.Close -> close(input.grace)
            is SetOrder.ResolverEnded -> resolverEnded(input)
            is SetOrder.Tell -> notices.tell(input.notice)
        }
    }

    private fun process(event: SetEvent) {
        if (event is SetEvent.BackendsListed) backends = event.backends.size
        val effects = state.on(event, start.elapsedNow())
        // Whoever sees a connection closed has been able to see it leave.
        publish(effects)
        for (effect in effects) perform(effect)
        when (event) {
            is SetEvent.Checked -> endCheck(event.slot)

            is SetEvent.Ended -> {
                tasks.remove(event.slot)
                holdings.remove(event.slot)
            }

            else -> Unit
        }
    }

    private fun publish(effects: List<SetEffect>) {
        val before = roster.value.holdings
        var after = before
        for (effect in effects) {
            when (effect) {
                is SetEffect.Admit -> admit(effect.slot)?.let { after = after + it }

                is SetEffect.Retire -> {
                    holdings[effect.slot]?.leave(effect.reason, effect.cause)
                    after = after.filter { it.id != effect.slot }
                }

                else -> Unit
            }
        }
        if (after !== before) publish(after, phase())
    }

    private fun publish(holdings: List<Holding<C>>, phase: Phase) {
        connections.value = holdings
        roster.value = Roster(holdings, phase)
    }

    private fun admit(slot: Long): Holding<C>? {
        val task = tasks[slot] ?: return null
        val connection = task.connection ?: return null
        val share = roster.value.holdings.minOfOrNull { it.share } ?: 0.0
        return Holding(slot, task.backend, connection, share, ::send).also { holdings[slot] = it }
    }

    private fun perform(effect: SetEffect) {
        when (effect) {
            is SetEffect.Admit -> Unit
            is SetEffect.Retire -> holdings[effect.slot]?.left()
            is SetEffect.Connect -> connect(effect)
            is SetEffect.Disconnect -> tasks[effect.slot]?.job?.cancel()
            is SetEffect.Check -> check(effect.slot)
            is SetEffect.Tell -> notices.tell(effect.notice)
        }
    }

    private fun connect(order: SetEffect.Connect) {
        val failed = { cause: Throwable ->
            send(SetOrder.Tell(SetNotice.CloseFailed(order.slot, order.backend, cause)))
        }
        val task = SetTask(order.slot, order.backend, connector, policy, ::send, failed)
        tasks[order.slot] = task
        task.start(scope)
    }

    private fun check(slot: Long) {
        val holding = holdings[slot] ?: return
        if (policy.checkLeased || holding.beginCheck()) {
            tasks[slot]?.check()
        } else {
            // Somebody was quicker; whoever uses it will notice.
            send(SetEvent.Checked(slot, null))
        }
    }

    private fun endCheck(slot: Long) {
        holdings[slot]?.endCheck()
        // Those who wait look again.
        publish(roster.value.holdings, phase())
    }

    private fun close(grace: Duration) {
        if (state.open) {
            resolving?.cancel()
            refused = waiting.load()
        }
        process(SetEvent.CloseRequested(grace))
        publish(roster.value.holdings, phase())
    }

    private fun resolverEnded(input: SetOrder.ResolverEnded) {
        val cause = input.cause
        if (cause == null) {
            notices.tell(SetNotice.ResolverCompleted(backends))
        } else {
            notices.tell(SetNotice.ResolverFailed(cause, input.retry.inWholeMilliseconds))
        }
    }

    private suspend fun resolve() {
        var attempt = 0L
        while (true) {
            try {
                resolver.backends().conflate().collect {
                    attempt = 0
                    send(SetEvent.BackendsListed(it.toSet()))
                }
                send(SetOrder.ResolverEnded(null, Duration.ZERO))
                return
            } catch (e: Throwable) {
                currentCoroutineContext().ensureActive()
                val pause = resolverPause(attempt++)
                send(SetOrder.ResolverEnded(e, pause))
                delay(pause)
            }
        }
    }
}
