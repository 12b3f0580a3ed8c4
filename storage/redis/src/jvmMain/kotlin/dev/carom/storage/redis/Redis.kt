package dev.carom.storage.redis

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import dev.carom.pool.Fault
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Resolver
import dev.carom.pool.openPool
import dev.carom.storage.ErrorCategory
import dev.carom.storage.SessionSource
import dev.carom.storage.StoragePolicy
import dev.carom.storage.openStorage
import dev.carom.storage.pooled.PooledSessions
import dev.carom.storage.redis.internal.awaitOpened
import dev.carom.storage.redis.internal.classifyRedis
import io.lettuce.core.ClientOptions
import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.lettuce.core.codec.StringCodec
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit

/** What to connect to for a backend: address, credentials, TLS, database. From Java a lambda. */
public fun interface RedisAddress {
    /** Quick, and without effects. */
    public fun uri(backend: Backend): RedisURI

    public companion object {
        /** The backend's host and port; no credentials, no TLS, database 0. */
        @JvmField
        public val PLAIN: RedisAddress = RedisAddress { RedisURI.create(it.host, it.port) }
    }
}

/**
 * Opens a key-value pool over Redis or Valkey, on a Carom pool that follows [resolver].
 *
 * Each operation has a connection of its own while it runs, so no command is ever queued into another's transaction or
 * behind another's blocking command. Lettuce never reconnects by itself: a lost connection is replaced by the pool, with
 * another one that has no state.
 *
 * The pool's own waiting is bounded by [StoragePolicy.acquireTimeout]; keep [PoolPolicy.claimTimeout] above it.
 *
 * @param name for messages and notices. Not empty.
 * @param resolver which backends there are.
 * @param address what to connect to.
 * @param connections the numbers of the Carom pool; [PoolPolicy.maxSlots] is the most sessions.
 * @param policy the numbers of the storage.
 */
public fun CoroutineScope.openRedis(
    name: String,
    resolver: Resolver,
    address: RedisAddress = RedisAddress.PLAIN,
    connections: PoolPolicy = PoolPolicy(),
    policy: StoragePolicy = StoragePolicy(),
): RedisPool {
    val driver = RedisDriver()
    return CoreRedisPool(openStorage(name, driver, redisSessions(name, resolver, address, connections), policy), driver)
}

internal fun CoroutineScope.redisSessions(
    name: String,
    resolver: Resolver,
    address: RedisAddress,
    policy: PoolPolicy,
): SessionSource<RedisSession> {
    val connector = RedisConnector(address)
    return RedisSessions(PooledSessions(openPool(name, resolver, connector, policy)), connector)
}

/** Opens, checks and closes connections, all of one client with its threads. */
internal class RedisConnector(private val address: RedisAddress) : Connector<RedisSession> {
    private val client = RedisClient.create().apply {
        options = ClientOptions.builder()
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .build()
    }
    private val controls = ConcurrentHashMap<Backend, RedisControl>()

    override suspend fun connect(backend: Backend): RedisSession {
        val uri = address.uri(backend)
        val connection = client.connectAsync(StringCodec.UTF8, uri).awaitOpened()
        try {
            val control = controls.getOrPut(backend) { RedisControl(client, uri) }
            return RedisSession(connection, connection.async().clientId().await(), uri.database, control)
        } catch (failure: Throwable) {
            connection.closeAsync()
            throw failure
        }
    }

    override suspend fun isValid(connection: RedisSession): Boolean = connection.send { it.ping() } == "PONG"

    override suspend fun awaitClosed(connection: RedisSession): Unit = connection.closed.await()

    override fun classify(cause: Throwable): Fault {
        val info = classifyRedis(cause)
        return when {
            info?.category == ErrorCategory.AUTH -> Fault.Authentication
            info?.category == ErrorCategory.READ_ONLY -> Fault.Demoted
            info != null && !info.broken -> Fault.None
            else -> Fault.Broken
        }
    }

    override suspend fun close(connection: RedisSession) {
        connection.connection.closeAsync().await()
    }

    suspend fun shutDown() {
        controls.values.forEach { it.close() }
        client.shutdownAsync(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS).await()
    }

    private companion object {
        const val SHUTDOWN_SECONDS = 2L
    }
}

/** The Carom pool as the source of sessions; the client ends with it. */
private class RedisSessions(private val pooled: PooledSessions<RedisSession>, private val connector: RedisConnector) :
    SessionSource<RedisSession> by pooled {
    override suspend fun close(): Unit = withContext(NonCancellable) {
        try {
            pooled.close()
        } finally {
            connector.shutDown()
        }
    }
}
