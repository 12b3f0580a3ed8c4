package dev.carom.storage.internal

import dev.carom.storage.NestingTxn
import dev.carom.storage.StorageException
import dev.carom.storage.StorageKind
import dev.carom.storage.StorageLane
import dev.carom.storage.StorageMode
import dev.carom.storage.StorageTxn
import dev.carom.storage.TxnCore
import dev.carom.storage.TxnHooks
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnStatus

/** A transaction whose nested ones have the type of its storage. */
internal class TypedTxn<S : Any, T : StorageTxn>(private val core: TxnCore<S>, private val wrap: (TxnCore<S>) -> T) :
    NestingTxn<T> {
    override val mode: StorageMode get() = core.mode
    override val kind: StorageKind get() = core.kind
    override val lane: StorageLane get() = core.lane
    override val status: TxnStatus get() = core.status
    override val hooks: TxnHooks get() = core.hooks

    override suspend fun commit(): Unit = core.commit()

    override suspend fun rollback(): Unit = core.rollback()

    override suspend fun beginTxn(policy: TxnPolicy): T = wrap(core.beginTxn(policy))

    override fun toString(): String = core.toString()
}

/** Refuses, before a session is taken, what the platform cannot do. */
internal fun Engine<*>.checkCan(policy: TxnPolicy, nested: Boolean) {
    val can = driver.capabilities
    if (!can.transactions) throw StorageException.NestedTxnNotSupported(name, "${driver.kind} has no transactions")
    if (policy.isolation !in can.isolations) {
        throw StorageException.UnsupportedIsolation(
            name,
            "isolation ${policy.isolation} is not among ${can.isolations}",
            policy.isolation,
        )
    }
    if (nested && !can.savepoints) {
        throw StorageException.NestedTxnNotSupported(name, "${driver.kind} has no savepoints")
    }
}

/** What a caller is told whom [state] does not serve. */
internal fun txnRefusal(
    pool: String,
    why: Refusal,
    state: TxnState,
    failure: Throwable?,
): StorageException = when (why) {
    Refusal.TxnFailed -> StorageException.TxnFailed(
        pool,
        "an operation failed and the platform accepts only a rollback now",
        failure,
    )

    Refusal.CursorOpen ->
        StorageException.CursorOpen(pool, "the caller has rows open in this transaction: close them first")

    Refusal.WaitsForSelf -> StorageException.WouldWaitForSelf(
        pool,
        "the caller has a transaction open inside this one: use that, or end it first",
    )

    Refusal.Concurrent -> StorageException.ConcurrentTxnUse(
        pool,
        "another coroutine uses this transaction now; ConcurrentUse.QUEUE would wait for it",
    )

    Refusal.Unfinished ->
        StorageException.UnfinishedTxn(pool, "a nested transaction is open; everything is rolled back")

    Refusal.ConnClosed, Refusal.ConnBroken, Refusal.TxnFinished ->
        StorageException.TxnFinished(
            pool,
            "the transaction is ${state.status}, by ${state.end}",
            state.status,
            state.end,
        )
}
