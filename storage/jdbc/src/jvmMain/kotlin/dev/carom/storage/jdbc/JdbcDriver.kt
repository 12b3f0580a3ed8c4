package dev.carom.storage.jdbc

import dev.carom.storage.CallThreads
import dev.carom.storage.Capabilities
import dev.carom.storage.ErrorInfo
import dev.carom.storage.OpOptions
import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionTxn
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnStatus
import dev.carom.storage.sql.Columns
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlCursor
import dev.carom.storage.sql.SqlDriver
import dev.carom.storage.sql.SqlResult
import kotlinx.coroutines.Job
import java.sql.PreparedStatement
import java.sql.ResultSet
import java.sql.SQLException
import java.sql.Statement

/**
 * Statements over any JDBC driver. Each call runs on a thread for it, after its connection was claimed, and is never
 * interrupted: a cancelled one is stopped on the server by `Statement.cancel`, again and again until it has ended; with
 * pgjdbc by `PGConnection.cancelQuery` from the second time on. After that the session proves with a round trip that it is
 * quiet before it runs anything else or is lent to anybody.
 *
 * @property dialect of the database.
 */
public class JdbcDriver internal constructor(public val dialect: JdbcDialect, private val pool: JdbcThreads) :
    SqlDriver<JdbcSession> {
    override val capabilities: Capabilities =
        Capabilities(
            dialect.isolations,
            savepoints = true,
            readOnly = dialect.readOnly,
            resolvesOutcome = dialect == JdbcDialect.POSTGRESQL,
        )

    private val calls = JdbcCalls(pool, dialect)
    override val threads: CallThreads get() = calls.threads

    override suspend fun begin(session: JdbcSession, policy: TxnPolicy): Unit = calls.work { session.begin(policy) }

    override suspend fun commit(session: JdbcSession): Unit = calls.work { session.commit() }

    override suspend fun rollback(session: JdbcSession): Unit = calls.work { session.rollback() }

    override suspend fun savepoint(session: JdbcSession, name: String): Unit = calls.work { session.save(name) }

    override suspend fun releaseSavepoint(session: JdbcSession, name: String): Unit =
        calls.work { session.release(name) }

    override suspend fun rollbackToSavepoint(session: JdbcSession, name: String): Unit =
        calls.work { session.restore(name) }

    override fun txnOf(session: JdbcSession): SessionTxn = session.txn

    // Not on the threads of the statements: those may all be busy with what is to be stopped.
    override suspend fun cancel(session: JdbcSession, call: Job): Unit = pool.control { session.cancel() }

    override fun isClean(session: JdbcSession, level: ResetLevel): Boolean = session.isClean(level)

    override suspend fun reset(session: JdbcSession, level: ResetLevel): Unit = calls.work { session.reset(level) }

    override fun abort(session: JdbcSession): Unit = pool.abort(session)

    /** The number of the transaction, if it has written anything. */
    override suspend fun outcomeToken(session: JdbcSession): Any? = calls.work {
        asked(session, "select pg_current_xact_id_if_assigned()::text")
    }

    override suspend fun outcomeOf(session: JdbcSession, token: Any): TxnStatus? = calls.work {
        when (asked(session, "select pg_xact_status('$token'::xid8)")) {
            "committed" -> TxnStatus.COMMITTED
            "aborted" -> TxnStatus.ROLLED_BACK
            else -> null
        }
    }

    private fun asked(session: JdbcSession, question: String): String? =
        session.connection.createStatement().use { statement ->
            statement.executeQuery(question).use { if (it.next()) it.getString(1) else null }
        }

    override fun classify(error: Throwable): ErrorInfo? = (error as? SQLException)?.let(dialect::classify)

    override suspend fun exec(session: JdbcSession, sql: Sql): SqlResult = calls.work {
        session.fly {
            val keys = if (sql.options.generatedKeys) Statement.RETURN_GENERATED_KEYS else Statement.NO_GENERATED_KEYS
            session.connection.prepareStatement(sql.text, keys).use { statement ->
                bind(statement, sql.params)
                limit(statement, sql.options)
                session.armed(statement).execute()
                val made = if (sql.options.generatedKeys) {
                    statement.generatedKeys.use {
                        rowsOf(it, dialect)
                    }
                } else {
                    emptyList()
                }
                SqlResult(statement.updateCount.toLong().coerceAtLeast(0), made)
            }
        }
    }

    override suspend fun execBatch(
        session: JdbcSession,
        text: String,
        batch: List<List<Any?>>,
        options: OpOptions,
    ): List<Long> = calls.work {
        session.fly {
            session.connection.prepareStatement(Sql.of(text, batch.first()).text).use { statement ->
                limit(statement, options)
                for (params in batch) {
                    bind(statement, Sql.of(text, params).params)
                    statement.addBatch()
                }
                session.armed(statement).executeBatch().map { it.toLong() }
            }
        }
    }

    override suspend fun open(session: JdbcSession, sql: Sql): SqlCursor = calls.work {
        session.fly {
            // What fits into one page needs none.
            val paged = sql.options.maxRows !in 1..sql.options.fetchSize
            val implicit = dialect.pagesInTxnOnly && paged && session.txn == SessionTxn.IDLE
            if (implicit) session.connection.autoCommit = false
            val statement = session.connection.prepareStatement(sql.text)
            try {
                bind(statement, sql.params)
                limit(statement, sql.options)
                statement.fetchSize = sql.options.fetchSize
                if (sql.options.maxRows in 1..Int.MAX_VALUE) statement.maxRows = sql.options.maxRows.toInt()
                JdbcCursor(session, statement, session.armed(statement).executeQuery(), implicit, calls)
            } catch (failure: Throwable) {
                closeAll(failure, statement) { if (implicit) session.connection.rollback().also { session.ended() } }
                throw failure
            }
        }
    }

    override suspend fun first(session: JdbcSession, sql: Sql): Row? = calls.work {
        session.fly {
            session.connection.prepareStatement(sql.text).use { statement ->
                bind(statement, sql.params)
                limit(statement, sql.options)
                statement.maxRows = 1
                session.armed(statement).executeQuery().use {
                    if (it.next()) rowOf(columnsOf(it, dialect), it) else null
                }
            }
        }
    }

    private fun closeAll(failure: Throwable, statement: Statement, also: () -> Unit) {
        for (step in listOf({ statement.close() }, also)) {
            try {
                step()
            } catch (closing: SQLException) {
                failure.addSuppressed(closing)
            }
        }
    }

    private fun bind(statement: PreparedStatement, params: List<Any?>) {
        params.forEachIndexed { index, value -> statement.setObject(index + 1, dialect.bound(value)) }
    }

    /** A safety net for a client that dies: the library's own timer comes first. */
    private fun limit(statement: Statement, options: OpOptions) {
        if (options.timeout.isFinite()) statement.queryTimeout = (options.timeout.inWholeSeconds + NET).toInt()
    }

    private companion object {
        const val NET = 2L
    }
}

private class JdbcCursor(
    private val session: JdbcSession,
    private val statement: PreparedStatement,
    private val result: ResultSet,
    private val implicit: Boolean,
    private val calls: JdbcCalls,
) : SqlCursor {
    override val columns: Columns = columnsOf(result, session.dialect)
    private var failed = false

    override suspend fun fetch(max: Int): List<Row> = calls.work {
        session.fly {
            session.armed(statement)
            val page = ArrayList<Row>(minOf(max, FIRST))
            failed = true
            while (page.size < max && result.next()) page += rowOf(columns, result)
            failed = false
            page
        }
    }

    override suspend fun close(): Unit = calls.work {
        try {
            result.close()
        } finally {
            statement.close()
            // A statement that gives rows may have changed some, too: insert ... returning.
            if (implicit) if (failed) session.rollback() else session.commit()
        }
    }

    private companion object {
        const val FIRST = 256
    }
}
