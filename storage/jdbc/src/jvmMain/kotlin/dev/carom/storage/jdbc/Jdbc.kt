package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Resolver
import dev.carom.pool.openPool
import dev.carom.storage.StoragePolicy
import dev.carom.storage.openStorage
import dev.carom.storage.pooled.PooledSessions
import kotlinx.coroutines.CoroutineScope
import java.sql.Connection
import java.sql.SQLException

/**
 * Opens a connection to a backend. Runs on a thread that may block; for Java a lambda.
 *
 * Give the driver a limit of its own, where it has one (pgjdbc: `loginTimeout`; MariaDB: `socketTimeout`): JDBC cannot stop
 * it otherwise. One that is still at it [PoolPolicy.closeTimeout] after [PoolPolicy.connectTimeout], or after the pool's end,
 * is left alone with its thread, and its connection, if it comes after all, is thrown away. [PoolPolicy.maxSlots] such threads
 * at most; while all of them hang, nothing is opened.
 */
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
 * @param connect how to open a connection: autocommit on, as JDBC says, and clean. What it sets by SQL a complete reset
 *   undoes ([dev.carom.storage.ResetLevel.FULL]): put it into the URL or the properties.
 * @param connections the numbers of the Carom pool; [PoolPolicy.maxSlots] is the most sessions.
 * @param policy the numbers of the storage.
 * @param jdbc the numbers of JDBC.
 */
public fun CoroutineScope.openJdbc(
    name: String,
    dialect: JdbcDialect,
    resolver: Resolver,
    connect: JdbcConnect,
    connections: PoolPolicy = PoolPolicy(),
    policy: StoragePolicy = StoragePolicy(),
    jdbc: JdbcPolicy = JdbcPolicy(),
): JdbcPool {
    require(jdbc.role == null || dialect.roleSql.isNotEmpty()) { "$dialect has no roles, jdbc.role was ${jdbc.role}" }
    val threads = JdbcThreads(connections.maxSlots, dialect)
    val connector = if (jdbc.role == null) {
        JdbcConnector(dialect, connect, threads, connections, jdbc)
    } else {
        RoleConnector(dialect, connect, threads, connections, jdbc)
    }
    val pool = openPool(name, resolver, connector, connections)
    val driver = JdbcDriver(dialect, threads)
    val sessions = PooledSessions(pool, jdbc.role, JdbcIdleCheck.of(threads, connections, jdbc))
    return CoreJdbcPool(openStorage(name, driver, sessions, policy), driver)
}
