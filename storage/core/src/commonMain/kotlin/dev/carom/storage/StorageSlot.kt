package dev.carom.storage

import dev.carom.storage.internal.laneElement
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/**
 * A place in the coroutine's context for one storage: code that uses it does not know which pool it gets, nor whether it
 * runs in a transaction. Compared by identity; keep it in a top-level `val`.
 *
 * @param P the pool.
 * @property name for messages.
 */
public class StorageSlot<P : StoragePool<C, T>, C : StorageConn<T>, T : StorageTxn>(public val name: String) :
    CoroutineContext.Key<CoroutineContext.Element> {
    private inner class Element(val pool: P) : AbstractCoroutineContextElement(this) {
        override fun toString(): String = "slot $name: $pool"
    }

    /** Runs [block] with [pool] in this slot. */
    public suspend fun <R> with(pool: P, block: suspend CoroutineScope.() -> R): R = withContext(Element(pool), block)

    @Suppress("UNCHECKED_CAST")
    private suspend fun element(): Element? = currentCoroutineContext()[this] as StorageSlot<P, C, T>.Element?

    /** The pool in this slot, or null. */
    public suspend fun poolOrNull(): P? = element()?.pool

    /** @throws StorageException.NoStorageInContext if nothing is in this slot. */
    public suspend fun pool(): P =
        poolOrNull() ?: throw StorageException.NoStorageInContext(name, "no pool in the coroutine's context")

    /** The connection around ([conn]), or null. */
    @Suppress("UNCHECKED_CAST")
    public suspend fun connOrNull(): C? = lane()?.conn as C?

    /** The transaction around, or null. One that has ended is still the one around: its operations say so. */
    @Suppress("UNCHECKED_CAST")
    public suspend fun txnOrNull(): T? = lane()?.txn as T?

    /** The transaction around, else the connection, else the pool. */
    public suspend fun nearest(): StorageApi = txnOrNull() ?: connOrNull() ?: pool()

    /** [dev.carom.storage.txn] on the connection around, else on the pool. */
    public suspend fun <R> txn(policy: TxnPolicy, block: suspend CoroutineScope.(T) -> R): R {
        val on: Transactable<T> = connOrNull() ?: pool()
        return on.txn(policy, block)
    }

    /** [txn] with the defaults. */
    public suspend fun <R> txn(block: suspend CoroutineScope.(T) -> R): R = txn(TxnPolicy.DEFAULT, block)

    private suspend fun lane() = element()?.let { currentCoroutineContext().laneElement(it.pool.lane) }

    override fun toString(): String = name
}
