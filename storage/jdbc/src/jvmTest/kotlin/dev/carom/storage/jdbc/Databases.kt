package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.pool.openPool
import dev.carom.storage.SessionSource
import dev.carom.storage.Sessions
import dev.carom.storage.StoragePolicy
import dev.carom.storage.pooled.PooledSessions
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.sqlOps
import dev.carom.storage.sql.stream
import dev.carom.storage.tck.TckTarget
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.take
import java.nio.file.Files
import java.nio.file.Path
import java.sql.DriverManager
import java.util.UUID
import kotlin.time.Duration.Companion.seconds

/** A database in this process: nothing to install, one for each test. */
class Embedded(
    val dialect: JdbcDialect,
    val url: String,
    val upsert: String,
    val endless: String,
    val memory: Memory? = null,
) {
    /** A state of the session. */
    class Memory(val set: String, val get: String)

    val backend = Backend("embedded", "localhost", 1)

    fun connect(): JdbcConnect = JdbcConnect { DriverManager.getConnection(url) }

    companion object {
        private const val RECURSION =
            "with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c"

        fun h2(url: String = "jdbc:h2:mem:${UUID.randomUUID()};DB_CLOSE_DELAY=-1") = Embedded(
            JdbcDialect.H2,
            url,
            "merge into t (k, v) key (k) values (?, ?)",
            "select sum(x * 1.5) from system_range(1, 1000000000000)",
            Memory("set @mine = ?", "select @mine"),
        )

        fun sqlite(file: Path = temporaryDirectory().resolve("db")) = Embedded(
            JdbcDialect.SQLITE,
            "jdbc:sqlite:$file?journal_mode=WAL&busy_timeout=5000",
            "insert or replace into t (k, v) values (?, ?)",
            RECURSION,
        )

        fun postgres(url: String) = Embedded(
            JdbcDialect.POSTGRESQL,
            url,
            "insert into t (k, v) values (?, ?) on conflict (k) do update set v = excluded.v",
            "select pg_sleep(120)",
            Memory("select set_config('app.mine', ?, false)", "select nullif(current_setting('app.mine', true), '')"),
        )

        fun maria(url: String) = Embedded(
            JdbcDialect.MYSQL,
            url,
            "insert into t (k, v) values (?, ?) on duplicate key update v = values(v)",
            "select sleep(120)",
            Memory("set @mine = ?", "select @mine"),
        )
    }
}

/** Ends with the process. */
fun temporaryDirectory(): Path = Files.createTempDirectory("carom").also { directory ->
    Runtime.getRuntime().addShutdownHook(Thread { directory.toFile().deleteRecursively() })
}

/** How long a busy machine takes to open the connection of a cancel request says nothing about this library. */
val patient: StoragePolicy = StoragePolicy(cancelGrace = 20.seconds)

/** [openJdbc] in a scope of its own; everything ends with it. */
suspend fun jdbcTest(
    database: Embedded,
    sessions: Int = 2,
    policy: StoragePolicy = patient,
    jdbc: JdbcPolicy = JdbcPolicy(),
    connections: PoolPolicy = PoolPolicy(1, sessions),
    block: suspend CoroutineScope.(JdbcPool) -> Unit,
) = coroutineScope {
    val resolver = flowOf(setOf(database.backend)).asResolver()
    val pool = openJdbc("jdbc", database.dialect, resolver, database.connect(), connections, policy, jdbc)
    try {
        block(pool)
    } finally {
        pool.close(0)
    }
}

class JdbcTarget(private val database: Embedded) : TckTarget<JdbcSession> {
    private val threads = JdbcThreads(4, database.dialect)
    override val name: String = database.dialect.name
    override val driver = JdbcDriver(database.dialect, threads)

    /** The Carom pool lives as long as the source: it is closed with it. */
    override fun source(capacity: Int): SessionSource<JdbcSession> {
        val resolver = flowOf(setOf(database.backend)).asResolver()
        val policy = PoolPolicy(1, capacity)
        val connector = JdbcConnector(database.dialect, database.connect(), threads, policy)
        val owner = SupervisorJob()
        val pool = CoroutineScope(Dispatchers.Default + owner).openPool("tck", resolver, connector, policy)
        owner.complete()
        return PooledSessions(pool)
    }

    override val remembers: Boolean = database.memory != null

    // H2 has no complete reset.
    override val forgets: Boolean = database.dialect != JdbcDialect.H2

    override suspend fun remember(on: Sessions<JdbcSession>, value: String) {
        val set = checkNotNull(database.memory).set
        if (set.startsWith("select")) ops(on).queryRow(set, value) else ops(on).exec(set, value)
    }

    override suspend fun remembered(on: Sessions<JdbcSession>): String? =
        ops(on).queryRow(checkNotNull(database.memory).get)?.get(0) as String?

    private fun ops(on: Sessions<JdbcSession>) = sqlOps(on, driver)

    override suspend fun clear(on: Sessions<JdbcSession>) {
        ops(on).exec("drop table if exists t")
        ops(on).exec("create table t (k varchar(100) primary key, v varchar(100))")
    }

    override suspend fun write(on: Sessions<JdbcSession>, key: String, value: String) {
        ops(on).exec(database.upsert, key, value)
    }

    override suspend fun read(on: Sessions<JdbcSession>, key: String): String? =
        ops(on).queryRow("select v from t where k = ?", key)?.getString(0)

    override suspend fun fail(on: Sessions<JdbcSession>) {
        ops(on).exec("no such statement")
    }

    override suspend fun slow(on: Sessions<JdbcSession>, millis: Long) {
        ops(on).queryRow(database.endless)
    }

    override suspend fun readMany(on: Sessions<JdbcSession>, count: Int, each: suspend (Int) -> Unit) {
        var n = 0
        ops(on).stream("select v from t").take(count).collect { each(n++) }
    }
}
