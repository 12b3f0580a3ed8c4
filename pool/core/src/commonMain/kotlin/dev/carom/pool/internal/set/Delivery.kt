package dev.carom.pool.internal.set

import dev.carom.pool.MessageWriter
import dev.carom.pool.PersistentException
import dev.carom.pool.PersistentPolicy
import dev.carom.pool.PersistentState
import dev.carom.pool.PoolException
import dev.carom.pool.PoolSnapshot.Phase
import dev.carom.pool.SetBackendSnapshot.Status
import dev.carom.pool.SetLease
import dev.carom.pool.SetNotice
import dev.carom.pool.SetSnapshot
import dev.carom.pool.describe
import dev.carom.pool.internal.CallTimeout
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.atomics.AtomicLong
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.incrementAndFetch

/** Takes messages out of the outbox, one at a time, and writes them on whatever connection the set has. */
@OptIn(ExperimentalAtomicApi::class)
internal class Delivery<C : Any, M : Any>(
    private val name: String,
    private val policy: PersistentPolicy,
    private val writer: MessageWriter<C, M>,
    private val set: SetShell<C>,
    private val outbox: MutableStateFlow<Outbox<M>>,
) {
    private val writtenCount = AtomicLong(0)
    private val droppedCount = AtomicLong(0)

    val written: Long get() = writtenCount.load()
    val dropped: Long get() = droppedCount.load()

    /** Until the outbox is closed and empty. */
    suspend fun run() {
        while (true) {
            val now = outbox.first { !it.isEmpty || it.closed }
            if (now.isEmpty) return
            // No lease while there is nothing to write: the connection can be checked, and drains at once.
            lease()?.use { writeAll(it) } ?: return
        }
    }

    /** Made room for others. */
    fun drop(entry: Entry<M>) {
        droppedCount.incrementAndFetch()
        set.tell(SetNotice.MessageDropped(entry.bytes))
        val text = "$name: a message of ${entry.bytes} bytes was dropped to make room for newer ones"
        entry.done?.completeExceptionally(PersistentException.Dropped(name, text))
    }

    private suspend fun lease(): SetLease<C>? {
        while (true) {
            try {
                return set.lease()
            } catch (e: PoolException) {
                if (e is PoolException.Closed) return null
            }
        }
    }

    private suspend fun writeAll(lease: SetLease<C>) {
        while (!lease.source.isRemoved) {
            val entry = begin() ?: return
            if (!write(entry, lease)) return
        }
    }

    private fun begin(): Entry<M>? {
        while (true) {
            val before = outbox.value
            val after = before.begin() ?: return null
            if (outbox.compareAndSet(before, after)) return after.atWriter
        }
    }

    private suspend fun write(entry: Entry<M>, lease: SetLease<C>): Boolean {
        entry.attempts++
        val failure = tryWrite(entry, lease.connection)
        if (failure == null) {
            outbox.update { it.finish() }
            writtenCount.incrementAndFetch()
            entry.done?.complete(Unit)
            return true
        }
        lease.source.fail(failure)
        val again = entry.attempts < policy.attempts
        set.tell(SetNotice.WriteFailed(lease.source.id, lease.source.backend, entry.attempts, again, failure))
        if (again) outbox.update { it.retry() } else giveUp(entry, failure)
        return false
    }

    private suspend fun tryWrite(entry: Entry<M>, connection: C): Throwable? = try {
        val done = withTimeoutOrNull(policy.writeTimeout) {
            writer.write(connection, entry.message)
            true
        }
        if (done == null) CallTimeout("write", policy.writeTimeout) else null
    } catch (e: Throwable) {
        currentCoroutineContext().ensureActive()
        e
    }

    private fun giveUp(entry: Entry<M>, failure: Throwable) {
        outbox.update { it.finish() }
        droppedCount.incrementAndFetch()
        val text = "$name: not written in ${entry.attempts} attempts: ${describe(failure)}"
        entry.done?.completeExceptionally(PersistentException.NotWritten(name, text, entry.attempts, failure))
    }
}

/** What a set of one connection amounts to. */
internal fun stateOf(set: SetSnapshot): PersistentState {
    val live = set.backends.filter { it.status == Status.Live }
    val here = live.firstOrNull { it.wanted } ?: live.firstOrNull()
    val next = set.backends.firstOrNull { it.wanted && it.status != Status.Live }
    val listed = set.backends.filter { it.listed }
    return when {
        set.phase == Phase.Closed -> PersistentState.Closed

        here != null && !here.wanted && next != null -> PersistentState.Moving(here.backend, next.backend)

        here != null -> PersistentState.Connected(here.backend, here.sinceMillis ?: 0)

        listed.isEmpty() -> PersistentState.WaitingForBackends

        else -> {
            val most = listed.maxBy { it.attempts }
            PersistentState.Connecting(most.attempts + 1, most.lastError)
        }
    }
}
