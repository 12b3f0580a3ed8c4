package dev.carom.storage.jdbc

import dev.carom.storage.Isolation
import dev.carom.storage.SessionTxn
import dev.carom.storage.TxnPolicy
import java.sql.Connection
import java.sql.SQLException
import java.sql.Savepoint
import java.sql.Statement

/**
 * One connection of a [JdbcDriver], and what this library knows about it.
 *
 * @property connection the driver's own. Whoever changes its settings by hand changes them for whoever has it next.
 */
public class JdbcSession internal constructor(public val connection: Connection, internal val dialect: JdbcDialect) {
    private val savepoints = HashMap<String, Savepoint>()
    private var isolationBefore: Int? = null
    private var readOnlyBefore: Boolean? = null

    @Volatile internal var txn: SessionTxn = SessionTxn.IDLE
        private set

    /** Whether anything ran since the last complete reset. */
    @Volatile internal var used: Boolean = false

    @Volatile private var flight: Flight? = null

    /** One call: what a cancel request is for. */
    private class Flight {
        @Volatile var statement: Statement? = null

        @Volatile var cancelled = false
    }

    /** Runs one call; on this thread. A statement that fails in a transaction may take that along. */
    internal fun <R> fly(block: () -> R): R {
        used = true
        flight = Flight()
        try {
            return block()
        } catch (failure: SQLException) {
            if (txn == SessionTxn.OPEN) after(failure)
            throw failure
        } finally {
            flight = null
        }
    }

    private fun after(failure: SQLException) {
        val left = dialect.txnAfter(failure)
        if (left != SessionTxn.IDLE) {
            txn = left
            return
        }
        // Also where the database has done it already: then this changes nothing.
        try {
            rollback()
        } catch (rollback: SQLException) {
            failure.addSuppressed(rollback)
        }
    }

    /** Announces the statement that is about to be executed; one whose cancellation was first is not. */
    internal fun <T : Statement> armed(statement: T): T {
        val mine = flight
        if (mine != null) {
            mine.statement = statement
            if (mine.cancelled) throw SQLException("cancelled before it was executed", "57014")
        }
        return statement
    }

    internal fun cancel() {
        val running = flight ?: return
        running.cancelled = true
        running.statement?.cancel()
    }

    internal fun begin(policy: TxnPolicy) {
        try {
            if (policy.isolation != Isolation.DEFAULT) {
                isolationBefore = connection.transactionIsolation
                connection.transactionIsolation = level(policy.isolation)
            }
            if (policy.readOnly == true && dialect.readOnly) {
                readOnlyBefore = connection.isReadOnly
                connection.isReadOnly = true
            }
            connection.autoCommit = false
            txn = SessionTxn.OPEN
        } catch (failure: SQLException) {
            // A begin that stopped half way leaves no setting behind; if that fails too, the next rollback sees to it.
            txn = SessionTxn.OPEN
            try {
                ended()
            } catch (undoing: SQLException) {
                failure.addSuppressed(undoing)
            }
            throw failure
        }
    }

    internal fun commit() {
        connection.commit()
        ended()
    }

    internal fun rollback() {
        connection.rollback()
        ended()
    }

    /** What the transaction changed on the connection is undone. */
    internal fun ended() {
        savepoints.clear()
        connection.autoCommit = true
        txn = SessionTxn.IDLE
        isolationBefore?.let { connection.transactionIsolation = it }
        isolationBefore = null
        readOnlyBefore?.let { connection.isReadOnly = it }
        readOnlyBefore = null
    }

    internal fun save(name: String) {
        savepoints[name] = connection.setSavepoint(name)
    }

    internal fun release(name: String) {
        savepoints.remove(name)?.let(connection::releaseSavepoint)
    }

    internal fun restore(name: String) {
        val savepoint = savepoints.remove(name) ?: throw SQLException("no savepoint $name", "3B001")
        connection.rollback(savepoint)
        connection.releaseSavepoint(savepoint)
        txn = SessionTxn.OPEN
    }

    private fun level(isolation: Isolation): Int = when (isolation) {
        Isolation.READ_UNCOMMITTED -> Connection.TRANSACTION_READ_UNCOMMITTED

        Isolation.READ_COMMITTED -> Connection.TRANSACTION_READ_COMMITTED

        Isolation.REPEATABLE_READ -> Connection.TRANSACTION_REPEATABLE_READ

        Isolation.SNAPSHOT -> H2_SNAPSHOT

        Isolation.SERIALIZABLE -> Connection.TRANSACTION_SERIALIZABLE

        Isolation.DEFAULT, Isolation.WRITE_COMMITTED, Isolation.LINEARIZABLE ->
            throw SQLException("$dialect has no $isolation", "0A000")
    }

    private companion object {
        /** `org.h2.engine.Constants.TRANSACTION_SNAPSHOT`: JDBC has no number for it. */
        const val H2_SNAPSHOT = 6
    }
}
