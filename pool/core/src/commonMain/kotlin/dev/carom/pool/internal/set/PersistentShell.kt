package dev.carom.pool.internal.set

import dev.carom.pool.CloseReport
import dev.carom.pool.MessageWriter
import dev.carom.pool.Overflow
import dev.carom.pool.PersistentConnection
import dev.carom.pool.PersistentException
import dev.carom.pool.PersistentPolicy
import dev.carom.pool.PersistentReport
import dev.carom.pool.PersistentSnapshot
import dev.carom.pool.PersistentState
import dev.carom.pool.SetConnection
import dev.carom.pool.SetNotice
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.getAndUpdate
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeMark

/** A set of one connection, and an outbox that [Delivery] empties into it. */
internal class PersistentShell<C : Any, M : Any>(
    override val name: String,
    override val policy: PersistentPolicy,
    private val writer: MessageWriter<C, M>,
    private val set: SetShell<C>,
    private val scope: CoroutineScope,
    private val job: CompletableJob,
    private val start: TimeMark,
) : PersistentConnection<C, M> {
    private val outbox = MutableStateFlow(Outbox<M>())
    private val states = MutableStateFlow<PersistentState>(PersistentState.WaitingForBackends)
    private val currents = MutableStateFlow<SetConnection<C>?>(null)
    private val delivery = Delivery(name, policy, writer, set, outbox)

    /** Whoever waits for room is the first; the others wait for this, in order. */
    private val gate = Mutex()
    private val closeAt = MutableStateFlow<Duration?>(null)
    private val report = CompletableDeferred<PersistentReport>()

    override val state: StateFlow<PersistentState> = states.asStateFlow()
    override val current: StateFlow<SetConnection<C>?> = currents.asStateFlow()
    override val notices: Flow<SetNotice> = set.notices

    override val snapshot: PersistentSnapshot
        get() {
            val now = outbox.value
            val atWriter = now.atWriter
            return PersistentSnapshot(
                now.count + if (atWriter == null) 0 else 1,
                now.bytes + (atWriter?.bytes ?: 0),
                delivery.written,
                delivery.dropped,
                set.snapshot.value.backends,
            )
        }

    override suspend fun send(message: M) {
        val done = CompletableDeferred<Unit>()
        val entry = entry(message, done)
        admit(entry)
        suspendCancellableCoroutine { continuation ->
            // In the call that cancels: once that returns, the message is on its way already or never will be.
            continuation.invokeOnCancellation { outbox.update { it.remove(entry) } }
            done.invokeOnCompletion { cause ->
                if (cause == null) continuation.resume(Unit) else continuation.resumeWithException(cause)
            }
        }
    }

    override suspend fun put(message: M) = admit(entry(message, null))

    override fun trySend(message: M): Boolean {
        val entry = entry(message, null)
        if (policy.overflow == Overflow.Suspend && gate.isLocked && !outbox.value.closed) return false
        return add(entry)
    }

    private fun entry(message: M, done: CompletableDeferred<Unit>?): Entry<M> {
        val bytes = writer.sizeOf(message)
        require(bytes >= 0) { "sizeOf must not be negative, was $bytes" }
        if (bytes > policy.maxBytes) {
            val text = "$name: a message of $bytes bytes, the outbox takes at most ${policy.maxBytes}"
            throw PersistentException.TooLarge(name, text)
        }
        return Entry(message, bytes, done)
    }

    private suspend fun admit(entry: Entry<M>) {
        if (policy.overflow == Overflow.Suspend) {
            gate.withLock {
                while (!add(entry)) outbox.first { it.closed || it.hasRoom(entry) }
            }
        } else if (!add(entry)) {
            throw full()
        }
    }

    private fun Outbox<M>.hasRoom(entry: Entry<M>) = fits(entry.bytes, policy.maxMessages, policy.maxBytes)

    private fun add(entry: Entry<M>): Boolean {
        while (true) {
            val before = outbox.value
            if (before.closed) throw closedException()
            var after = before
            val dropped = ArrayList<Entry<M>>()
            while (!after.hasRoom(entry)) {
                if (policy.overflow != Overflow.DropOldest) return false
                val (rest, oldest) = after.removeOldest() ?: return false
                after = rest
                dropped += oldest
            }
            if (!outbox.compareAndSet(before, after.add(entry))) continue
            dropped.forEach(delivery::drop)
            return true
        }
    }

    private fun full(): PersistentException {
        val now = outbox.value
        val text = "$name: the outbox is full, ${now.count} of ${policy.maxMessages} messages, " +
            "${now.bytes} of ${policy.maxBytes} bytes"
        return PersistentException.OutboxFull(name, text)
    }

    private fun closedException() = PersistentException.Closed(name, "$name: closed")

    override suspend fun close(graceMillis: Long): PersistentReport {
        require(graceMillis >= 0) { "graceMillis must not be negative, was $graceMillis" }
        val end = start.elapsedNow() + graceMillis.milliseconds
        closeAt.update { minOf(end, it ?: end) }
        val result = report.await()
        if (result.connections.stuck == 0) withTimeoutOrNull(policy.connection.closeTimeout) { job.join() }
        return result
    }

    override suspend fun close(): PersistentReport = close(GRACE_MILLIS)

    fun run() {
        job.invokeOnCompletion { ended() }
        val watching = scope.launch {
            launch { set.snapshot.collect { states.value = stateOf(it) } }
            set.connections.collect { all -> currents.value = all.minWithOrNull(NEWEST_OF_BEST) }
        }
        val delivering = scope.launch { delivery.run() }
        scope.launch {
            val result = closeWhenAsked(delivering)
            watching.cancel()
            report.complete(result)
            job.complete()
        }
    }

    private suspend fun closeWhenAsked(delivering: Job): PersistentReport {
        closeAt.filterNotNull().first()
        outbox.update { it.close() }
        val before = delivery.written
        val flushed = CompletableDeferred<Unit>()
        delivering.invokeOnCompletion { flushed.complete(Unit) }
        untilAsked(flushed) { left ->
            delay(left)
            delivering.cancel()
            // A writer that does not let itself be cancelled.
            delay(policy.connection.closeTimeout)
            flushed.complete(Unit)
        }
        val left = abandon()
        val connections = CompletableDeferred<CloseReport>()
        untilAsked(connections) { rest -> connections.complete(set.close(rest.inWholeMilliseconds)) }
        return PersistentReport(delivery.written - before, left.size, left.sumOf { it.bytes }, connections.await())
    }

    /** Runs [block] with what is left of the grace, and anew when that is shortened, until [end]. */
    private suspend fun untilAsked(end: Deferred<*>, block: suspend (Duration) -> Unit) = coroutineScope {
        val running = launch {
            closeAt.filterNotNull().collectLatest { block((it - start.elapsedNow()).coerceAtLeast(Duration.ZERO)) }
        }
        end.join()
        running.cancel()
    }

    private fun ended() {
        val left = abandon()
        currents.value = null
        states.value = PersistentState.Closed
        val none = CloseReport(closed = 0, forced = 0, refused = 0, stuck = 0)
        report.complete(PersistentReport(flushed = 0, left.size, left.sumOf { it.bytes }, none))
    }

    /** Nobody writes what is left. */
    private fun abandon(): List<Entry<M>> {
        val left = outbox.getAndUpdate { it.closeEmpty() }.entries
        for (entry in left) entry.done?.completeExceptionally(closedException())
        return left
    }

    override fun toString(): String = "$name: ${state.value}, $snapshot"

    private companion object {
        const val GRACE_MILLIS = 10_000L
        val NEWEST_OF_BEST: Comparator<SetConnection<*>> = compareBy({ it.backend.priority }, { -it.id })
    }
}
