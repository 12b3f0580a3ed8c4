package dev.carom.storage.redis

import dev.carom.storage.ConnCore
import dev.carom.storage.NestingTxn
import dev.carom.storage.OpOptions
import dev.carom.storage.PoolCore
import dev.carom.storage.Sessions
import dev.carom.storage.StorageConn
import dev.carom.storage.StoragePool
import dev.carom.storage.TxnCore
import dev.carom.storage.conn
import dev.carom.storage.keyvalue.KeyValueConn
import dev.carom.storage.keyvalue.KeyValueOps
import dev.carom.storage.keyvalue.KeyValuePool
import dev.carom.storage.keyvalue.KeyValueTxn
import dev.carom.storage.keyvalue.keyValueOps
import io.lettuce.core.api.async.RedisAsyncCommands
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import java.util.concurrent.CompletionStage

/**
 * What one can do with Redis beyond keys and values; on a pool and on a connection. Not in a transaction, which keeps its
 * writes here until its commit: WATCH, MULTI and EXEC of one's own belong on a connection, inside [call].
 */
public interface RedisOps : KeyValueOps {
    /**
     * Runs commands of Lettuce on this handle's connection, and waits for the stage that [commands] returns. What they leave
     * on the connection (a WATCH, another database, an open MULTI) is there for the next call on the same connection, and
     * gone when the connection is given back.
     *
     * *Cancelled:* a command that blocks is ended on the server; any other is waited for. What a cancelled pop took is
     * lost, therefore see [blockingPop].
     */
    public suspend fun <R> call(commands: (RedisAsyncCommands<String, String>) -> CompletionStage<R>): R

    /** Appends to the list at [key]; its new length. */
    public suspend fun push(key: String, value: String): Long

    /**
     * Takes the first element of the list at [key], waiting for one; null if none came in time.
     *
     * *Cancelled:* the waiting ends on the server. An element that was taken at that very moment is put back where it was:
     * it is never lost, but others that wait for the list may see it later than those after it.
     *
     * @param timeoutMillis longest wait, in milliseconds; 0 waits for ever. Not negative.
     */
    public suspend fun blockingPop(key: String, timeoutMillis: Long): String?
}

/** A connection of a Redis pool. */
public interface RedisConn :
    KeyValueConn,
    RedisOps

/** A pool over Redis. */
public interface RedisPool :
    KeyValuePool,
    RedisOps {
    override suspend fun conn(): RedisConn
}

/** Runs [block] with a connection and closes that, whatever happens; see [dev.carom.storage.conn]. */
public suspend fun <R> RedisPool.conn(block: suspend CoroutineScope.(RedisConn) -> R): R {
    val pool: StoragePool<KeyValueConn, KeyValueTxn> = this
    return pool.conn { block(it as RedisConn) }
}

private class CoreRedisTxn(core: TxnCore<RedisSession>, driver: RedisDriver) :
    KeyValueTxn,
    NestingTxn<KeyValueTxn> by core.nesting({ CoreRedisTxn(it, driver) }),
    KeyValueOps by keyValueOps(core, driver)

private class CoreRedisConn(core: ConnCore<RedisSession>, driver: RedisDriver) :
    RedisConn,
    StorageConn<KeyValueTxn> by core.typed({ CoreRedisTxn(it, driver) }),
    RedisOps by SessionRedisOps(core, driver)

internal class CoreRedisPool private constructor(
    private val typed: StoragePool<RedisConn, KeyValueTxn>,
    core: PoolCore<RedisSession>,
    driver: RedisDriver,
) : RedisPool,
    StoragePool<KeyValueConn, KeyValueTxn> by typed,
    RedisOps by SessionRedisOps(core, driver) {
    constructor(core: PoolCore<RedisSession>, driver: RedisDriver) :
        this(core.typed({ CoreRedisConn(it, driver) }, { CoreRedisTxn(it, driver) }), core, driver)

    override val nearest: KeyValueOps = keyValueOps(core.nearest(), driver)

    override suspend fun conn(): RedisConn = typed.conn()
}

internal class SessionRedisOps(private val on: Sessions<RedisSession>, driver: RedisDriver) :
    RedisOps,
    KeyValueOps by keyValueOps(on, driver) {
    override suspend fun <R> call(commands: (RedisAsyncCommands<String, String>) -> CompletionStage<R>): R =
        on.use { session ->
            session.touched = true
            session.send(commands)
        }

    override suspend fun push(key: String, value: String): Long = on.use(OpOptions.WRITE) { session ->
        session.send { it.rpush(key, value) }
    }

    override suspend fun blockingPop(key: String, timeoutMillis: Long): String? {
        require(timeoutMillis >= 0) { "timeoutMillis must not be negative, was $timeoutMillis" }
        var taken: String? = null
        try {
            return on.use(OpOptions.WRITE) { session ->
                val popped = session.send { it.blpop(timeoutMillis / MILLIS, key) }
                popped?.value.also { taken = it }
            }
        } catch (failure: Throwable) {
            // Taken, but its taker is gone.
            taken?.let { late -> withContext(NonCancellable) { putBack(key, late, failure) } }
            throw failure
        }
    }

    private suspend fun putBack(key: String, late: String, failure: Throwable) {
        try {
            on.use(OpOptions.WRITE) { session -> session.send { it.lpush(key, late) } }
        } catch (lost: Throwable) {
            failure.addSuppressed(lost)
        }
    }

    private companion object {
        const val MILLIS = 1000.0
    }
}
