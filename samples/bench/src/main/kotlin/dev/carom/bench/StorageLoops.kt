@file:JvmName("StorageLoops")

package dev.carom.bench

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.fixedResolver
import dev.carom.storage.Capabilities
import dev.carom.storage.LocalSessions
import dev.carom.storage.PoolCore
import dev.carom.storage.SessionTxn
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageKind
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnPolicy
import dev.carom.storage.conn
import dev.carom.storage.jdbc.JdbcConnect
import dev.carom.storage.jdbc.JdbcDialect
import dev.carom.storage.jdbc.JdbcPool
import dev.carom.storage.jdbc.openJdbc
import dev.carom.storage.openStorage
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.queryRow
import dev.carom.storage.txn
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.sql.DriverManager
import java.util.concurrent.atomic.AtomicLong
import javax.sql.DataSource

/** Queries of one call of a loop on a server, shared by all its callers. */
const val QUERIES: Int = 2_000

/** Rows of the table that is asked. */
const val ROWS: Int = 1_000

const val POINT: String = "select v from point where id = ?"

/** A pool that lives until it is closed. */
fun openJdbcCarom(url: String, port: Int, connections: Int): JdbcPool {
    val owner = SupervisorJob()
    val connect = JdbcConnect { DriverManager.getConnection(url) }
    return CoroutineScope(Dispatchers.Default + owner).openJdbc(
        "bench",
        JdbcDialect.POSTGRESQL,
        fixedResolver(Backend("bench", "127.0.0.1", port)),
        connect,
        PoolPolicy(connections, connections),
    ).also { owner.complete() }
}

internal fun crowd(callers: Int, query: suspend (Int) -> Long): Long {
    val sum = AtomicLong()
    runBlocking(Dispatchers.Default) {
        repeat(callers) { caller ->
            launch { for (n in caller until QUERIES step callers) sum.addAndGet(query(n % ROWS)) }
        }
    }
    return sum.get()
}

fun caromQueries(pool: SqlPool, callers: Int): Long =
    crowd(callers) { id -> checkNotNull(pool.queryRow(POINT, id)).getLong(0) }

fun jdbcOnIoQueries(source: DataSource, callers: Int): Long =
    crowd(callers) { id -> withContext(Dispatchers.IO) { jdbcQuery(source, id) } }

fun jdbcQuery(source: DataSource, id: Int): Long = source.connection.use { connection ->
    connection.prepareStatement(POINT).use { statement ->
        statement.setInt(1, id)
        statement.executeQuery().use { it.next().run { it.getLong(1) } }
    }
}

/** A session of a storage that does nothing. */
class Quiet {
    @Volatile var txn: SessionTxn = SessionTxn.IDLE
}

private object QuietDriver : StorageDriver<Quiet> {
    override val kind = StorageKind("quiet")
    override val capabilities = Capabilities()

    override fun txnOf(session: Quiet): SessionTxn = session.txn

    override suspend fun begin(session: Quiet, policy: TxnPolicy) {
        session.txn = SessionTxn.OPEN
    }

    override suspend fun commit(session: Quiet) {
        session.txn = SessionTxn.IDLE
    }

    override suspend fun rollback(session: Quiet) {
        session.txn = SessionTxn.IDLE
    }
}

fun openQuiet(sessions: Int): PoolCore<Quiet> {
    val owner = SupervisorJob()
    val source = LocalSessions(sessions, {}) { Quiet() }
    return CoroutineScope(Dispatchers.Default + owner)
        .openStorage("quiet", QuietDriver, source, StoragePolicy())
        .also { owner.complete() }
}

fun useLoop(pool: PoolCore<Quiet>): Int = runBlocking {
    var sum = 0
    repeat(ONE_CALLER) { sum += pool.use { it.txn.ordinal } }
    sum
}

fun connLoop(pool: PoolCore<Quiet>): Int = runBlocking {
    var sum = 0
    repeat(ONE_CALLER) { sum += pool.conn { conn -> conn.use { it.txn.ordinal } } }
    sum
}

fun txnLoop(pool: PoolCore<Quiet>): Int = runBlocking {
    var sum = 0
    repeat(ONE_CALLER) { sum += pool.txn { txn -> txn.use { it.txn.ordinal } } }
    sum
}

fun closeQuiet(pool: PoolCore<Quiet>): Unit = runBlocking { pool.close(0) }
