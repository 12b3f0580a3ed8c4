package dev.carom.storage

import dev.carom.storage.internal.ChangeSetShell
import kotlinx.coroutines.CoroutineScope

/** In which order what undoes is run. */
public enum class FailOrder { REGISTERED, REVERSE }

/**
 * A transaction of this process alone: a list of things to do at its end. Business code says what is to happen; it happens
 * once, at the end, or not at all.
 *
 * Callbacks run with the context in which the change set was made.
 */
public interface ChangeSet : StorageTxn {
    /** Runs [change] at the commit, in order. The first that fails stops the rest and runs what [deferFail] has. */
    public fun defer(change: suspend () -> Unit)

    /** Runs [undo] if the change set is rolled back or its commit fails. Each runs, also when another one fails. */
    public fun deferFail(undo: suspend () -> Unit)
}

/**
 * A change set with a transaction inside: opened at the commit, and only if somebody deferred something to it.
 *
 * @param T the transaction.
 */
public interface TxnChangeSet<T : StorageTxn> : ChangeSet {
    /**
     * Runs [change] at the commit in one transaction with the others, before all that [defer] has. If what comes after the
     * transaction fails, that stays committed.
     */
    public fun deferTxn(change: suspend (T) -> Unit)
}

/**
 * Runs [block] with a change set, commits it when the block returns and rolls it back when the block throws. Inside
 * another change set of [changeSet], the block uses that.
 *
 * @throws StorageException.TxnFinished if the block ended it itself.
 */
public suspend fun <R> changeSet(order: FailOrder, block: suspend CoroutineScope.(ChangeSet) -> R): R =
    ChangeSetShell.run(order, block)

/** [changeSet] whose undoing runs in the order of registration. */
public suspend fun <R> changeSet(
    block: suspend CoroutineScope.(ChangeSet) -> R,
): R = changeSet(FailOrder.REGISTERED, block)

/**
 * Runs [block] with a change set whose [TxnChangeSet.deferTxn] goes to a transaction of this. [policy] is the one of that
 * transaction, its retries included.
 *
 * When the outcome of its commit is unknown, neither what was deferred nor what undoes it runs.
 */
public suspend fun <T : StorageTxn, R> Transactable<T>.changeSet(
    policy: TxnPolicy,
    order: FailOrder,
    block: suspend CoroutineScope.(TxnChangeSet<T>) -> R,
): R = ChangeSetShell.run(this, policy, order, block)

/** [changeSet] with the defaults. */
public suspend fun <T : StorageTxn, R> Transactable<T>.changeSet(
    block: suspend CoroutineScope.(TxnChangeSet<T>) -> R,
): R = changeSet(TxnPolicy.DEFAULT, FailOrder.REGISTERED, block)
