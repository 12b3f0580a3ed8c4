package dev.carom.storage.r2dbc

import dev.carom.storage.Capabilities
import dev.carom.storage.ErrorInfo
import dev.carom.storage.OpOptions
import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionTxn
import dev.carom.storage.TxnPolicy
import dev.carom.storage.r2dbc.internal.CountSubscriber
import dev.carom.storage.r2dbc.internal.RowSubscriber
import dev.carom.storage.sql.Columns
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlCursor
import dev.carom.storage.sql.SqlDriver
import dev.carom.storage.sql.SqlResult
import io.r2dbc.spi.Statement
import io.r2dbc.spi.ValidationDepth
import kotlinx.coroutines.Job
import kotlinx.coroutines.future.await

/**
 * Statements over any R2DBC driver. An answer is always read to its end or given up with the driver's own cleaning up and a
 * question that proves it worked: a subscription that is merely cancelled stops nothing on the server, and can leave a
 * connection that never answers again. Where the driver has a cancel request, a cancelled statement is stopped by it, again
 * and again until it has ended. Each statement has a fetch size.
 *
 * What differs by driver is in [R2dbcDialect].
 *
 * @property dialect of the database.
 */
public class R2dbcDriver(public val dialect: R2dbcDialect) : SqlDriver<R2dbcSession> {
    override val capabilities: Capabilities =
        Capabilities(dialect.isolations, savepoints = true, readOnly = dialect.readOnly)

    override suspend fun begin(session: R2dbcSession, policy: TxnPolicy): Unit = session.begin(policy)

    override suspend fun commit(session: R2dbcSession): Unit = session.commit()

    override suspend fun rollback(session: R2dbcSession): Unit = session.rollback()

    override suspend fun savepoint(session: R2dbcSession, name: String) {
        session.all { session.connection.createSavepoint(name) }
    }

    override suspend fun releaseSavepoint(session: R2dbcSession, name: String) {
        session.all { session.connection.releaseSavepoint(name) }
    }

    override suspend fun rollbackToSavepoint(session: R2dbcSession, name: String): Unit = session.restore(name)

    override fun txnOf(session: R2dbcSession): SessionTxn = session.txn

    override suspend fun cancel(session: R2dbcSession, call: Job): Unit = session.cancel()

    override fun isClean(session: R2dbcSession, level: ResetLevel): Boolean = session.txn == SessionTxn.IDLE &&
        session.connection.isAutoCommit && !(level == ResetLevel.FULL && dialect.resetSql.isNotEmpty() && session.used)

    override suspend fun reset(session: R2dbcSession, level: ResetLevel) {
        // Also one that was begun by a statement, behind this library's back.
        if (session.txn != SessionTxn.IDLE || !session.connection.isAutoCommit) session.rollback()
        if (level == ResetLevel.FULL && dialect.resetSql.isNotEmpty()) {
            counts(session) { session.connection.createStatement(dialect.resetSql) }
            session.used = false
        }
    }

    override fun abort(session: R2dbcSession): Unit = session.abort()

    override fun classify(error: Throwable): ErrorInfo? = dialect.classify(error)

    override suspend fun exec(session: R2dbcSession, sql: Sql): SqlResult {
        if (!sql.options.generatedKeys) return SqlResult(counts(session) { statement(session, sql) }.sum())
        val keys = rows(session, sql, Int.MAX_VALUE) { it.returnGeneratedValues() }
        return SqlResult(keys.size.toLong(), keys)
    }

    private suspend fun rows(session: R2dbcSession, sql: Sql, max: Int, also: (Statement) -> Unit): List<Row> {
        val subscriber = RowSubscriber()
        return session.fly(subscriber::fail) {
            statement(session, sql).also(also).execute().subscribe(subscriber)
            subscriber.want(max).await()
            subscriber.take(max)
        }
    }

    private suspend fun counts(session: R2dbcSession, statement: () -> Statement): List<Long> {
        val subscriber = CountSubscriber()
        return session.fly(subscriber::fail) {
            statement().execute().subscribe(subscriber)
            subscriber.await()
        }
    }

    override suspend fun execBatch(
        session: R2dbcSession,
        text: String,
        batch: List<List<Any?>>,
        options: OpOptions,
    ): List<Long> = counts(session) {
        val first = Sql.of(text, batch.first())
        val statement = session.connection.createStatement(dialect.text(first)).fetchSize(options.fetchSize)
        batch.forEachIndexed { n, params ->
            if (n > 0) statement.add()
            bind(statement, Sql.of(text, params).params)
        }
        statement
    }

    override suspend fun open(session: R2dbcSession, sql: Sql): SqlCursor {
        val subscriber = RowSubscriber()
        val max = sql.options.maxRows
        val first = if (max > 0) minOf(max, sql.options.fetchSize.toLong()).toInt() else sql.options.fetchSize
        val cursor = R2dbcCursor(session, subscriber)
        session.fly(subscriber::fail) {
            statement(session, sql).execute().subscribe(subscriber)
            // The columns come with the first row only.
            subscriber.want(first).await()
            subscriber.failureBeforeRows()?.let { throw it }
        }
        return cursor
    }

    private fun statement(session: R2dbcSession, sql: Sql): Statement {
        val statement = session.connection.createStatement(dialect.text(sql)).fetchSize(sql.options.fetchSize)
        bind(statement, sql.params)
        return statement
    }

    private fun bind(statement: Statement, params: List<Any?>) {
        params.forEachIndexed { index, value ->
            if (value == null) statement.bindNull(index, dialect.nullType) else statement.bind(index, value)
        }
    }
}

private class R2dbcCursor(private val session: R2dbcSession, private val rows: RowSubscriber) : SqlCursor {
    override val columns: Columns get() = rows.columns

    override suspend fun fetch(max: Int): List<Row> = session.fly(rows::fail) {
        rows.want(max).await()
        rows.take(max)
    }

    override suspend fun close() {
        if (rows.isEnded) return
        session.fly(rows::fail) { rows.cancel() }
        // Cancelling asks the driver to clean up. That it has, only an answer proves.
        val answers = session.all { session.connection.validate(ValidationDepth.REMOTE) }
        if (answers != listOf(true)) throw R2dbcCutOff()
    }
}
