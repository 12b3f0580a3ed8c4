package dev.carom.storage

import dev.carom.storage.internal.LaneElement
import dev.carom.storage.internal.RetryState
import dev.carom.storage.internal.Wish
import dev.carom.storage.internal.callers
import dev.carom.storage.internal.keepingFailure
import dev.carom.storage.internal.laneElement
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * Runs [block] in a transaction: commits when it returns, rolls back when it throws or is cancelled, and then throws the
 * very same exception. The transaction travels in the coroutine's context, through changes of dispatcher and into child
 * coroutines, for which the block waits before the commit; [TxnPolicy.propagation] says what happens when there is one
 * already. On a transaction, this begins one inside it.
 *
 * With [TxnPolicy.retry], the block runs again after a failure that may pass; each time in a new transaction with no hooks.
 *
 * @throws StorageException.TxnRollbackOnly if it was marked for rollback ([setRollbackOnly]) and the block returned.
 * @throws StorageException.OpTimeout if [TxnPolicy.timeout] ran out; it is rolled back.
 */
public suspend fun <T : StorageTxn, R> Transactable<T>.txn(
    policy: TxnPolicy,
    block: suspend CoroutineScope.(T) -> R,
): R {
    val here = currentCoroutineContext().laneElement(lane)
    val open = openTxn(here) ?: return when {
        policy.propagation != Propagation.MANDATORY || this is StorageTxn -> runWithRetry(here, policy, block)
        else -> throw StorageException.NoTxn(lane.name, "MANDATORY, and no transaction is open")
    }
    return when (policy.propagation) {
        Propagation.REQUIRED, Propagation.MANDATORY -> join(open, policy, block)
        Propagation.REQUIRES_NEW -> runOnce(here, policy, block)
        Propagation.NESTED -> nestingOf(open).runOnce(here, policy, block)
        Propagation.NEVER -> throw StorageException.TxnInProgress(lane.name, "NEVER, and a transaction is open: $open")
    }
}

/** [txn] with the defaults. */
public suspend fun <T : StorageTxn, R> Transactable<T>.txn(block: suspend CoroutineScope.(T) -> R): R =
    txn(TxnPolicy.DEFAULT, block)

/**
 * Runs [block] with a connection and closes that, whatever happens. The connection is the nearest for [StorageSlot]s in the
 * block.
 *
 * @throws StorageException.UnfinishedTxn if the block returned and had left a transaction open; that is rolled back.
 */
public suspend fun <C : StorageConn<T>, T : StorageTxn, R> StoragePool<C, T>.conn(
    block: suspend CoroutineScope.(C) -> R,
): R {
    val here = currentCoroutineContext().laneElement(lane)
    val conn = conn()
    val id = conn.leaseInfo.id
    val element = LaneElement(lane, conn, null, here?.anchors.orEmpty(), here?.connLeases.orEmpty() + id)
    val callers = HashSet<Any>(currentCoroutineContext().callers(lane))
    var failure: Throwable? = null
    try {
        return withContext(element) {
            callers += checkNotNull(coroutineContext[Job])
            coroutineScope {
                callers += checkNotNull(coroutineContext[Job])
                block(conn)
            }
        }
    } catch (e: Throwable) {
        failure = e
        throw e
    } finally {
        val unfinished = withContext(NonCancellable) { close(conn, callers) }
        if (unfinished) {
            val told = StorageException.UnfinishedTxn(
                name,
                "a transaction was open when the block ended; it is rolled back",
            )
            failure?.addSuppressed(told) ?: throw told
        }
    }
}

/** Makes the end of this transaction a rollback, also when its block returns. */
public fun StorageTxn.setRollbackOnly() {
    hooks.book.rollbackOnly = true
}

/** Ends the block of [txn] that began this transaction, with a rollback and [value] as its result. Never returns. */
public fun <R> StorageTxn.rollbackWith(value: R): R = throw RollbackWith(this, value)

/** Runs [block] as if no transaction and no connection of this pool were around: for what must survive a rollback. */
public suspend fun <R> StorageApi.withoutTxn(block: suspend CoroutineScope.() -> R): R {
    val here = currentCoroutineContext().laneElement(lane) ?: return coroutineScope(block)
    return withContext(LaneElement(lane, null, null, here.anchors, here.connLeases), block)
}

/**
 * Runs [block]; sessions taken from this pool meanwhile are such as [wish] asks for, in the words of the pool's
 * [SessionSource]. What has a session already keeps it.
 */
public suspend fun <R> StorageApi.withWish(wish: Any, block: suspend CoroutineScope.() -> R): R =
    withContext(Wish(lane, wish), block)

