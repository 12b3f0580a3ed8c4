package dev.carom.storage.memory

import dev.carom.storage.Capabilities
import dev.carom.storage.ErrorInfo
import dev.carom.storage.LocalSessions
import dev.carom.storage.OpOptions
import dev.carom.storage.SessionTxn
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnPolicy
import dev.carom.storage.sql.Columns
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlCursor
import dev.carom.storage.sql.SqlDriver
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.SqlResult
import dev.carom.storage.sql.openSql
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

/**
 * A relational storage in memory that understands a little SQL: for unit tests, and as the adapter with the least to it. A
 * test of real SQL wants a real engine.
 *
 * Statements: `create table t (column type [primary key] [not null], …)`, `drop table t`,
 * `insert into t [(columns)] values (…), …`, `update t set c = …, … [where …]`, `delete from t [where …]`,
 * `select * | … | count(*) | sum(c) [from t] [where …] [order by c [desc]] [limit n]`, and `select sleep(ms)`, which waits.
 * Expressions: `?`, numbers, `'text'`, `true`, `false`, `null`, columns, `+ - *`, parentheses; conditions: `= <> < <= > >=`,
 * `is [not] null`, `[not] in (…)`, `and`, `or`, `not`. Numbers are Longs and Doubles; types of columns are words only.
 *
 * Transactions see a snapshot; of two that changed the same *table* the first committer wins, and the other one gets a
 * serialization failure.
 */
public class MemorySql {
    internal val tables = VersionedMap<Table>()

    /** Opens a pool of [sessions] sessions on this storage. */
    public fun open(scope: CoroutineScope, name: String, sessions: Int, policy: StoragePolicy): SqlPool =
        open(scope, name, sessions, policy, TimeSource.Monotonic)

    /** [open] with a clock of one's own. */
    public fun open(
        scope: CoroutineScope,
        name: String,
        sessions: Int,
        policy: StoragePolicy,
        timeSource: TimeSource,
    ): SqlPool {
        val source = LocalSessions(sessions) { MemorySqlSession(this) }
        return scope.openSql(name, MemorySqlDriver(), source, policy, timeSource, Random.Default)
    }
}

/** A session on a [MemorySql]. */
public class MemorySqlSession(storage: MemorySql) {
    internal val data = VersionedSession(storage.tables)
}

/** The driver of [MemorySql]. */
public class MemorySqlDriver : SqlDriver<MemorySqlSession> {
    override val capabilities: Capabilities = Capabilities(MEMORY_ISOLATIONS, savepoints = true, readOnly = true)

    override suspend fun begin(session: MemorySqlSession, policy: TxnPolicy): Unit = session.data.begin(policy)

    override suspend fun commit(session: MemorySqlSession): Unit = session.data.commit()

    override suspend fun rollback(session: MemorySqlSession): Unit = session.data.rollback()

    override suspend fun savepoint(session: MemorySqlSession, name: String): Unit = session.data.savepoint(name)

    override suspend fun releaseSavepoint(session: MemorySqlSession, name: String): Unit = session.data.release(name)

    override suspend fun rollbackToSavepoint(session: MemorySqlSession, name: String): Unit = session.data.rollbackTo(
        name,
    )

    override fun txnOf(session: MemorySqlSession): SessionTxn = session.data.state

    override fun classify(error: Throwable): ErrorInfo? = classifyMemory(error)

    override suspend fun exec(session: MemorySqlSession, sql: Sql): SqlResult = SqlResult(run(session, sql).affected)

    override suspend fun execBatch(
        session: MemorySqlSession,
        text: String,
        batch: List<List<Any?>>,
        options: OpOptions,
    ): List<Long> = batch.map { run(session, Sql.of(text, it)).affected }

    override suspend fun open(session: MemorySqlSession, sql: Sql): SqlCursor {
        val answer = run(session, sql)
        return MemoryCursor(Columns(answer.columns), answer.rows)
    }

    private suspend fun run(session: MemorySqlSession, sql: Sql): Answer {
        val statement = SqlParser(sql.text).statement()
        statement.sleepMillis(sql.params)?.let { delay(it.milliseconds) }
        return statement.run(session.data, sql.params)
    }
}

private class MemoryCursor(override val columns: Columns, private val rows: List<List<Any?>>) : SqlCursor {
    private var at = 0

    override suspend fun fetch(max: Int): List<Row> {
        val page = rows.subList(at, minOf(at + max, rows.size)).map { Row(columns, it) }
        at += page.size
        return page
    }

    override suspend fun close() {
        at = rows.size
    }
}
