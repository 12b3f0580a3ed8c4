package dev.carom.storage

import dev.carom.storage.internal.ConnEffect
import dev.carom.storage.internal.ConnEvent
import dev.carom.storage.internal.ConnHome
import dev.carom.storage.internal.ConnState
import dev.carom.storage.internal.Engine
import dev.carom.storage.internal.HoldCore
import dev.carom.storage.internal.Lease
import dev.carom.storage.internal.Machine
import dev.carom.storage.internal.Refusal
import dev.carom.storage.internal.TicketKind
import dev.carom.storage.internal.Turn
import dev.carom.storage.internal.callers
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlin.concurrent.Volatile

/**
 * A connection of any storage: everything but its operations. [typed] gives it the type that has them.
 *
 * @param S the session.
 */
public class ConnCore<S : Any> internal constructor(internal val engine: Engine<S>, internal val lease: Lease<S>) :
    StorageConn<TxnCore<S>>,
    Sessions<S> {
    private val machine = Machine<ConnState, ConnEvent, ConnEffect>(
        ConnState(failsDuringTxn = engine.policy.opsDuringTxn == OpsDuringTxn.FAIL),
    ) { state, event -> state.on(event) }
    private val released = CompletableDeferred<Unit>()

    /** The transaction that is open on this connection. */
    @Volatile internal var txn: TxnCore<S>? = null

    init {
        lease.face = this
        lease.watch()
        lease.escalation.onStop { perform(machine.send(ConnEvent.Forced)) }
    }

    override val mode: StorageMode get() = StorageMode.CONN
    override val kind: StorageKind get() = engine.driver.kind
    override val lane: StorageLane get() = engine.lane
    override val status: ConnStatus get() = machine.state.status

    override val leaseInfo: LeaseInfo get() = lease.info

    override suspend fun <R> use(options: OpOptions, block: suspend (S) -> R): R {
        val txn = txnToJoin() ?: return useHere(options, block)
        var began = false
        return try {
            txn.use(options) { session ->
                began = true
                block(session)
            }
        } catch (ended: StorageException.TxnFinished) {
            // At that very moment, and nothing was sent.
            if (began) throw ended
            useHere(options, block)
        }
    }

    private suspend fun <R> useHere(options: OpOptions, block: suspend (S) -> R): R {
        val turn = enter(TicketKind.CALL)
        val hold = holdOf(turn, options)
        turn.stopper.onStop { hold.stopCall { refusal(Refusal.ConnClosed) } }
        return hold.runAndEnd(block)
    }

    override suspend fun hold(options: OpOptions): SessionHold<S> = try {
        txnToJoin()?.hold(options) ?: holdHere(options)
    } catch (_: StorageException.TxnFinished) {
        holdHere(options)
    }

    private suspend fun holdHere(options: OpOptions): SessionHold<S> {
        val turn = enter(TicketKind.ROWS)
        val hold = holdOf(turn, options)
        turn.stopper.onStop { hold.stopAndEnd { refusal(Refusal.ConnClosed) } }
        hold.bindToCaller()
        return hold
    }

    private fun txnToJoin(): TxnCore<S>? =
        if (engine.policy.opsDuringTxn == OpsDuringTxn.JOIN) txn?.takeIf { !it.status.isEnded } else null

    private fun holdOf(turn: Turn, options: OpOptions) =
        HoldCore(engine, lease, options, { refusal(Refusal.ConnClosed) }) { left(turn) }

    override suspend fun beginTxn(policy: TxnPolicy): TxnCore<S> {
        val txn = TxnCore(engine, policy, ConnHome(this), currentCoroutineContext())
        txn.start()
        return txn
    }

    override suspend fun close() {
        closeAs(currentCoroutineContext().callers(lane))
    }

    /** Returns whether one of [callers] had left a transaction open. */
    internal suspend fun closeAs(callers: Set<Any>): Boolean {
        val effects = machine.send(ConnEvent.CloseAsked(callers))
        val left = effects.filterIsInstance<ConnEffect.Stop>().map { it.ticket.kind }
        left.forEach { engine.tell(StorageNotice.ClosedWithOpenWork(it.name)) }
        perform(effects)
        released.join()
        return TicketKind.TXN in left
    }

    override suspend fun closeNow() {
        perform(machine.send(ConnEvent.Forced))
        released.join()
    }

    override fun markBroken(cause: Throwable) {
        lease.spoil(DestroyReason.BROKEN, cause)
        perform(machine.send(ConnEvent.Broke))
    }

    /** This connection with the operations of its type; see [PoolCore.typed]. */
    public fun <T : StorageTxn> typed(txn: (TxnCore<S>) -> T): StorageConn<T> = TypedConn(this, txn)

    /** Waits for its turn, in order. */
    internal suspend fun enter(kind: TicketKind): Turn {
        val context = currentCoroutineContext()
        context.ensureActive()
        val turn = Turn(kind, context.callers(lane))
        perform(machine.send(ConnEvent.Asked(turn)))
        try {
            turn.await()
        } catch (e: CancellationException) {
            perform(machine.send(ConnEvent.Withdrawn(turn)))
            throw e
        }
        return turn
    }

    internal fun left(turn: Turn) {
        if (lease.isSpoiled) perform(machine.send(ConnEvent.Broke))
        perform(machine.send(ConnEvent.Left(turn)))
    }

    private fun perform(effects: List<ConnEffect>) {
        for (effect in effects) {
            when (effect) {
                is ConnEffect.Start -> (effect.ticket as Turn).start()
                is ConnEffect.Refuse -> (effect.ticket as Turn).refuse(refusal(effect.why))
                is ConnEffect.Stop -> (effect.ticket as Turn).stopper.stop()
                is ConnEffect.Release -> release()
            }
        }
    }

    private fun release() {
        val back = lease.end(engine.policy.reset)
        if (back == null) released.complete(Unit) else back.invokeOnCompletion { released.complete(Unit) }
    }

    private fun refusal(why: Refusal): StorageException = when (why) {
        Refusal.ConnBroken -> StorageException.ConnBroken(engine.name, "the session is lost", lease.lost?.second)

        Refusal.CursorOpen ->
            StorageException.CursorOpen(engine.name, "the caller has rows open on this connection: close them first")

        Refusal.WaitsForSelf -> StorageException.WouldWaitForSelf(
            engine.name,
            "the caller has a transaction open on this connection: use the transaction, or one nested in it",
        )

        Refusal.Concurrent -> StorageException.ConcurrentTxnUse(engine.name, "a transaction is open on this connection")

        Refusal.ConnClosed, Refusal.TxnFailed, Refusal.TxnFinished, Refusal.Unfinished ->
            if (engine.desk.state.escalated) {
                engine.closed(null)
            } else {
                StorageException.ConnClosed(engine.name, "the connection is ${status.name.lowercase()}")
            }
    }

    override fun toString(): String = "connection ${lease.id} of $lane, ${status.name.lowercase()}"
}

private class TypedConn<S : Any, T : StorageTxn>(private val core: ConnCore<S>, private val wrap: (TxnCore<S>) -> T) :
    StorageConn<T> {
    override val mode: StorageMode get() = core.mode
    override val kind: StorageKind get() = core.kind
    override val lane: StorageLane get() = core.lane
    override val status: ConnStatus get() = core.status
    override val leaseInfo: LeaseInfo get() = core.leaseInfo

    override suspend fun beginTxn(policy: TxnPolicy): T = wrap(core.beginTxn(policy))

    override suspend fun close(): Unit = core.close()

    override suspend fun closeNow(): Unit = core.closeNow()

    override fun markBroken(cause: Throwable): Unit = core.markBroken(cause)

    override fun toString(): String = core.toString()
}
