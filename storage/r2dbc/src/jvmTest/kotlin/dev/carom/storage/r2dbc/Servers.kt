package dev.carom.storage.r2dbc

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.SessionSource
import dev.carom.storage.Sessions
import dev.carom.storage.StoragePolicy
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.sqlOps
import dev.carom.storage.sql.stream
import dev.carom.storage.tck.TckTarget
import io.kotest.core.spec.style.FunSpec
import io.r2dbc.spi.ConnectionFactories
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.take
import java.io.IOException
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.UUID
import java.util.concurrent.TimeUnit
import kotlin.io.path.listDirectoryEntries
import kotlin.time.Duration.Companion.seconds

/** What a test talks to. */
class Server(val dialect: R2dbcDialect, port: Int, val upsert: String, val slow: String, url: (Backend) -> String) {
    val backend = Backend("server", "127.0.0.1", port)
    val connect = R2dbcConnect { ConnectionFactories.get(url(it)) }

    companion object {
        fun h2() = UUID.randomUUID().let { name ->
            Server(
                R2dbcDialect.H2,
                1,
                "merge into t (k, v) key (k) values (?, ?)",
                "select 1",
            ) { "r2dbc:h2:mem:///$name?options=DB_CLOSE_DELAY=-1" }
        }

        /** Null, and said so, where none can be started. */
        val postgres: Server? by lazy {
            port()?.let { port ->
                Server(
                    R2dbcDialect.POSTGRESQL,
                    port,
                    "insert into t (k, v) values (?, ?) on conflict (k) do update set v = excluded.v",
                    "select pg_sleep(?)",
                ) { "r2dbc:postgresql://postgres@${it.host}:${it.port}/postgres" }
            }
        }

        private fun port(): Int? {
            val tried = mutableListOf<String>()
            for (start in listOf(::embedded, ::installed)) {
                try {
                    start()?.let { return it }
                } catch (e: IOException) {
                    tried += e.toString()
                } catch (e: IllegalStateException) {
                    tried += e.toString()
                }
            }
            System.err.println("SKIPPED: no PostgreSQL here, R2DBC was tried on H2 alone: $tried")
            return null
        }

        private fun embedded(): Int? =
            EmbeddedPostgres.builder().setServerConfig("max_connections", "100")
                .setPGStartupWait(Duration.ofSeconds(60)).start().port

        private fun installed(): Int? {
            val versions = Path.of("/usr/lib/postgresql").takeIf(Files::isDirectory)?.listDirectoryEntries().orEmpty()
            val bin = versions.map { it.resolve("bin") }.lastOrNull { Files.isExecutable(it.resolve("pg_ctl")) }
                ?: return null
            val home = Files.createTempDirectory("carom-pg")
            // The server refuses to be run by root.
            val root = System.getProperty("user.name") == "root"
            val user = if (root) listOf("runuser", "-u", "postgres", "--") else emptyList()
            if (root) run(listOf("chown", "postgres", "$home"))
            run(user + listOf("$bin/initdb", "-D", "$home/data", "-U", "postgres", "-A", "trust", "-N"))
            val port = ServerSocket(0).use { it.localPort }
            val ctl = user + listOf("$bin/pg_ctl", "-D", "$home/data", "-w")
            run(ctl + listOf("-l", "$home/log", "-o", "-p $port -k $home", "start"))
            Runtime.getRuntime().addShutdownHook(
                Thread {
                    run(ctl + listOf("-m", "immediate", "stop"))
                    home.toFile().deleteRecursively()
                },
            )
            return port
        }

        private fun run(command: List<String>) {
            val process = ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
            check(process.waitFor(180, TimeUnit.SECONDS)) { "$command did not end within 180 s" }
            check(process.exitValue() == 0) { "$command: exit code ${process.exitValue()}" }
        }
    }
}

/** A spec on a real PostgreSQL; one test that says so where there is none. */
fun withPostgres(tests: FunSpec.(Server) -> Unit): FunSpec.() -> Unit = {
    val server = Server.postgres
    if (server == null) xtest("skipped: no PostgreSQL here") {} else tests(server)
}

/** How long a busy machine takes to open the connection of a cancel request says nothing about this library. */
private val patient = StoragePolicy(cancelGrace = 20.seconds)

/** [openR2dbc] in a scope of its own; everything ends with it. */
suspend fun r2dbcTest(
    server: Server,
    sessions: Int = 2,
    policy: StoragePolicy = patient,
    block: suspend CoroutineScope.(SqlPool) -> Unit,
) = coroutineScope {
    val resolver = flowOf(setOf(server.backend)).asResolver()
    val pool = openR2dbc("r2dbc", server.dialect, resolver, server.connect, PoolPolicy(1, sessions), policy)
    try {
        block(pool)
    } finally {
        pool.close(0)
    }
}

class R2dbcTarget(private val server: Server) : TckTarget<R2dbcSession> {
    override val name: String = "R2DBC ${server.dialect}"
    override val driver = R2dbcDriver(server.dialect)
    override val stopsRunning: Boolean = server.dialect == R2dbcDialect.POSTGRESQL

    override fun source(capacity: Int): SessionSource<R2dbcSession> {
        val owner = SupervisorJob()
        val resolver = flowOf(setOf(server.backend)).asResolver()
        return CoroutineScope(Dispatchers.Default + owner)
            .r2dbcSessions("tck", server.dialect, resolver, server.connect, PoolPolicy(1, capacity))
            .also { owner.complete() }
    }

    override val remembers: Boolean = true

    // H2 has no complete reset.
    override val forgets: Boolean = server.dialect == R2dbcDialect.POSTGRESQL

    private fun ops(on: Sessions<R2dbcSession>) = sqlOps(on, driver)

    override suspend fun remember(on: Sessions<R2dbcSession>, value: String) {
        if (forgets) {
            ops(on).queryRow("select set_config('app.tenant', ?, false)", value)
        } else {
            ops(on).exec("set @tenant = ?", value)
        }
    }

    override suspend fun remembered(on: Sessions<R2dbcSession>): String? =
        ops(on).queryRow(if (forgets) "select nullif(current_setting('app.tenant', true), '')" else "select @tenant")
            ?.get(0) as String?

    override suspend fun clear(on: Sessions<R2dbcSession>) {
        ops(on).exec("drop table if exists t")
        ops(on).exec("create table t (k varchar(100) primary key, v varchar(100))")
    }

    override suspend fun write(on: Sessions<R2dbcSession>, key: String, value: String) {
        ops(on).exec(server.upsert, key, value)
    }

    override suspend fun read(on: Sessions<R2dbcSession>, key: String): String? =
        ops(on).queryRow("select v from t where k = ?", key)?.getString(0)

    override suspend fun fail(on: Sessions<R2dbcSession>) {
        ops(on).exec("no such statement")
    }

    override suspend fun slow(on: Sessions<R2dbcSession>, millis: Long) {
        ops(on).queryRow(server.slow, millis / 1000.0)
    }

    override suspend fun readMany(on: Sessions<R2dbcSession>, count: Int, each: suspend (Int) -> Unit) {
        var n = 0
        ops(on).stream("select v from t").take(count).collect { each(n++) }
    }
}
