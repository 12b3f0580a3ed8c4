package dev.carom.storage.redis

import dev.carom.storage.SessionTxn
import dev.carom.storage.redis.internal.Overlay
import io.lettuce.core.RedisChannelHandler
import io.lettuce.core.RedisConnectionStateListener
import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.api.async.RedisAsyncCommands
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import java.util.concurrent.CompletionStage

/** One connection of a [RedisDriver], and what this library knows about it. */
public class RedisSession internal constructor(
    internal val connection: StatefulRedisConnection<String, String>,
    /** What the server calls this connection; a cancel request names it. */
    internal val clientId: Long,
    /** The database it is configured for. */
    internal val database: Int,
    internal val control: RedisControl,
) {
    /** Completed when the connection is lost. */
    internal val closed = CompletableDeferred<Unit>()

    /** What the open transaction has done; null if none is open. */
    @Volatile internal var overlay: Overlay? = null

    /** Whether every read of the open transaction is watched. */
    @Volatile internal var watchesReads: Boolean = false

    @Volatile internal var watching: Boolean = false

    /** Whether commands ran of which this library does not know what they leave behind. */
    @Volatile internal var touched: Boolean = false

    @Volatile internal var running: Boolean = false

    /** Savepoints of the open transaction. */
    internal val savepoints = HashMap<String, Overlay>()

    internal val txn: SessionTxn get() = if (overlay == null) SessionTxn.IDLE else SessionTxn.OPEN

    init {
        connection.addListener(
            object : RedisConnectionStateListener {
                override fun onRedisDisconnected(connection: RedisChannelHandler<*, *>) {
                    closed.complete(Unit)
                }
            },
        )
    }

    /** One command. Goes on to its end whatever happens to the caller: what stops it is a cancel request. */
    internal suspend fun <R> send(command: (RedisAsyncCommands<String, String>) -> CompletionStage<R>): R {
        running = true
        try {
            return withContext(NonCancellable) { command(connection.async()).await() }
        } finally {
            running = false
        }
    }

    override fun toString(): String = "redis connection $clientId"
}
