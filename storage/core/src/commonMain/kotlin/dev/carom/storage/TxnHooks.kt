package dev.carom.storage

import dev.carom.storage.internal.HookBook
import dev.carom.storage.internal.TxnAnchor

/**
 * What runs when a transaction ends. Registered in a nested transaction, a hook moves to the outer one when the nested one
 * is committed; when that is rolled back, its rollback hooks run and the others are dropped.
 *
 * Hooks after the end run when the session has been returned, so they may use the pool; in a coroutine of the pool with the
 * context in which the transaction began, out of reach of cancellation, each bounded by [StoragePolicy.hookTimeout]. One
 * that fails is told as [StorageNotice.HookFailed]; the others run all the same.
 *
 * Registering throws [StorageException.TxnFinished] once the transaction has ended.
 */
public class TxnHooks internal constructor(internal val book: HookBook, internal val anchor: TxnAnchor?) {
    /** Runs inside the transaction, before the commit is sent, in order. An exception rolls back, and is thrown. */
    public fun beforeCommit(hook: suspend () -> Unit): Unit = book.before(hook)

    /** Runs after the commit, in order. Not when its outcome is unknown. */
    public fun afterCommit(hook: suspend () -> Unit): Unit = book.after(TxnStatus.COMMITTED, hook)

    /** Runs after a rollback, whatever led to it, a failed commit included; the last one registered first. */
    public fun afterRollback(hook: suspend () -> Unit): Unit = book.after(TxnStatus.ROLLED_BACK, hook)

    /** Runs if the outcome of the commit is unknown, in order. */
    public fun onUnknown(hook: suspend () -> Unit): Unit = book.after(TxnStatus.UNKNOWN, hook)

    /** Runs in any case, after the others, in order. */
    public fun afterCompletion(hook: suspend (TxnStatus) -> Unit): Unit = book.completion(hook)
}
