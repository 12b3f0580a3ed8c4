package dev.carom.storage.redis

import dev.carom.storage.Capabilities
import dev.carom.storage.ErrorCategory
import dev.carom.storage.ErrorInfo
import dev.carom.storage.Isolation
import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionTxn
import dev.carom.storage.TxnPolicy
import dev.carom.storage.keyvalue.KeyCondition
import dev.carom.storage.keyvalue.KeyValueDriver
import dev.carom.storage.keyvalue.ScanPage
import dev.carom.storage.redis.internal.Expiry
import dev.carom.storage.redis.internal.KeyCommands
import dev.carom.storage.redis.internal.Overlay
import dev.carom.storage.redis.internal.Pending
import dev.carom.storage.redis.internal.classifyRedis
import io.lettuce.core.TransactionResult
import kotlinx.coroutines.Job

/**
 * Keys and values of a Redis or Valkey server (6.0 or later), not of a cluster.
 *
 * **Transactions.** What a transaction writes is kept here and sent at its commit, as one MULTI … EXEC; it sees its own
 * writes before. Keys whose value a write depends on (conditions, increments, deletes) are watched, and at SERIALIZABLE
 * each key that is read too: if another client changes one of them, the commit fails as a serialization failure and nothing
 * is written. A savepoint is what was written up to then. Times to live count from the commit. A scan is not watched.
 *
 * **Cancelling.** A command that blocks is ended by CLIENT UNBLOCK on another connection; others are waited for, as they end
 * in microseconds. A script cannot be stopped: a cancelled one that outlasts the grace costs its connection, and goes on.
 *
 * A scan may give a key twice while the server's table grows, as SCAN may.
 */
public class RedisDriver internal constructor() : KeyValueDriver<RedisSession> {
    override val capabilities: Capabilities = Capabilities(setOf(Isolation.SERIALIZABLE), savepoints = true)

    override suspend fun begin(session: RedisSession, policy: TxnPolicy) {
        session.watchesReads = policy.isolation == Isolation.SERIALIZABLE
        session.overlay = Overlay()
    }

    override suspend fun commit(session: RedisSession) {
        val changes = session.overlay?.changes.orEmpty()
        // Also without changes: what was read must have been true all along.
        val result = if (changes.isEmpty() && !session.watching) null else exec(session, changes)
        ended(session)
        if (result?.wasDiscarded() == true) throw RedisConflict("another client changed a key that was read")
    }

    private suspend fun exec(session: RedisSession, changes: Map<String, Pending>): TransactionResult? = session.send {
        it.multi()
        for ((key, change) in changes) KeyCommands.write(it, key, change)
        it.exec()
    }.also { session.watching = false }

    override suspend fun rollback(session: RedisSession) {
        if (session.connection.isMulti) session.send { it.discard() }
        if (session.watching) session.send { it.unwatch() }
        session.watching = false
        ended(session)
    }

    private fun ended(session: RedisSession) {
        session.overlay = null
        session.watchesReads = false
        session.savepoints.clear()
    }

    override suspend fun savepoint(session: RedisSession, name: String) {
        session.savepoints[name] = checkNotNull(session.overlay) { "no transaction is open" }
    }

    override suspend fun releaseSavepoint(session: RedisSession, name: String) {
        session.savepoints.remove(name)
    }

    override suspend fun rollbackToSavepoint(session: RedisSession, name: String) {
        session.overlay = checkNotNull(session.savepoints.remove(name)) { "no savepoint $name" }
    }

    override fun txnOf(session: RedisSession): SessionTxn = session.txn

    override suspend fun cancel(session: RedisSession, call: Job) {
        if (session.running) session.control.unblock(session.clientId)
    }

    override fun isClean(session: RedisSession, level: ResetLevel): Boolean =
        session.txn == SessionTxn.IDLE && !session.watching && !session.touched

    override suspend fun reset(session: RedisSession, level: ResetLevel) {
        rollback(session)
        if (!session.touched) return
        session.send {
            it.unwatch()
            it.select(session.database)
        }
        session.touched = false
    }

    override fun abort(session: RedisSession) {
        session.connection.closeAsync()
    }

    override fun classify(error: Throwable): ErrorInfo? = classifyRedis(error)