private class RollbackWith(val txn: StorageTxn, val value: Any?) : RuntimeException("rollbackWith outside its block")

private suspend fun close(conn: StorageConn<*>, callers: Set<Any>): Boolean {
    val core = conn.leaseInfo.face as? ConnCore<*>
    if (core != null) return core.closeAs(callers)
    conn.close()
    return false
}

/** The transaction in the context that a call on this receiver would be part of. */
private fun Transactable<*>.openTxn(here: LaneElement?): StorageTxn? {
    val txn = here?.txn
    return when (this) {
        is StorageTxn -> null
        is StorageConn<*> -> txn?.takeIf { it.hooks.anchor?.leaseId == leaseInfo.id }
        else -> txn
    }
}

private fun <T : StorageTxn> Transactable<T>.nestingOf(open: StorageTxn): Transactable<T> {
    // The lane is this pool's, and so are the types of its transactions.
    @Suppress("UNCHECKED_CAST")
    return open as? Transactable<T>
        ?: throw StorageException.NestedTxnNotSupported(lane.name, "$kind transactions have none inside")
}

private suspend fun <T : StorageTxn, R> Transactable<T>.join(
    open: StorageTxn,
    policy: TxnPolicy,
    block: suspend CoroutineScope.(T) -> R,
): R {
    open.hooks.anchor?.let { checkFits(it.policy, policy) }
    try {
        @Suppress("UNCHECKED_CAST")
        return limited(policy) { coroutineScope { block(open as T) } }
    } catch (e: Throwable) {
        if (policy.joinFailure == JoinFailure.MARK_ROLLBACK_ONLY) open.setRollbackOnly()
        throw e
    }
}

private fun StorageApi.checkFits(running: TxnPolicy, asked: TxnPolicy) {
    val writes = asked.readOnly == false && running.readOnly == true
    if (writes || asked.isolation.code > running.isolation.code) {
        throw StorageException.TxnPolicyConflict(
            lane.name,
            "the open transaction has isolation ${running.isolation}, readOnly ${running.readOnly}; " +
                "asked for ${asked.isolation}, readOnly ${asked.readOnly}",
        )
    }
}

private suspend fun <T : StorageTxn, R> Transactable<T>.runWithRetry(
    here: LaneElement?,
    policy: TxnPolicy,
    block: suspend CoroutineScope.(T) -> R,
): R {
    if (policy.retry.attempts == 1 || this is StorageTxn) return runOnce(here, policy, block)
    val retry = RetryState(policy.retry, lane.random)
    while (true) {
        val failure = try {
            return runOnce(here, policy, block)
        } catch (e: CancellationException) {
            throw e
        } catch (e: Throwable) {
            e
        }
        val pause = retry.failed(failure) ?: throw failure
        lane.retried(retry.attempts, failure)
        delay(pause)
    }
}

private suspend fun <T : StorageTxn, R> Transactable<T>.runOnce(
    here: LaneElement?,
    policy: TxnPolicy,
    block: suspend CoroutineScope.(T) -> R,
): R {
    val txn = beginTxn(policy.inBlock())
    val anchors = here?.anchors.orEmpty() + listOfNotNull(txn.hooks.anchor)
    val element = LaneElement(lane, here?.conn, txn, anchors, here?.connLeases.orEmpty())
    val value = try {
        limited(policy) { withContext(element) { keepingFailure { block(txn) } }.get() }
    } catch (e: RollbackWith) {
        endBy(txn, TxnEnd.ROLLBACK)?.let { throw it }
        if (e.txn !== txn) throw e
        @Suppress("UNCHECKED_CAST")
        return e.value as R
    } catch (e: Throwable) {
        val failed = endBy(txn, if (e is CancellationException) TxnEnd.OWNER_CANCELLED else TxnEnd.ROLLBACK)
        if (failed != null && failed !is StorageException.TxnFinished && failed !== e) e.addSuppressed(failed)
        throw e
    }
    txn.commit()
    return value
}

private suspend fun endBy(txn: StorageTxn, reason: TxnEnd): Throwable? = withContext(NonCancellable) {
    try {
        val anchor = txn.hooks.anchor
        if (anchor == null) {
            txn.rollback()
            null
        } else {
            anchor.endBy(reason)
        }
    } catch (e: Throwable) {
        e
    }
}

private suspend fun <R> StorageApi.limited(policy: TxnPolicy, block: suspend () -> R): R {
    if (policy.timeout.isInfinite()) return block()
    // A failure leaves as a value here too.
    val kept = withTimeoutOrNull(policy.timeout) { keepingFailure { block() } }
        ?: throw StorageException.OpTimeout(lane.name, "the transaction did not end within ${policy.timeout}")
    return kept.get()
}
