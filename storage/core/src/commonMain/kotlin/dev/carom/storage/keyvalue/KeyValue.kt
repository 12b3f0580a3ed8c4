package dev.carom.storage.keyvalue

import dev.carom.storage.ConnCore
import dev.carom.storage.NestingTxn
import dev.carom.storage.OpOptions
import dev.carom.storage.PoolCore
import dev.carom.storage.SessionSource
import dev.carom.storage.Sessions
import dev.carom.storage.StorageConn
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageKind
import dev.carom.storage.StoragePolicy
import dev.carom.storage.StoragePool
import dev.carom.storage.TxnCore
import dev.carom.storage.openStorage
import dev.carom.storage.stream
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlin.random.Random
import kotlin.time.TimeSource

/** When a [KeyValueOps.set] applies. */
public enum class KeyCondition { ALWAYS, ABSENT, PRESENT }

/** What one can do with a key-value storage: the same on a pool, on a connection and in a transaction. Keys are not empty. */
public interface KeyValueOps {
    /** The value, or null. */
    public suspend fun get(key: String): String?

    /** The values of those keys that have one. */
    public suspend fun getAll(keys: Collection<String>): Map<String, String>

    /**
     * Sets a value; false if [onlyIf] did not hold.
     *
     * @param ttlMillis how long it is kept, in milliseconds; 0 for ever. Not negative.
     */
    public suspend fun set(key: String, value: String, ttlMillis: Long, onlyIf: KeyCondition): Boolean

    /** Sets a value for ever. */
    public suspend fun set(key: String, value: String) {
        set(key, value, 0, KeyCondition.ALWAYS)
    }

    /** Sets a value if the key has [expected] now; null: if it has none. */
    public suspend fun compareAndSet(key: String, expected: String?, value: String): Boolean

    /** Removes a key; whether it had a value. */
    public suspend fun delete(key: String): Boolean

    /** Keeps a value for [ttlMillis] milliseconds from now on, 0 for ever; whether there is one. */
    public suspend fun expire(key: String, ttlMillis: Long): Boolean

    /** Adds to the whole number at [key], 0 if there is none; the sum. */
    public suspend fun increment(key: String, by: Long): Long

    /** The keys that begin with [prefix], in no order. Cold; holds a session while it is collected. */
    public fun scan(prefix: String): Flow<String>
}

/** A transaction of a key-value storage. */
public interface KeyValueTxn :
    NestingTxn<KeyValueTxn>,
    KeyValueOps

/** A connection of a key-value storage. */
public interface KeyValueConn :
    StorageConn<KeyValueTxn>,
    KeyValueOps

/** A pool of a key-value storage. */
public interface KeyValuePool :
    StoragePool<KeyValueConn, KeyValueTxn>,
    KeyValueOps {
    /** The operations on the transaction in the caller's context, else on its connection, else on this pool. */
    public val nearest: KeyValueOps
}

/**
 * What a key-value adapter adds to a [StorageDriver]; the meaning is that of [KeyValueOps].
 *
 * @param S the session.
 */
public interface KeyValueDriver<S : Any> : StorageDriver<S> {
    override val kind: StorageKind get() = StorageKind.KEY_VALUE

    public suspend fun getAll(session: S, keys: Collection<String>): Map<String, String>

    public suspend fun set(session: S, key: String, value: String, ttlMillis: Long, onlyIf: KeyCondition): Boolean

    public suspend fun compareAndSet(session: S, key: String, expected: String?, value: String): Boolean

    public suspend fun delete(session: S, key: String): Boolean

    public suspend fun expire(session: S, key: String, ttlMillis: Long): Boolean

    public suspend fun increment(session: S, key: String, by: Long): Long

    /** Some keys, and where to go on; a null cursor is the beginning, and the end. */
    public suspend fun scan(session: S, prefix: String, cursor: Any?): ScanPage
}

/**
 * A part of a scan.
 *
 * @property cursor where to go on; null at the end.
 */
public class ScanPage(public val keys: List<String>, public val cursor: Any?)