    override suspend fun getAll(session: RedisSession, keys: Collection<String>): Map<String, String> {
        val overlay = session.overlay ?: return KeyCommands.getAll(session, keys)
        val asked = keys.filter { overlay[it] == null }
        if (session.watchesReads) watch(session, asked)
        val stored = if (asked.isEmpty()) emptyMap() else KeyCommands.getAll(session, asked)
        val values = LinkedHashMap<String, String>()
        for (key in keys) {
            when (val own = overlay[key]) {
                is Pending.Put -> values[key] = own.value
                is Pending.Gone -> Unit
                null -> stored[key]?.let { values[key] = it }
            }
        }
        return values
    }

    override suspend fun set(
        session: RedisSession,
        key: String,
        value: String,
        ttlMillis: Long,
        onlyIf: KeyCondition,
    ): Boolean {
        if (session.overlay == null) return KeyCommands.set(session, key, value, ttlMillis, onlyIf)
        val fits = onlyIf == KeyCondition.ALWAYS || (current(session, key) == null) == (onlyIf == KeyCondition.ABSENT)
        if (fits) change(session) { it.put(key, value, expiry(ttlMillis)) }
        return fits
    }

    override suspend fun compareAndSet(session: RedisSession, key: String, expected: String?, value: String): Boolean {
        if (session.overlay == null) return KeyCommands.compareAndSet(session, key, expected, value)
        val fits = current(session, key) == expected
        if (fits) change(session) { it.put(key, value, Expiry.Never) }
        return fits
    }

    override suspend fun delete(session: RedisSession, key: String): Boolean {
        if (session.overlay == null) return session.send { it.del(key) } > 0
        val there = current(session, key) != null
        change(session) { it.remove(key) }
        return there
    }

    override suspend fun expire(session: RedisSession, key: String, ttlMillis: Long): Boolean {
        if (session.overlay == null) return KeyCommands.expire(session, key, ttlMillis)
        val value = current(session, key) ?: return false
        change(session) { it.put(key, value, expiry(ttlMillis)) }
        return true
    }

    override suspend fun increment(session: RedisSession, key: String, by: Long): Long {
        if (session.overlay == null) return session.send { it.incrby(key, by) }
        val before = current(session, key) ?: "0"
        val sum = try {
            Math.addExact(before.toLong(), by)
        } catch (_: NumberFormatException) {
            throw RedisRefusal(ErrorCategory.CHECK, "what is at \"$key\" is not a whole number")
        } catch (_: ArithmeticException) {
            throw RedisRefusal(ErrorCategory.CHECK, "the sum at \"$key\" overflows")
        }
        change(session) { it.put(key, sum.toString(), Expiry.Keep) }
        return sum
    }

    override suspend fun scan(session: RedisSession, prefix: String, cursor: Any?): ScanPage {
        val page = KeyCommands.scan(session, prefix, cursor as String?)
        val overlay = session.overlay ?: return page
        val stored = page.keys.filter { overlay[it] == null }
        // The transaction's own keys come first, once.
        val own = if (cursor != null) emptyList() else overlay.changes.filter { it.value is Pending.Put }.keys
        return ScanPage(own.filter { it.startsWith(prefix) } + stored, page.cursor)
    }

    /** The value a write depends on: nobody may change it before the commit. */
    private suspend fun current(
        session: RedisSession,
        key: String,
    ): String? = when (val own = session.overlay?.get(key)) {
        is Pending.Put -> own.value

        is Pending.Gone -> null

        null -> {
            watch(session, listOf(key))
            session.send { it.get(key) }
        }
    }

    private suspend fun watch(session: RedisSession, keys: Collection<String>) {
        if (keys.isEmpty()) return
        session.watching = true
        session.send { it.watch(*keys.toTypedArray()) }
    }

    private fun change(session: RedisSession, next: (Overlay) -> Overlay) {
        session.overlay = next(checkNotNull(session.overlay) { "no transaction is open" })
    }

    private fun expiry(ttlMillis: Long): Expiry = if (ttlMillis == 0L) Expiry.Never else Expiry.After(ttlMillis)
}

/** The commit was refused: [ErrorCategory.SERIALIZATION]. */
internal class RedisConflict(message: String) : RuntimeException(message)

/** What this library refuses in the server's place, since the server has not seen the transaction yet. */
internal class RedisRefusal(val category: ErrorCategory, message: String) : RuntimeException(message)
