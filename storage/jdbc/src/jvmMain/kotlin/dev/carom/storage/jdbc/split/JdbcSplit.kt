package dev.carom.storage.jdbc.split

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import dev.carom.pool.Fault
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Resolver
import dev.carom.pool.Role
import dev.carom.pool.openPool
import dev.carom.storage.StoragePolicy
import dev.carom.storage.jdbc.CoreJdbcPool
import dev.carom.storage.jdbc.JdbcConnect
import dev.carom.storage.jdbc.JdbcConnector
import dev.carom.storage.jdbc.JdbcDialect
import dev.carom.storage.jdbc.JdbcDriver
import dev.carom.storage.jdbc.JdbcPool
import dev.carom.storage.jdbc.JdbcSession
import dev.carom.storage.jdbc.JdbcThreads
import dev.carom.storage.openStorage
import dev.carom.storage.split.PostgresReplication
import dev.carom.storage.split.Replication
import dev.carom.storage.split.Split
import dev.carom.storage.split.SplitPolicy
import dev.carom.storage.split.SplitPool
import dev.carom.storage.sql.SqlDriver
import dev.carom.storage.sql.SqlTxn
import kotlinx.coroutines.CoroutineScope
import java.sql.Connection
import java.sql.SQLException
import kotlin.time.TimeSource

/** Tells what a server is for. Runs on a thread that may block; for Java a lambda. */
public fun interface JdbcRole {
    /** Whether the server at the other end is a replica now. */
    @Throws(SQLException::class)
    public fun isReplica(connection: Connection): Boolean

    public companion object {
        /**
         * What the database itself says: `pg_is_in_recovery()`, `@@global.read_only`.
         *
         * @throws IllegalArgumentException if [dialect] has no replicas.
         */
        @JvmStatic
        public fun of(dialect: JdbcDialect): JdbcRole = when (dialect) {
            JdbcDialect.POSTGRESQL -> asked("select pg_is_in_recovery()")
            JdbcDialect.MYSQL -> asked("select @@global.read_only")
            else -> throw IllegalArgumentException("dialect must have replicas, was $dialect")
        }

        private fun asked(sql: String) = JdbcRole { connection ->
            connection.createStatement().use { statement ->
                statement.executeQuery(sql).use { result -> result.next() && result.getBoolean(1) }
            }
        }
    }
}

/** What tells how far replicas are, made for a driver; from Java a lambda. */
public fun interface JdbcReplication {
    /** Asks by [driver]. */
    public fun over(driver: SqlDriver<JdbcSession>): Replication<JdbcSession>

    public companion object {
        /** PostgreSQL's streaming replicas. */
        @JvmField
        public val POSTGRESQL: JdbcReplication = JdbcReplication { PostgresReplication(it) }
    }
}

/**
 * Opens a relational pool over a primary and its replicas, all on one Carom pool that follows [resolver] and asks each server
 * what it is for: again every [PoolPolicy.roleInterval], and at once when it refuses a write.
 *
 * @param connections [PoolPolicy.spares] should be at least the number of servers: what a server is for is known of those
 *   that have a connection.
 * @param role what tells what a server is for.
 * @param replication what tells how far replicas are.
 * @see dev.carom.storage.jdbc.openJdbc
 */
public fun CoroutineScope.openJdbcSplit(
    name: String,
    dialect: JdbcDialect,
    resolver: Resolver,
    connect: JdbcConnect,
    connections: PoolPolicy = PoolPolicy(),
    policy: StoragePolicy = StoragePolicy(),
    split: SplitPolicy = SplitPolicy(),
    role: JdbcRole = JdbcRole.of(dialect),
    replication: JdbcReplication = JdbcReplication.POSTGRESQL,
): SplitPool<JdbcPool, SqlTxn> {
    val threads = JdbcThreads(connections.maxSlots)
    val driver = JdbcDriver(dialect, threads)
    val connector = SplitConnector(JdbcConnector(dialect, connect, threads, connections), threads, role)
    val roles = PoolRoles(openPool(name, resolver, connector, connections))
    val splitting = Split(roles, replication.over(driver), split, TimeSource.Monotonic)
    val core = openStorage(name, driver, splitting.source, policy)
    return splitting.over<JdbcPool, SqlTxn>(CoreJdbcPool(core, driver), core)
}

/** One that asks its servers what they are for, and takes a refused write for a demotion. */
private class SplitConnector(
    private val plain: JdbcConnector,
    private val threads: JdbcThreads,
    private val role: JdbcRole,
) : Connector<JdbcSession> {
    override suspend fun connect(backend: Backend): JdbcSession = plain.connect(backend)

    override suspend fun isValid(connection: JdbcSession): Boolean = plain.isValid(connection)

    override suspend fun probeRole(connection: JdbcSession): Role =
        threads.work { if (role.isReplica(connection.connection)) Role.Replica else Role.Primary }

    override fun classify(cause: Throwable): Fault {
        val failures = generateSequence(cause) { it.cause }.filterIsInstance<SQLException>().take(DEPTH)
        return when {
            failures.any(::refusesWrites) -> Fault.Demoted
            failures.any { it.sqlState.orEmpty().startsWith(AUTHORIZATION) } -> Fault.Authentication
            else -> Fault.Broken
        }
    }

    private fun refusesWrites(failure: SQLException) =
        failure.sqlState == READ_ONLY || failure.errorCode in MYSQL_READ_ONLY

    override suspend fun close(connection: JdbcSession): Unit = plain.close(connection)

    private companion object {
        /** Causes looked at: a chain may be a circle. */
        const val DEPTH = 8
        const val READ_ONLY = "25006"
        const val AUTHORIZATION = "28"

        /** H2 has its own number for it, 90097. */
        val MYSQL_READ_ONLY = setOf(1290, 1792, 1836, 90097)
    }
}
