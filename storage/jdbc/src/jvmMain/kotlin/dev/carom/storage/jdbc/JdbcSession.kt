package dev.carom.storage.jdbc

import dev.carom.storage.ResetLevel
import dev.carom.storage.SessionTxn
import dev.carom.storage.TxnPolicy
import kotlinx.coroutines.CompletableDeferred
import java.sql.Connection
import java.sql.SQLException
import java.sql.Savepoint
import java.sql.Statement
import kotlin.time.Duration
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

/**
 * One connection of a [JdbcDriver], and what this library knows about it.
 *
 * @property connection the driver's own. Whoever changes its settings by hand changes them for whoever has it next.
 */
public class JdbcSession internal constructor(
    public val connection: Connection,
    internal val dialect: JdbcDialect,
    private val checkInterval: Duration = Duration.ZERO,
) {
    private val aid = aidFor(dialect, connection)
    private val savepoints = HashMap<String, Savepoint>()
    private val settings = TxnSettings(dialect, connection)

    /** What this library began and has not ended. */
    @Volatile private var begun: SessionTxn = SessionTxn.IDLE

    /** Whether anything ran since the last complete reset. */
    @Volatile internal var used: Boolean = false

    /** A request to stop was sent: nobody else gets this session before it has answered something again. */
    @Volatile private var unproven = false

    @Volatile private var flight: Flight? = null

    /** When it was cut off under what ran on it, once it has been; null if that is not to be. */
    @Volatile internal var cutOff: CompletableDeferred<TimeSource.Monotonic.ValueTimeMark>? = null
        private set

    /** When it last proved that it works. */
    @Volatile internal var idleSince: TimeSource.Monotonic.ValueTimeMark = TimeSource.Monotonic.markNow()
        private set

    /** One call: what a cancel request is for. */
    private class Flight {
        @Volatile var statement: Statement? = null

        @Volatile var requests = 0
    }

    /** Never waits. Also a transaction that was begun by hand, where the driver knows. */
    internal val txn: SessionTxn
        get() = when (begun) {
            SessionTxn.IDLE -> aid.txn ?: SessionTxn.IDLE
            SessionTxn.OPEN, SessionTxn.FAILED -> begun
        }

    /** Once, right after it was opened. */
    internal fun setUp() {
        if (dialect != JdbcDialect.POSTGRESQL || checkInterval == Duration.ZERO) return
        try {
            connection.createStatement().use {
                it.execute("set client_connection_check_interval = ${checkInterval.inWholeMilliseconds}")
            }
        } catch (failure: SQLException) {
            // A server that is too old, or on a platform that cannot.
            if (failure.sqlState != UNKNOWN_SETTING && failure.sqlState != BAD_SETTING) throw failure
        }
    }

    /** Runs one call; on this thread. A statement that fails in a transaction may take that along. */
    internal fun <R> fly(block: () -> R): R {
        used = true
        if (unproven) prove()
        flight = Flight()
        try {
            return block()
        } catch (failure: SQLException) {
            if (begun == SessionTxn.OPEN) after(failure)
            throw if (dialect.isDemotion(failure, settings.readOnly)) DemotedException(failure) else failure
        } finally {
            flight = null
            idleSince = TimeSource.Monotonic.markNow()
        }
    }

    private fun after(failure: SQLException) {
        val told = dialect == JdbcDialect.POSTGRESQL && aid.txn != null
        val left = if (told) failedOrOpen() else dialect.txnAfter(failure)
        if (left != SessionTxn.IDLE) {
            begun = left
            return
        }
        // Also where the database has done it already: then this changes nothing.
        try {
            rollback()
        } catch (rollback: SQLException) {
            failure.addSuppressed(rollback)
        }
    }

    // The server knows nothing of it before its first statement.
    private fun failedOrOpen() = if (aid.txn == SessionTxn.FAILED) SessionTxn.FAILED else SessionTxn.OPEN

    /** Announces the statement that is about to be executed; one whose cancellation was first is not. */
    internal fun <T : Statement> armed(statement: T): T {
        val mine = flight
        if (mine != null) {
            mine.statement = statement
            if (mine.requests > 0) throw SQLException("cancelled before it was executed", "57014")
        }
        return statement
    }

    internal fun cancel() {
        val running = flight ?: return
        val again = running.requests++ > 0
        unproven = unproven || dialect.lingers
        aid.cancel(running.statement, again)
    }

    /**
     * A round trip that a request to stop may hit instead of somebody's statement. The requests have all been dealt with
     * when this runs; it is here for a server that dealt with one late.
     *
     * @throws SQLException if it was hit, or did not answer: the session cannot be trusted.
     */
    private fun prove() {
        if (!connection.isValid(PROOF_SECONDS)) {
            throw SQLException("the session did not answer after a request to stop a statement", "08006")
        }
        unproven = false
    }

    /** One round trip, of at most [limit], to the full second. */
    internal fun answers(limit: Duration): Boolean {
        val answers = connection.isValid(limit.toInt(DurationUnit.SECONDS).coerceAtLeast(1))
        if (answers) idleSince = TimeSource.Monotonic.markNow()
        return answers
    }

    /** It is going to be cut off; [gone] follows. */
    internal fun cut() {
        if (cutOff == null) cutOff = CompletableDeferred()
    }

    internal fun gone() {
        cutOff?.complete(TimeSource.Monotonic.markNow())
    }

    internal fun isClean(level: ResetLevel): Boolean = txn == SessionTxn.IDLE && !unproven &&
        !(level == ResetLevel.FULL && resets && used)

    private val resets: Boolean get() = aid.resets || dialect.resetSql.isNotEmpty()

    /** Nothing of what was done on it stays, as far as [level] goes. */
    internal fun reset(level: ResetLevel) {
        if (begun != SessionTxn.IDLE || !connection.autoCommit) rollback()
        if (unproven) prove()
        connection.createStatement().use { statement ->
            // Begun by hand: JDBC knows of no transaction that it could roll back.
            if (txn != SessionTxn.IDLE) statement.execute("rollback")
            if (level != ResetLevel.FULL || !resets) return
            if (!aid.resets) statement.execute(dialect.resetSql)
        }
        aid.reset()
        setUp()
        used = false
    }

    internal fun begin(policy: TxnPolicy) {
        try {
            begun = SessionTxn.OPEN
            settings.begin(policy)
        } catch (failure: SQLException) {
            // A begin that stopped half way leaves no setting behind; if that fails too, the next rollback sees to it.
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
        settings.end()
        begun = SessionTxn.IDLE
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
        begun = SessionTxn.OPEN
    }

    private companion object {
        const val UNKNOWN_SETTING = "42704"
        const val BAD_SETTING = "22023"
        const val PROOF_SECONDS = 5
    }
}
