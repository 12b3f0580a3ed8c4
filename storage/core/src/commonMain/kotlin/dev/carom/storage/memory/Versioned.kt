package dev.carom.storage.memory

import dev.carom.storage.ErrorCategory
import dev.carom.storage.ErrorInfo
import dev.carom.storage.Isolation
import dev.carom.storage.SessionTxn
import dev.carom.storage.TxnPolicy
import kotlin.concurrent.atomics.AtomicReference
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/** What storage in memory refuses. */
internal class MemoryError(val category: ErrorCategory, message: String) : RuntimeException(message)

internal fun classifyMemory(error: Throwable): ErrorInfo? = (error as? MemoryError)?.let { ErrorInfo(it.category) }

/** The levels of storage in memory: what one reads is committed, or as it was at the begin, or also still so at the end. */
internal val MEMORY_ISOLATIONS = setOf(
    Isolation.READ_COMMITTED,
    Isolation.REPEATABLE_READ,
    Isolation.SNAPSHOT,
    Isolation.SERIALIZABLE,
)

/**
 * A map in memory with many readers and writers. A commit is one exchange of an immutable map; a version is the value's
 * identity. Writing copies the map: meant for thousands of entries, not for millions.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class VersionedMap<V : Any> {
    private val ref = AtomicReference<Map<String, V>>(emptyMap())

    val current: Map<String, V> get() = ref.load()

    /** Applies [change] to the latest, as often as it takes. */
    fun <R> update(change: (Map<String, V>) -> Pair<Map<String, V>, R>): R {
        while (true) {
            val now = ref.load()
            val (next, result) = change(now)
            if (next === now || ref.compareAndSet(now, next)) return result
        }
    }
}

/**
 * A session on a [VersionedMap]: outside a transaction each change is committed; inside, what the transaction changed lies
 * over what it sees of the others.
 */
internal class VersionedSession<V : Any>(private val store: VersionedMap<V>) {
    private class Txn<V : Any>(val policy: TxnPolicy, val base: Map<String, V>) {
        /** A null is a removal. */
        var own: Map<String, V?> = emptyMap()
        val seen = HashMap<String, V?>()
        val savepoints = ArrayList<Pair<String, Map<String, V?>>>()
    }

    private var txn: Txn<V>? = null

    val state: SessionTxn get() = if (txn == null) SessionTxn.IDLE else SessionTxn.OPEN

    fun begin(policy: TxnPolicy) {
        check(txn == null) { "a transaction is open on this session" }
        txn = Txn(policy, store.current)
    }

    private fun open(): Txn<V> = txn ?: throw MemoryError(ErrorCategory.OTHER, "no transaction is open")

    fun rollback() {
        open()
        txn = null
    }

    /** First committer wins: what this one wrote must be as it was, and at SERIALIZABLE what it read too. */
    fun commit() {
        val mine = open()
        txn = null
        if (mine.own.isEmpty()) return
        store.update { now ->
            val readToo = mine.policy.isolation == Isolation.SERIALIZABLE
            for (key in if (readToo) mine.own.keys + mine.seen.keys else mine.own.keys) {
                if (key !in mine.seen || mine.seen[key] === now[key]) continue
                throw MemoryError(ErrorCategory.SERIALIZATION, "another transaction changed \"$key\" first")
            }
            merged(now, mine.own) to Unit
        }
    }

    fun savepoint(name: String) {
        val mine = open()
        mine.savepoints.add(name to mine.own)
    }

    fun release(name: String) {
        val mine = open()
        mine.cut(name)
    }

    fun rollbackTo(name: String) {
        val mine = open()
        mine.own = mine.cut(name)
    }

    private fun Txn<V>.cut(name: String): Map<String, V?> {
        val at = savepoints.indexOfLast { it.first == name }
        if (at < 0) throw MemoryError(ErrorCategory.OTHER, "no savepoint $name")
        val own = savepoints[at].second
        while (savepoints.size > at) savepoints.removeAt(savepoints.size - 1)
        return own
    }

    private fun Txn<V>.below(): Map<String, V> =
        if (policy.isolation == Isolation.READ_COMMITTED) store.current else base

    /** What is at [key] now, for this session. */
    fun read(key: String): V? {
        val mine = txn ?: return store.current[key]
        if (key in mine.own) return mine.own[key]
        return mine.below()[key].also { mine.see(key, it) }
    }

    /** What a transaction has seen first is what must not have changed. */
    private fun Txn<V>.see(key: String, value: V?) {
        if (key !in seen || policy.isolation == Isolation.READ_COMMITTED) seen[key] = value
    }

    val keys: Set<String>
        get() {
            val mine = txn ?: return store.current.keys
            return merged(mine.below(), mine.own).keys
        }

    /** Replaces what is at [key] by what [change] makes of it; null removes. */
    fun <R> write(key: String, change: (V?) -> Pair<V?, R>): R {
        val mine = txn ?: return store.update { now ->
            val (next, result) = change(now[key])
            (if (next === now[key]) now else merged(now, mapOf(key to next))) to result
        }
        val before = read(key)
        val (next, result) = change(before)
        if (next !== before) {
            if (mine.policy.readOnly == true) throw MemoryError(ErrorCategory.READ_ONLY, "the transaction is read-only")
            if (key !in mine.seen) mine.see(key, mine.below()[key])
            mine.own += (key to next)
        }
        return result
    }

    private fun merged(under: Map<String, V>, over: Map<String, V?>): Map<String, V> {
        val all = LinkedHashMap(under)
        for ((key, value) in over) if (value == null) all.remove(key) else all[key] = value
        return all
    }
}
