package dev.carom.storage.internal

import dev.carom.storage.StorageNotice
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnStatus
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.time.Duration

/** What the runner knows of a transaction behind its public face. */
internal interface TxnAnchor {
    val policy: TxnPolicy

    /** The transaction itself, as sessions. */
    val sessions: Any

    /** The lease it uses; null while it has none. */
    val leaseId: Long?

    /** Its place on the connection or in the outer transaction; null if it has a lease of its own. */
    val ticket: Ticket?

    suspend fun endBy(reason: TxnEndReason): Throwable?
}

/** The hooks of one transaction. */
@OptIn(ExperimentalAtomicApi::class)
internal class HookBook(private val finished: () -> Throwable) {
    private class Entry(val on: TxnStatus?, val run: suspend (TxnStatus) -> Unit)

    private class Entries(val before: List<suspend () -> Unit>, val after: List<Entry>, val open: Boolean)

    private val entries = AtomicReference(Entries(emptyList(), emptyList(), true))

    /** Only a rollback is wanted. */
    @Volatile
    var rollbackOnly: Boolean = false

    fun before(hook: suspend () -> Unit) = change { Entries(it.before + hook, it.after, true) }

    fun after(on: TxnStatus, hook: suspend () -> Unit) = add(Entry(on) { hook() })

    fun completion(hook: suspend (TxnStatus) -> Unit) = add(Entry(null, hook))

    private fun add(entry: Entry) = change { Entries(it.before, it.after + entry, true) }

    private inline fun change(next: (Entries) -> Entries) {
        while (true) {
            val now = entries.load()
            if (!now.open) throw finished()
            if (entries.compareAndSet(now, next(now))) return
        }
    }

    /** Runs the hooks before a commit, those included that hooks add. */
    suspend fun runBefore() {
        var done = 0
        while (true) {
            val hook = entries.load().before.getOrNull(done++) ?: return
            hook()
        }
    }

    /** Moves what is to happen after the end to the outer transaction. */
    fun moveTo(outer: HookBook) {
        val mine = close()
        outer.change { Entries(it.before + mine.before, it.after + mine.after, true) }
    }

    /** Runs what belongs to [outcome]; returns what failed. */
    suspend fun runAfter(outcome: TxnStatus, limit: Duration, tell: (StorageNotice) -> Unit): List<Throwable> {
        val mine = close().after
        val ours = mine.filter { it.on == outcome }
        val inOrder = if (outcome == TxnStatus.ROLLED_BACK) ours.reversed() else ours
        return (inOrder + mine.filter { it.on == null }).mapNotNull { entry ->
            bounded(limit) { entry.run(outcome) }?.also { tell(StorageNotice.HookFailed(outcome, it)) }
        }
    }

    private fun close(): Entries {
        while (true) {
            val now = entries.load()
            if (!now.open || entries.compareAndSet(now, Entries(emptyList(), emptyList(), false))) return now
        }
    }

    private suspend fun bounded(limit: Duration, hook: suspend () -> Unit): Throwable? = try {
        val ended = withTimeoutOrNull(limit) {
            hook()
            true
        }
        if (ended == null) HookTimeout(limit) else null
    } catch (e: CancellationException) {
        currentCoroutineContext().ensureActive()
        e
    } catch (e: Throwable) {
        e
    }
}

/** A hook took too long. */
internal class HookTimeout(limit: Duration) : RuntimeException("a hook did not end within $limit")
