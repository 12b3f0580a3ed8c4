package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.StoragePolicy
import io.kotest.core.spec.style.FunSpec
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.sql.Connection
import java.sql.DriverManager
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Runs `pg_sleep`: a connection that is being opened or looked at is active for a moment, too. */
const val ASLEEP: String = "wait_event = 'PgSleep'"

/** Whether this run has the time to look long. */
val soaking: Boolean = (System.getProperty("carom.soak.seconds")?.toLongOrNull() ?: 2L) >= 60

/** A test on a real server; skipped, and said so, where there is none. */
fun FunSpec.postgres(name: String, block: suspend (PostgresServer) -> Unit) {
    val server = PostgresServer.shared
    if (server == null) xtest(name) {} else test(name) { withContext(Dispatchers.Default) { block(server) } }
}

/** A dispatcher whose every task has a virtual thread; null before JDK 21. Has nothing to close. */
val virtualThreads: CoroutineDispatcher? = try {
    val create = Executors::class.java.getMethod("newVirtualThreadPerTaskExecutor")
    (create.invoke(null) as Executor).asCoroutineDispatcher()
} catch (_: NoSuchMethodException) {
    System.err.println("NOTICE: no virtual threads before JDK 21, their tests are skipped")
    null
}

/** [postgres], with something that starts a virtual thread; skipped where there are none. */
fun FunSpec.postgresOnVirtualThreads(
    name: String,
    block: suspend (PostgresServer, start: (Runnable) -> Thread) -> Unit,
) {
    if (virtualThreads == null) return xtest(name) {}
    val start = Thread::class.java.getMethod("startVirtualThread", Runnable::class.java)
    postgres(name) { server -> block(server) { start.invoke(null, it) as Thread } }
}

/** A pool on a database of its own, and somebody who watches the server. */
class PostgresWorld(val pool: JdbcPool, val server: PostgresServer, private val watcher: Connection, val name: String) {
    private val most = AtomicInteger()

    /** Most server processes seen at once that serve this pool. */
    val mostBackends: Int get() = most.get()

    fun ask(sql: String): Any? = synchronized(watcher) {
        watcher.createStatement().use { statement ->
            statement.executeQuery(sql).use { it.next().run { it.getObject(1) } }
        }
    }

    fun backends(also: String = "true"): Int {
        val count = ask("select count(*) from pg_stat_activity where application_name = '$name' and $also") as Long
        return count.toInt()
    }

    fun look(): Int = backends().also { now -> most.accumulateAndGet(now, ::maxOf) }

    /** Looks at the server all the time while [block] runs. */
    suspend fun <T> watching(block: suspend CoroutineScope.() -> T): T = coroutineScope {
        val watch = launch(Dispatchers.IO) { while (isActive) look().also { delay(1) } }
        try {
            coroutineScope(block)
        } finally {
            watch.cancel()
        }
    }

    /** Waits until the server says so. */
    suspend fun until(what: String, holds: () -> Boolean) {
        val start = TimeSource.Monotonic.markNow()
        while (!holds()) {
            check(start.elapsedNow() < 20.seconds) { "did not come to hold within 20 s: $what" }
            yield()
        }
    }
}

/**
 * [openJdbc] on a database called [name]; everything ends with it. pgjdbc waits for longer than the grace until the server has
 * dealt with a cancel request, for one that it no longer waits for may still stop the next statement.
 */
suspend fun PostgresServer.world(
    name: String,
    sessions: Int = 2,
    policy: StoragePolicy = patient,
    jdbc: JdbcPolicy = JdbcPolicy(),
    port: Int = this.port,
    block: suspend CoroutineScope.(PostgresWorld) -> Unit,
) = coroutineScope {
    database(name)
    fun url(port: Int) =
        "jdbc:postgresql://127.0.0.1:$port/$name?user=postgres&ApplicationName=$name&cancelSignalTimeout=30"
    val resolver = flowOf(setOf(Backend("pg", "127.0.0.1", port))).asResolver()
    val connect = JdbcConnect { DriverManager.getConnection(url(it.port)) }
    val pool = openJdbc(name, JdbcDialect.POSTGRESQL, resolver, connect, PoolPolicy(1, sessions), policy, jdbc)
    try {
        // Who watches is not served by the pool, nor does anything come in between.
        DriverManager.getConnection(this@world.url(name)).use { block(PostgresWorld(pool, this@world, it, name)) }
    } finally {
        pool.close(0)
    }
}
