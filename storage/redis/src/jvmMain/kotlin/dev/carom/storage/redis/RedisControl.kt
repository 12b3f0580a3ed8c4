package dev.carom.storage.redis

import dev.carom.storage.redis.internal.awaitOpened
import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.lettuce.core.UnblockType
import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.StringCodec
import kotlinx.coroutines.future.await
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * A connection to one server for cancel requests, opened at the first: not one of the pool, which may be exhausted by what is
 * to be cancelled.
 */
internal class RedisControl(private val client: RedisClient, private val uri: RedisURI) {
    private val mutex = Mutex()
    private var connection: StatefulRedisConnection<String, String>? = null

    /** Lets a command that blocks end with an error. Does nothing to a connection that does not block. */
    suspend fun unblock(clientId: Long) {
        connected().async().clientUnblock(clientId, UnblockType.ERROR).await()
    }

    private suspend fun connected(): StatefulRedisConnection<String, String> = mutex.withLock {
        val open = connection?.takeIf { it.isOpen }
        open ?: client.connectAsync(StringCodec.UTF8, uri).awaitOpened().also { connection = it }
    }

    suspend fun close(): Unit = mutex.withLock {
        connection?.closeAsync()?.await()
        connection = null
    }
}
