package dev.carom.storage.r2dbc

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import dev.carom.pool.Fault
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Resolver
import dev.carom.pool.openPool
import dev.carom.storage.ErrorCategory
import dev.carom.storage.SessionSource
import dev.carom.storage.StoragePolicy
import dev.carom.storage.pooled.PooledSessions
import dev.carom.storage.r2dbc.internal.Collected
import dev.carom.storage.r2dbc.internal.awaitOpened
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.openSql
import io.r2dbc.spi.ConnectionFactory
import io.r2dbc.spi.ValidationDepth
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import kotlin.coroutines.EmptyCoroutineContext

/** What opens connections to a backend. From Java a lambda. */
public fun interface R2dbcConnect {
    /** Quick: no connection is opened yet. Not a pool: this library has its own, which knows when one is quiet. */
    public fun factory(backend: Backend): ConnectionFactory
}

/**
 * Opens a relational pool over an R2DBC driver, on a Carom pool that follows [resolver]. What the driver can and cannot do
 * is in [R2dbcDialect].
 *
 * The pool's own waiting is bounded by [StoragePolicy.acquireTimeout]; keep [PoolPolicy.claimTimeout] above it.
 *
 * @param name for messages and notices. Not empty.
 * @param dialect of the database.
 * @param resolver which backends there are.
 * @param connect how to open a connection.
 * @param connections the numbers of the Carom pool; [PoolPolicy.maxSlots] is the most sessions.
 * @param policy the numbers of the storage.
 */
public fun CoroutineScope.openR2dbc(
    name: String,
    dialect: R2dbcDialect,
    resolver: Resolver,
    connect: R2dbcConnect,
    connections: PoolPolicy = PoolPolicy(),
    policy: StoragePolicy = StoragePolicy(),
): SqlPool =
    openSql(name, R2dbcDriver(dialect), r2dbcSessions(name, dialect, resolver, connect, connections), policy)

internal fun CoroutineScope.r2dbcSessions(
    name: String,
    dialect: R2dbcDialect,
    resolver: Resolver,
    connect: R2dbcConnect,
    policy: PoolPolicy,
): SessionSource<R2dbcSession> = PooledSessions(
    openPool(name, resolver, R2dbcConnector(dialect, connect, dialect.workers(policy)), policy),
)

/** Where a driver that blocks does that: a thread for each connection there can be. */
internal fun R2dbcDialect.workers(policy: PoolPolicy): CoroutineDispatcher? =
    if (blocks) Dispatchers.IO.limitedParallelism(policy.maxSlots, "carom-r2dbc") else null

/** Opens, checks and closes connections. A session comes back clean: the storage sees to that before it gives it back. */
internal open class R2dbcConnector(
    private val dialect: R2dbcDialect,
    private val connect: R2dbcConnect,
    private val worker: CoroutineDispatcher?,
) : Connector<R2dbcSession> {
    override suspend fun connect(backend: Backend): R2dbcSession {
        // On the worker without a change of context: the connection must not be lost on the way back.
        return R2dbcSession(connect.factory(backend).create().awaitOpened(worker), dialect, worker)
    }

    override suspend fun isValid(connection: R2dbcSession): Boolean =
        connection.all { connection.connection.validate(ValidationDepth.REMOTE) } == listOf(true)

    override fun classify(cause: Throwable): Fault {
        val info = dialect.classify(cause)
        return when {
            info?.category == ErrorCategory.AUTH -> Fault.Authentication
            info?.category == ErrorCategory.READ_ONLY -> Fault.Demoted
            info != null && !info.broken -> Fault.None
            else -> Fault.Broken
        }
    }

    override suspend fun close(connection: R2dbcSession) {
        val collected = Collected<Void>()
        withContext(worker ?: EmptyCoroutineContext) { connection.connection.close().subscribe(collected) }
        withContext(NonCancellable) { collected.await() }
    }
}
