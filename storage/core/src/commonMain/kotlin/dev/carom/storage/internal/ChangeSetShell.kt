package dev.carom.storage.internal

import dev.carom.storage.FailOrder
import dev.carom.storage.StorageException
import dev.carom.storage.StorageKind
import dev.carom.storage.StorageLane
import dev.carom.storage.StorageMode
import dev.carom.storage.StorageTxn
import dev.carom.storage.Transactable
import dev.carom.storage.TxnChangeSet
import dev.carom.storage.TxnEnd
import dev.carom.storage.TxnHooks
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnStatus
import dev.carom.storage.txn
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.seconds

/** What is to be done, and where the change set stands. */
internal data class ChangeSetState<T>(
    val status: TxnStatus = TxnStatus.ACTIVE,
    val inTxn: List<suspend (T) -> Unit> = emptyList(),
    val changes: List<suspend () -> Unit> = emptyList(),
    val undos: List<suspend () -> Unit> = emptyList(),
)

@OptIn(ExperimentalAtomicApi::class)
internal class ChangeSetShell<T : StorageTxn>(
    private val on: Transactable<T>?,
    private val policy: TxnPolicy,
    private val order: FailOrder,
    context: CoroutineContext,
) : TxnChangeSet<T> {
    private val ref = AtomicReference(ChangeSetState<T>())
    private val origin = context.minusKey(Job).minusKey(ContinuationInterceptor)

    override val mode: StorageMode get() = StorageMode.TXN
    override val kind: StorageKind get() = StorageKind.CHANGE_SET
    override val lane: StorageLane = StorageLane("change set")
    override val status: TxnStatus get() = ref.load().status
    override val hooks: TxnHooks = TxnHooks(HookBook { finished() }, null)

    override fun defer(change: suspend () -> Unit) = change { it.copy(changes = it.changes + change) }

    override fun deferFail(undo: suspend () -> Unit) = change { it.copy(undos = it.undos + undo) }

    override fun deferTxn(change: suspend (T) -> Unit) = change { it.copy(inTxn = it.inTxn + change) }

    private fun change(next: (ChangeSetState<T>) -> ChangeSetState<T>): Unit = move(TxnStatus.ACTIVE, next)

    private fun move(from: TxnStatus, next: (ChangeSetState<T>) -> ChangeSetState<T>) {
        while (true) {
            val now = ref.load()
            if (now.status != from) throw finished()
            if (ref.compareAndSet(now, next(now))) return
        }
    }

    private fun finished() = StorageException.TxnFinished(
        lane.name,
        "the change set is $status",
        status,
        if (status == TxnStatus.COMMITTED) TxnEnd.COMMIT else TxnEnd.ROLLBACK,
    )

    override suspend fun commit() {
        move(TxnStatus.ACTIVE) { it.copy(status = TxnStatus.COMMITTING) }
        var outcome = TxnStatus.ROLLED_BACK
        try {
            hooks.book.runBefore()
            runInTxn()
            outcome = TxnStatus.COMMITTED
            runChanges()
        } catch (e: StorageException.CommitOutcomeUnknown) {
            withContext(NonCancellable) { end(TxnStatus.UNKNOWN) }
            throw e
        } catch (e: Throwable) {
            withContext(NonCancellable) {
                undo(e)
                // A transaction that was committed stays so: only what came after it failed.
                end(if (ref.load().inTxn.isEmpty()) TxnStatus.ROLLED_BACK else outcome)
            }
            throw e
        }
        withContext(NonCancellable) { end(TxnStatus.COMMITTED) }
    }

    private suspend fun runInTxn() {
        val inTxn = ref.load().inTxn
        if (inTxn.isEmpty() || on == null) return
        on.txn(policy) { txn -> for (change in inTxn) withContext(origin + currentTxnContext()) { change(txn) } }
    }

    /** The transaction that has just begun must win over what was around when the change set was made. */
    private suspend fun currentTxnContext(): CoroutineContext = currentCoroutineContext()

    private suspend fun runChanges() {
        for (change in ref.load().changes) {
            currentCoroutineContext().ensureActive()
            withContext(origin) { change() }
        }
    }

    override suspend fun rollback() {
        move(TxnStatus.ACTIVE) { it.copy(status = TxnStatus.ROLLING_BACK) }
        val failures = withContext(NonCancellable) {
            runUndos().also { end(TxnStatus.ROLLED_BACK) }
        }
        failures.firstOrNull()?.let { first ->
            failures.drop(1).forEach(first::addSuppressed)
            throw first
        }
    }

    private suspend fun undo(why: Throwable) {
        runUndos().filter { it !== why }.forEach(why::addSuppressed)
    }

    private suspend fun runUndos(): List<Throwable> {
        val undos = ref.load().undos.let { if (order == FailOrder.REVERSE) it.reversed() else it }
        return undos.mapNotNull { undo ->
            try {
                withContext(origin) { undo() }
                null
            } catch (e: CancellationException) {
                // Its own: this runs where cancellation cannot reach.
                e
            } catch (e: Throwable) {
                e
            }
        }
    }

    private suspend fun end(status: TxnStatus) {
        ref.store(ref.load().copy(status = status))
        hooks.book.runAfter(status, HOOK_LIMIT) {}
    }

    override fun toString(): String = "change set, $status"

    private class Current(val set: ChangeSetShell<*>) : AbstractCoroutineContextElement(Current) {
        companion object Key : CoroutineContext.Key<Current>
    }

    internal companion object {
        private val HOOK_LIMIT = 10.seconds

        suspend fun <R> run(order: FailOrder, block: suspend CoroutineScope.(ChangeSetShell<StorageTxn>) -> R): R =
            run(null, TxnPolicy.DEFAULT, order, block)

        suspend fun <T : StorageTxn, R> run(
            on: Transactable<T>?,
            policy: TxnPolicy,
            order: FailOrder,
            block: suspend CoroutineScope.(ChangeSetShell<T>) -> R,
        ): R {
            val context = currentCoroutineContext()
            val open = context[Current]?.set
            if (open != null && (on == null || open.on?.lane === on.lane)) {
                @Suppress("UNCHECKED_CAST")
                return withContext(context.minusKey(Job)) { block(open as ChangeSetShell<T>) }
            }
            val set = ChangeSetShell(on, policy, order, context)
            val value = try {
                withContext(Current(set)) { keepingFailure { block(set) } }.get()
            } catch (e: Throwable) {
                withContext(NonCancellable) { set.rollBackAfter(e) }
                throw e
            }
            set.commit()
            return value
        }
    }

    private suspend fun rollBackAfter(why: Throwable) {
        if (status != TxnStatus.ACTIVE) return
        try {
            rollback()
        } catch (e: Throwable) {
            why.addSuppressed(e)
        }
    }
}
