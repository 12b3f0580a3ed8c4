package dev.carom.storage

import dev.carom.storage.internal.AutoSavepoint
import dev.carom.storage.internal.Committing
import dev.carom.storage.internal.Engine
import dev.carom.storage.internal.HoldCore
import dev.carom.storage.internal.HookBook
import dev.carom.storage.internal.Lease
import dev.carom.storage.internal.Machine
import dev.carom.storage.internal.NestedHome
import dev.carom.storage.internal.Outcome
import dev.carom.storage.internal.Refusal
import dev.carom.storage.internal.Ticket
import dev.carom.storage.internal.TicketKind
import dev.carom.storage.internal.Turn
import dev.carom.storage.internal.TxnAnchor
import dev.carom.storage.internal.TxnBonds
import dev.carom.storage.internal.TxnEffect
import dev.carom.storage.internal.TxnEvent
import dev.carom.storage.internal.TxnHome
import dev.carom.storage.internal.TxnState
import dev.carom.storage.internal.TypedTxn
import dev.carom.storage.internal.callers
import dev.carom.storage.internal.checkCan
import dev.carom.storage.internal.txnRefusal
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import kotlin.concurrent.Volatile
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext

/**
 * A transaction of any storage: everything but its operations. [nesting] gives it the type that has them, and savepoints.
 *
 * @param S the session.
 */
