package dev.carom.storage.r2dbc

import dev.carom.pool.PoolPolicy
import dev.carom.pool.Resolver
import dev.carom.pool.Role
import dev.carom.pool.openPool
import dev.carom.storage.StoragePolicy
import dev.carom.storage.pooled.PooledRoles
import dev.carom.storage.split.PostgresReplication
import dev.carom.storage.split.Replication
import dev.carom.storage.split.Split
import dev.carom.storage.split.SplitPolicy
import dev.carom.storage.split.SplitPool
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.SqlTxn
import dev.carom.storage.sql.openSqlSplit
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlin.time.TimeSource

/**
 * Opens a relational pool over a primary and its replicas, all on one Carom pool that follows [resolver] and asks each server
 * what it is for: again every [PoolPolicy.roleInterval], and at once when it refuses a write.
 *
 * @param connections [PoolPolicy.spares] should be at least the number of servers: what a server is for is known of those
 *   that have a connection.
 * @param replication what tells how far replicas are.
 * @see openR2dbc
 */
public fun CoroutineScope.openR2dbcSplit(
    name: String,
    dialect: R2dbcDialect,
    resolver: Resolver,
    connect: R2dbcConnect,
    connections: PoolPolicy = PoolPolicy(),
    policy: StoragePolicy = StoragePolicy(),
    split: SplitPolicy = SplitPolicy(),
    replication: Replication<R2dbcSession> = PostgresReplication(R2dbcDriver(dialect)),
): SplitPool<SqlPool, SqlTxn> {
    require(dialect.roleSql.isNotEmpty()) { "dialect must have roles, was $dialect" }
    val driver = R2dbcDriver(dialect)
    val connector = R2dbcRoleConnector(dialect, connect, dialect.workers(connections), driver)
    val roles = PooledRoles(openPool(name, resolver, connector, connections))
    return openSqlSplit(name, driver, Split(roles, replication, split, TimeSource.Monotonic), policy)
}

/** One that asks its servers what they are for. */
private class R2dbcRoleConnector(
    private val dialect: R2dbcDialect,
    connect: R2dbcConnect,
    worker: CoroutineDispatcher?,
    private val driver: R2dbcDriver,
) : R2dbcConnector(dialect, connect, worker) {
    override suspend fun probeRole(connection: R2dbcSession): Role {
        val cursor = driver.open(connection, Sql.of(dialect.roleSql, emptyList()))
        val isReplica = cursor.fetch(2).single().getBoolean(0)
        cursor.close()
        return if (isReplica) Role.Replica else Role.Primary
    }
}
