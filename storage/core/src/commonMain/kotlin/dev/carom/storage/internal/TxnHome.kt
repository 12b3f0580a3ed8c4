package dev.carom.storage.internal

import dev.carom.storage.ConnCore
import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionTxn
import dev.carom.storage.TxnCore
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnStatus
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration.Companion.milliseconds

/** What a transaction stands on: how it begins and ends there. */
internal abstract class TxnHome<S : Any>(protected val engine: Engine<S>) {
    /** Its place on a connection or in another transaction; null before it began, and on a pool. */
    var turn: Turn? = null
        protected set

    open val isNested: Boolean get() = false

    /** Gets a session and begins. Cancelled or failed, it leaves nothing behind. */
    suspend fun open(policy: TxnPolicy): Lease<S> {
        val lease = enter()
        try {
            engine.conclude(lease, Running(engine, lease.session).run(engine.policy.beginTimeout) { begin(it, policy) })
        } catch (failure: Throwable) {
            withContext(NonCancellable) { undo(lease)?.let(failure::addSuppressed) }
            leave(lease)
            throw failure
        }
        return lease
    }

    protected abstract suspend fun enter(): Lease<S>

    protected open suspend fun begin(session: S, policy: TxnPolicy) = engine.driver.begin(session, policy)

    /** A begin that failed for its caller may have worked. */
    protected open suspend fun undo(lease: Lease<S>): Throwable? =
        if (!lease.isSpoiled && engine.driver.txnOf(lease.session) != SessionTxn.IDLE) {
            engine.clear(lease) { engine.driver.rollback(it) }
        } else {
            null
        }

    open suspend fun commit(session: S) = engine.driver.commit(session)

    open suspend fun rollback(session: S) = engine.driver.rollback(session)

    /** [txn] is open now. */
    open fun began(txn: TxnCore<S>) {}

    /** Gives back what [enter] took. */
    abstract fun leave(lease: Lease<S>)
}

internal class PoolHome<S : Any>(engine: Engine<S>) : TxnHome<S>(engine) {
    override suspend fun enter(): Lease<S> = engine.desk.lease()

    override fun leave(lease: Lease<S>) {
        lease.end(ResetLevel.TRACKED)
    }
}

internal class ConnHome<S : Any>(private val conn: ConnCore<S>) : TxnHome<S>(conn.engine) {
    override suspend fun enter(): Lease<S> {
        turn = conn.enter(TicketKind.TXN)
        return conn.lease
    }

    override fun began(txn: TxnCore<S>) {
        conn.txn = txn
    }

    override fun leave(lease: Lease<S>) {
        conn.txn = null
        turn?.let(conn::left)
    }
}

internal class NestedHome<S : Any>(private val outer: TxnCore<S>) : TxnHome<S>(outer.engine) {
    private val name = "carom_${outer.engine.countAcquired()}"

    override val isNested: Boolean get() = true

    override suspend fun enter(): Lease<S> {
        val (mine, lease) = outer.enterNested()
        turn = mine
        return lease
    }

    override suspend fun begin(session: S, policy: TxnPolicy) = engine.driver.savepoint(session, name)

    /** The savepoint may be there or not; if this cannot be put right, all of it is lost. */
    override suspend fun undo(lease: Lease<S>): Throwable? = engine.clear(lease, ::rollback)

    override suspend fun commit(session: S) = engine.driver.releaseSavepoint(session, name)

    override suspend fun rollback(session: S) = engine.driver.rollbackToSavepoint(session, name)

    /** What was to happen after the inner commit happens after the outer one. */
    fun adopt(hooks: HookBook) = hooks.moveTo(outer.hooks.book)

    override fun leave(lease: Lease<S>) {
        turn?.let(outer::left)
    }
}

/** Asks other sessions how the commit of [token] ended, again and again, as long as the policy allows. */
internal suspend fun <S : Any> resolveOutcome(engine: Engine<S>, token: Any): TxnStatus? =
    withTimeoutOrNull(engine.policy.resolveTimeout) {
        var pause = FIRST_PAUSE
        var outcome: TxnStatus? = null
        while (outcome == null) {
            outcome = ask(engine, token)
            if (outcome == null) delay(pause)
            pause = minOf(pause * 2, LONGEST_PAUSE)
        }
        outcome
    }

private suspend fun <S : Any> ask(engine: Engine<S>, token: Any): TxnStatus? {
    var answer: TxnStatus? = null
    try {
        val lease = engine.desk.lease()
        try {
            // What cut the first session off may have cut off this one, too: there must be time for others.
            val limit = engine.policy.resolveTimeout / MOST_SILENT
            val verdict = Running(engine, lease.session).run(limit) { engine.driver.outcomeOf(it, token) }
            answer = engine.conclude(lease, verdict)
        } finally {
            lease.end(ResetLevel.TRACKED)
        }
    } catch (e: CancellationException) {
        throw e
    } catch (_: Throwable) {
        // No answer this time. The next question may get one.
        currentCoroutineContext().ensureActive()
    }
    return answer
}

private val FIRST_PAUSE = 20.milliseconds
private val LONGEST_PAUSE = 500.milliseconds
private const val MOST_SILENT = 8
