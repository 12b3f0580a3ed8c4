package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.Claim
import dev.carom.pool.Connector
import dev.carom.pool.Pool
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Resolver
import dev.carom.pool.openPool
import dev.carom.storage.SessionLease
import dev.carom.storage.SessionSource
import dev.carom.storage.StoragePolicy
import dev.carom.storage.openStorage
import kotlinx.coroutines.CoroutineScope
import java.sql.Connection
import java.sql.SQLException
import kotlin.time.DurationUnit

/** Opens a connection to a backend. Runs on a thread that may block; for Java a lambda. */
public fun interface JdbcConnect {
    /** @throws SQLException if none could be opened. */
    @Throws(SQLException::class)
    public fun connect(backend: Backend): Connection
}

/**
 * Opens a relational pool over a JDBC driver, on a Carom pool that follows [resolver].
 *
 * The pool's own waiting is bounded by [StoragePolicy.acquireTimeout]; keep [PoolPolicy.claimTimeout] above it.
 *
 * @param name for messages and notices. Not empty.
 * @param dialect of the database.
 * @param resolver which backends there are.
 * @param connect how to open a connection: autocommit on, as JDBC says, and clean.
 * @param connections the numbers of the Carom pool; [PoolPolicy.maxSlots] is the most sessions.
 * @param policy the numbers of the storage.
 */
public fun CoroutineScope.openJdbc(
    name: String,
    dialect: JdbcDialect,
    resolver: Resolver,
    connect: JdbcConnect,
    connections: PoolPolicy = PoolPolicy(),
    policy: StoragePolicy = StoragePolicy(),
): JdbcPool {
    val threads = JdbcThreads(connections.maxSlots)
    val pool = openPool(name, resolver, JdbcConnector(dialect, connect, threads, connections), connections)
    val driver = JdbcDriver(dialect, threads)
    return CoreJdbcPool(openStorage(name, driver, PoolSessions(pool), policy), driver)
}

/** Opens, checks and closes connections. A session comes back clean: the storage sees to that before it gives it back. */
internal class JdbcConnector(
    private val dialect: JdbcDialect,
    private val connect: JdbcConnect,
    private val threads: JdbcThreads,
    private val policy: PoolPolicy,
) : Connector<JdbcSession> {
    override suspend fun connect(
        backend: Backend,
    ): JdbcSession = threads.work { JdbcSession(connect.connect(backend), dialect) }

    override suspend fun isValid(connection: JdbcSession): Boolean = threads.work {
        connection.connection.isValid(policy.checkTimeout.toInt(DurationUnit.SECONDS).coerceAtLeast(1))
    }

    override suspend fun close(connection: JdbcSession): Unit = threads.control { connection.connection.close() }
}

/** The Carom pool as the source of sessions. */
internal class PoolSessions(private val pool: Pool<JdbcSession>) : SessionSource<JdbcSession> {
    override val capacity: Int get() = pool.policy.maxSlots

    override fun tryLease(): SessionLease<JdbcSession>? = pool.tryClaim()?.let(::ClaimLease)

    override suspend fun lease(holder: String): SessionLease<JdbcSession> = ClaimLease(pool.claim(holder))

    override suspend fun close() {
        pool.close(0)
    }

    private class ClaimLease(private val claim: Claim<JdbcSession>) : SessionLease<JdbcSession> {
        override val session: JdbcSession = claim.connection

        override fun giveBack(): Unit = claim.close()

        override fun destroy(cause: Throwable?): Unit = claim.discard(cause)
    }
}
