@file:JvmName("QueryPeers")

package dev.carom.bench

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.fixedResolver
import dev.carom.storage.r2dbc.R2dbcConnect
import dev.carom.storage.r2dbc.R2dbcDialect
import dev.carom.storage.r2dbc.openR2dbc
import dev.carom.storage.sql.SqlPool
import io.r2dbc.pool.ConnectionPool
import io.r2dbc.pool.ConnectionPoolConfiguration
import io.r2dbc.postgresql.PostgresqlConnectionConfiguration
import io.r2dbc.postgresql.PostgresqlConnectionFactory
import io.r2dbc.spi.Connection
import io.vertx.core.Future
import io.vertx.core.Vertx
import io.vertx.pgclient.PgBuilder
import io.vertx.pgclient.PgConnectOptions
import io.vertx.sqlclient.Pool
import io.vertx.sqlclient.PoolOptions
import io.vertx.sqlclient.Tuple
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.reactor.awaitSingle
import kotlinx.coroutines.suspendCancellableCoroutine
import reactor.core.publisher.Flux
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

private const val HOST = "127.0.0.1"

/** [POINT] as the drivers without JDBC want it. */
private const val NUMBERED = "select v from point where id = \$1"

private fun r2dbcFactory(port: Int, application: String) = PostgresqlConnectionFactory(
    PostgresqlConnectionConfiguration.builder()
        .host(HOST).port(port).username("postgres").database("postgres").applicationName(application).build(),
)

/** A pool that lives until it is closed. */
fun openR2dbcCarom(port: Int, connections: Int): SqlPool {
    val owner = SupervisorJob()
    val factory = r2dbcFactory(port, "carom-r2dbc")
    return CoroutineScope(Dispatchers.Default + owner).openR2dbc(
        "bench",
        R2dbcDialect.POSTGRESQL,
        fixedResolver(Backend("bench", HOST, port)),
        R2dbcConnect { factory },
        PoolPolicy(connections, connections),
    ).also { owner.complete() }
}

/** All its connections are open. */
fun openR2dbcPool(port: Int, connections: Int): ConnectionPool {
    val factory = r2dbcFactory(port, "r2dbc-pool")
    val policy = ConnectionPoolConfiguration.builder(factory).initialSize(connections).maxSize(connections).build()
    return ConnectionPool(policy).also { it.warmup().block() }
}

/** Keeps prepared statements, as the other drivers do of themselves. */
fun openVertxPool(vertx: Vertx, port: Int, connections: Int): Pool = PgBuilder.pool()
    .with(PoolOptions().setMaxSize(connections))
    .connectingTo(
        PgConnectOptions().setHost(HOST).setPort(port).setUser("postgres").setDatabase("postgres")
            .addProperty("application_name", "vertx").setCachePreparedStatements(true),
    )
    .using(vertx)
    .build()

fun r2dbcPoolQueries(pool: ConnectionPool, callers: Int): Long = crowd(callers) { id ->
    Flux.usingWhen(pool.create(), { r2dbcQuery(it, id) }, Connection::close).single().awaitSingle()
}

private fun r2dbcQuery(connection: Connection, id: Int): Flux<Long> =
    Flux.from(connection.createStatement(NUMBERED).bind(0, id).execute())
        .flatMap { result -> result.map { row, _ -> row.get(0) as Long } }

fun vertxQueries(pool: Pool, callers: Int): Long = crowd(callers) { id ->
    pool.preparedQuery(NUMBERED).execute(Tuple.of(id)).answer().single().getLong(0)
}

private suspend fun <T> Future<T>.answer(): T = suspendCancellableCoroutine { waiting ->
    onComplete(waiting::resume, waiting::resumeWithException)
}