/** Makes key-value pools of a driver. From Java: `BlockingKeyValuePool.open`. */
public fun <S : Any> CoroutineScope.openKeyValue(
    name: String,
    driver: KeyValueDriver<S>,
    source: SessionSource<S>,
    policy: StoragePolicy,
    timeSource: TimeSource,
    random: Random,
): KeyValuePool = CoreKeyValuePool(openStorage(name, driver, source, policy, timeSource, random), driver)

/** [openKeyValue] with the clock and the dice of the system. */
public fun <S : Any> CoroutineScope.openKeyValue(
    name: String,
    driver: KeyValueDriver<S>,
    source: SessionSource<S>,
    policy: StoragePolicy = StoragePolicy(),
): KeyValuePool = CoreKeyValuePool(openStorage(name, driver, source, policy), driver)

/** [KeyValueOps] on any sessions of [driver]: for a storage type of one's own that also has keys and values. */
public fun <S : Any> keyValueOps(sessions: Sessions<S>, driver: KeyValueDriver<S>): KeyValueOps =
    SessionKeyValueOps(sessions, driver)

private class CoreKeyValueTxn<S : Any>(core: TxnCore<S>, driver: KeyValueDriver<S>) :
    KeyValueTxn,
    NestingTxn<KeyValueTxn> by core.nesting({ CoreKeyValueTxn(it, driver) }),
    KeyValueOps by SessionKeyValueOps(core, driver)

private class CoreKeyValueConn<S : Any>(core: ConnCore<S>, driver: KeyValueDriver<S>) :
    KeyValueConn,
    StorageConn<KeyValueTxn> by core.typed({ CoreKeyValueTxn(it, driver) }),
    KeyValueOps by SessionKeyValueOps(core, driver)

private class CoreKeyValuePool<S : Any>(core: PoolCore<S>, driver: KeyValueDriver<S>) :
    KeyValuePool,
    StoragePool<KeyValueConn, KeyValueTxn> by core.typed({
        CoreKeyValueConn(it, driver)
    }, { CoreKeyValueTxn(it, driver) }),
    KeyValueOps by SessionKeyValueOps(core, driver) {
    override val nearest: KeyValueOps = SessionKeyValueOps(core.nearest(), driver)
}

private class SessionKeyValueOps<S : Any>(private val on: Sessions<S>, private val driver: KeyValueDriver<S>) :
    KeyValueOps {
    override suspend fun get(key: String): String? = getAll(listOf(key))[key]

    override suspend fun getAll(keys: Collection<String>): Map<String, String> {
        keys.forEach(::check)
        return on.use(OpOptions.READ) { driver.getAll(it, keys) }
    }

    override suspend fun set(key: String, value: String, ttlMillis: Long, onlyIf: KeyCondition): Boolean {
        check(key, ttlMillis)
        return on.use(OpOptions.WRITE) { driver.set(it, key, value, ttlMillis, onlyIf) }
    }

    override suspend fun compareAndSet(key: String, expected: String?, value: String): Boolean {
        check(key)
        return on.use(OpOptions.WRITE) { driver.compareAndSet(it, key, expected, value) }
    }

    override suspend fun delete(key: String): Boolean {
        check(key)
        return on.use(OpOptions.WRITE) { driver.delete(it, key) }
    }

    override suspend fun expire(key: String, ttlMillis: Long): Boolean {
        check(key, ttlMillis)
        return on.use(OpOptions.WRITE) { driver.expire(it, key, ttlMillis) }
    }

    override suspend fun increment(key: String, by: Long): Long {
        check(key)
        return on.use(OpOptions.WRITE) { driver.increment(it, key, by) }
    }

    override fun scan(prefix: String): Flow<String> = on.stream {
        var cursor: Any? = null
        do {
            val from = cursor
            val page = call { session -> driver.scan(session, prefix, from) }
            page.keys.forEach { key -> emit(key) }
            cursor = page.cursor
        } while (cursor != null)
    }

    private fun check(key: String) = require(key.isNotEmpty()) { "a key must not be empty" }

    private fun check(key: String, ttlMillis: Long) {
        check(key)
        require(ttlMillis >= 0) { "ttlMillis must not be negative, was $ttlMillis" }
    }
}
