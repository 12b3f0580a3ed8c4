package dev.carom.storage.jdbc.split

import dev.carom.pool.PoolPolicy
import dev.carom.pool.Resolver
import dev.carom.pool.openPool
import dev.carom.storage.StoragePolicy
import dev.carom.storage.jdbc.CoreJdbcPool
import dev.carom.storage.jdbc.JdbcConnect
import dev.carom.storage.jdbc.JdbcDialect
import dev.carom.storage.jdbc.JdbcDriver
import dev.carom.storage.jdbc.JdbcIdleCheck
import dev.carom.storage.jdbc.JdbcPolicy
import dev.carom.storage.jdbc.JdbcPool
import dev.carom.storage.jdbc.JdbcSession
import dev.carom.storage.jdbc.JdbcThreads
import dev.carom.storage.jdbc.RoleConnector
import dev.carom.storage.openStorage
import dev.carom.storage.pooled.PooledRoles
import dev.carom.storage.split.MariaReplication
import dev.carom.storage.split.MysqlReplication
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
         * What the database itself says: `pg_is_in_recovery()` or `default_transaction_read_only`, `@@global.read_only`.
         *
         * @throws IllegalArgumentException if [dialect] has no replicas.
         */
        @JvmStatic
        public fun of(dialect: JdbcDialect): JdbcRole {
            require(dialect.roleSql.isNotEmpty()) { "dialect must have replicas, was $dialect" }
            return asked(dialect.roleSql)
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

        /** MariaDB's replicas, by global transaction ids. */
        @JvmField
        public val MARIADB: JdbcReplication = JdbcReplication { MariaReplication(it) }

        /** MySQL's replicas, by global transaction ids. */
        @JvmField
        public val MYSQL: JdbcReplication = JdbcReplication { MysqlReplication(it) }
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
 * @param jdbc the numbers of JDBC, without a role.
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
    jdbc: JdbcPolicy = JdbcPolicy(),
): SplitPool<JdbcPool, SqlTxn> {
    require(jdbc.role == null) { "a split has both roles: jdbc.role must be null, was ${jdbc.role}" }
    val threads = JdbcThreads(connections.maxSlots, dialect)
    val driver = JdbcDriver(dialect, threads)
    val connector = RoleConnector(dialect, connect, threads, connections, jdbc, role)
    val check = JdbcIdleCheck.of(threads, connections, jdbc)
    val roles = PooledRoles(openPool(name, resolver, connector, connections), check)
    val splitting = Split(roles, replication.over(driver), split, TimeSource.Monotonic)
    val core = openStorage(name, driver, splitting.source, policy)
    return splitting.over<JdbcPool, SqlTxn>(CoreJdbcPool(core, driver), core)
}