public class TxnCore<S : Any> internal constructor(
    internal val engine: Engine<S>,
    internal val policy: TxnPolicy,
    private val home: TxnHome<S>,
    private val origin: CoroutineContext,
) : NestingTxn<TxnCore<S>>,
    Sessions<S> {
    private val machine = Machine<TxnState, TxnEvent, TxnEffect>(
        TxnState(TxnStatus.LAZY, policy.concurrentUse == ConcurrentUse.QUEUE),
    ) { state, event -> state.on(event) }
    private val released = CompletableDeferred<List<Throwable>>()
    private val bonds = TxnBonds(policy, ::endLater)

    @Volatile private var lease: Lease<S>? = null

    @Volatile private var failure: Throwable? = null

    private val began = engine.now
    override val hooks: TxnHooks = TxnHooks(HookBook { refusal(Refusal.TxnFinished) }, Anchor())
    override val mode: StorageMode get() = StorageMode.TXN
    override val kind: StorageKind get() = engine.driver.kind
    override val lane: StorageLane get() = engine.lane
    override val status: TxnStatus get() = machine.state.status

    /** Checks what can be checked without a session; then begins, unless that is left to the first operation. */
    internal suspend fun start() {
        val context = currentCoroutineContext()
        context.ensureActive()
        engine.checkCan(policy, home.isNested)
        if (!policy.lazy) {
            val turn = enter(TicketKind.CALL)
            try {
                begin()
            } finally {
                left(turn)
            }
        }
        bonds.bind(context[Job], engine.scope) { lease?.use?.idle(engine.now) ?: (engine.now - began) }
        if (status.isEnded) bonds.unbind()
    }

    private suspend fun begin() {
        val mine = home.open(policy)
        lease = mine
        if (!home.isNested) mine.readOnly = policy.readOnly == true
        mine.watch()
        home.began(this)
        // Who has the lease is asked first; a connection or an outer transaction asks those on it.
        val turn = home.turn
        if (turn == null) {
            mine.escalation.onStop { endLater(TxnEnd.POOL_CLOSED) }
        } else {
            turn.stopper.onStop { endLater(if (home.isNested) TxnEnd.PARENT else TxnEnd.CONN_CLOSED) }
        }
    }

    override suspend fun <R> use(options: OpOptions, block: suspend (S) -> R): R {
        val (turn, hold) = open(TicketKind.CALL, options)
        turn.stopper.onStop { hold.stopCall { ended() } }
        try {
            return hold.runAndEnd(block)
        } catch (e: Throwable) {
            failure = e
            throw e
        }
    }

    override suspend fun hold(options: OpOptions): SessionHold<S> {
        val (turn, hold) = open(TicketKind.ROWS, options)
        turn.stopper.onStop { hold.stopAndEnd { ended() } }
        hold.bindToCaller()
        return hold
    }

    private suspend fun open(kind: TicketKind, options: OpOptions): Pair<Turn, HoldCore<S>> {
        if (policy.readOnly == true && options.access == Access.WRITE) {
            throw StorageException.ReadOnlyViolation(
                engine.name,
                "a write in a read-only transaction: ${options.label}",
            )
        }
        val turn = enter(kind)
        val mine = lease ?: beginFor(turn)
        val savepoint = if (policy.autoSavepoint) savepointFor(turn, mine) else null
        return turn to HoldCore(engine, mine, options, { refusal(Refusal.TxnFinished) }, savepoint) { left(turn) }
    }

    private suspend fun savepointFor(turn: Turn, mine: Lease<S>): AutoSavepoint<S>? {
        if (!engine.driver.capabilities.savepoints) return null
        try {
            return AutoSavepoint(engine, mine).also { withContext(NonCancellable) { it.set() } }
        } catch (failed: Throwable) {
            left(turn)
            throw failed
        }
    }

    /** The begin of a lazy one. Cancelled before the begin has worked, it is lazy again. */
    private suspend fun beginFor(turn: Turn): Lease<S> {
        try {
            begin()
            return checkNotNull(lease)
        } catch (cancelled: CancellationException) {
            perform(machine.send(TxnEvent.Left(turn, TxnStatus.LAZY)))
            throw cancelled
        } catch (failed: Throwable) {
            perform(machine.send(TxnEvent.Left(turn, TxnStatus.ROLLED_BACK, TxnEnd.PLATFORM)))
            throw failed
        }
    }

    override suspend fun beginTxn(policy: TxnPolicy): TxnCore<S> {
        if (policy.isolation != Isolation.DEFAULT && policy.isolation != this.policy.isolation) {
            throw StorageException.TxnPolicyConflict(
                engine.name,
                "isolation ${policy.isolation} inside ${this.policy.isolation}: a nested transaction has that of the outer one",
            )
        }
        val nested = TxnCore(engine, policy, NestedHome(this), currentCoroutineContext())
        nested.start()
        return nested
    }

    internal suspend fun enterNested(): Pair<Turn, Lease<S>> {
        val turn = enter(TicketKind.TXN)
        return turn to (lease ?: beginFor(turn))
    }

    /** This transaction with the operations of its type, and with nested ones; see [PoolCore.typed]. */
    public fun <T : StorageTxn> nesting(wrap: (TxnCore<S>) -> T): NestingTxn<T> = TypedTxn(this, wrap)

    override suspend fun commit() {
        if (status.isEnded) throw refusal(Refusal.TxnFinished)
        try {
            currentCoroutineContext().ensureActive()
            if (status == TxnStatus.ACTIVE || status == TxnStatus.LAZY) hooks.book.runBefore()
            checkWanted()
        } catch (e: Throwable) {
            giveUp(e, if (e is CancellationException) TxnEnd.OWNER_CANCELLED else TxnEnd.ROLLBACK)
        }
        val turn = turnToCommit()
        // The shield does not change the dispatcher: with one that does, the result would be lost to a cancellation.
        withContext(NonCancellable) { commitIn(turn) }
    }

    private fun checkWanted() {
        if (hooks.book.rollbackOnly) {
            throw StorageException.TxnRollbackOnly(
                engine.name,
                "the transaction was marked for rollback; it is rolled back",
            )
        }
    }

    private suspend fun turnToCommit(): Turn = try {
        enter(TicketKind.COMMIT, TxnEnd.COMMIT)
    } catch (e: StorageException.UnfinishedTxn) {
        giveUp(e, TxnEnd.ROLLBACK)
    } catch (e: CancellationException) {
        giveUp(e, TxnEnd.OWNER_CANCELLED)
    }

    private suspend fun giveUp(why: Throwable, reason: TxnEnd): Nothing {
        withContext(NonCancellable) {
            endBy(reason)?.let { if (it !is StorageException.TxnFinished) why.addSuppressed(it) }
        }
        throw why
    }

    private suspend fun commitIn(turn: Turn) {
        val mine = lease
        val ended = when {
            mine == null -> Outcome(TxnStatus.COMMITTED, TxnEnd.COMMIT)
            status == TxnStatus.ROLLING_BACK -> Committing(engine, home, mine).rollBackInstead(failure)
            else -> Committing(engine, home, mine).commit()
        }
        finish(turn, ended.status, ended.end)
        ended.failure?.let { throw it }
    }

    override suspend fun rollback() {
        endBy(TxnEnd.ROLLBACK)?.let { throw it }
        currentCoroutineContext().ensureActive()
    }

    /** Rolls back, out of reach of cancellation. What went wrong is returned. */
    internal suspend fun endBy(reason: TxnEnd): Throwable? = withContext(NonCancellable) {
        val turn = try {
            enter(TicketKind.ROLLBACK, reason)
        } catch (finished: StorageException.TxnFinished) {
            return@withContext finished
        }
        val mine = lease
        val failed = if (mine == null) null else engine.clear(mine, home::rollback)
        finish(turn, TxnStatus.ROLLED_BACK, reason)
        failed
    }

    internal fun endLater(reason: TxnEnd) {
        if (status.isEnded) return
        engine.tell(StorageNotice.Unfinished(reason, policy.label))
        engine.launchShielded { endBy(reason) }
    }

    private suspend fun finish(turn: Turn, status: TxnStatus, end: TxnEnd) {
        perform(machine.send(TxnEvent.Left(turn, status, end)))
        val failures = released.await()
        if (policy.strictHooks && failures.isNotEmpty() && status == TxnStatus.COMMITTED) {
            val all = StorageException.HookFailed(
                engine.name,
                "${failures.size} hooks failed",
                status,
                failures.first(),
            )
            failures.drop(1).forEach(all::addSuppressed)
            throw all
        }
    }

    private suspend fun enter(kind: TicketKind, end: TxnEnd? = null): Turn {
        val context = currentCoroutineContext()
        if (kind != TicketKind.ROLLBACK) context.ensureActive()
        val turn = Turn(kind, context.callers(lane), end)
        perform(machine.send(TxnEvent.Asked(turn)))
        try {
            turn.await()
        } catch (e: CancellationException) {
            perform(machine.send(TxnEvent.Withdrawn(turn)))
            throw e
        }
        return turn
    }

    /** A call is over: what the session says about the transaction now, it is. */
    internal fun left(turn: Turn) {
        val mine = lease
        val now = when {
            mine == null -> TxnStatus.LAZY

            mine.isSpoiled -> TxnStatus.ROLLED_BACK

            else -> when (engine.driver.txnOf(mine.session)) {
                SessionTxn.OPEN -> TxnStatus.ACTIVE
                SessionTxn.FAILED -> TxnStatus.FAILED
                SessionTxn.IDLE -> TxnStatus.ROLLED_BACK
            }
        }
        perform(machine.send(TxnEvent.Left(turn, now, TxnEnd.PLATFORM.takeIf { now.isEnded })))
    }

    private fun perform(effects: List<TxnEffect>) {
        for (effect in effects) {
            when (effect) {
                is TxnEffect.Start -> (effect.ticket as Turn).start()
                is TxnEffect.Refuse -> (effect.ticket as Turn).refuse(refusal(effect.why))
                is TxnEffect.Stop -> stop(effect.ticket as Turn)
                is TxnEffect.Release -> release()
            }
        }
    }

    private fun stop(turn: Turn) {
        val end = machine.state.end ?: TxnEnd.ROLLBACK
        if (turn.kind == TicketKind.ROWS) engine.tell(StorageNotice.EndedWithOpenRows(end))
        turn.stopper.stop()
    }

    private fun release() {
        bonds.unbind()
        val outcome = status
        (home as? NestedHome<S>)?.let { if (outcome == TxnStatus.COMMITTED) it.adopt(hooks.book) }
        lease?.let {
            if (!home.isNested) it.readOnly = false
            home.leave(it)
        }
        val context = origin.minusKey(Job).minusKey(ContinuationInterceptor).minusKey(lane)
        engine.launchShielded {
            withContext(context) {
                released.complete(hooks.book.runAfter(outcome, engine.policy.hookTimeout, engine::tell))
            }
        }
    }

    private fun ended(): StorageException =
        if (machine.state.end == TxnEnd.TIMEOUT) engine.timeout("transaction") else refusal(Refusal.TxnFinished)

    private fun refusal(why: Refusal): StorageException = txnRefusal(engine.name, why, machine.state, failure)

    private inner class Anchor : TxnAnchor {
        override val policy: TxnPolicy get() = this@TxnCore.policy
        override val sessions: Any get() = this@TxnCore
        override val leaseId: Long? get() = lease?.id
        override val ticket: Ticket? get() = home.turn

        override suspend fun endBy(reason: TxnEnd): Throwable? = this@TxnCore.endBy(reason)
    }

    override fun toString(): String = "transaction ${policy.label} of $lane, $status"
}
