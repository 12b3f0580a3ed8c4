@file:JvmName("OwnScope")

package dev.carom.storage.jdbc.internal

import dev.carom.pool.PoolPolicy
import dev.carom.pool.Resolver
import dev.carom.storage.StoragePolicy
import dev.carom.storage.jdbc.JdbcConnect
import dev.carom.storage.jdbc.JdbcDialect
import dev.carom.storage.jdbc.JdbcPolicy
import dev.carom.storage.jdbc.JdbcPool
import dev.carom.storage.jdbc.openJdbc
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob

/** Opens in a scope of its own, which ends when the pool has ended. */
internal fun open(
    name: String,
    dialect: JdbcDialect,
    resolver: Resolver,
    connect: JdbcConnect,
    connections: PoolPolicy,
    policy: StoragePolicy,
    jdbc: JdbcPolicy,
): JdbcPool {
    val owner = SupervisorJob()
    return CoroutineScope(Dispatchers.Default + owner)
        .openJdbc(name, dialect, resolver, connect, connections, policy, jdbc)
        .also { owner.complete() }
}
