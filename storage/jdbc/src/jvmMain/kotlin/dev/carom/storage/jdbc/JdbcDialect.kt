package dev.carom.storage.jdbc

import dev.carom.storage.ErrorCategory
import dev.carom.storage.ErrorInfo
import dev.carom.storage.Isolation
import dev.carom.storage.SessionTxn
import dev.carom.storage.sql.SqlStates
import java.sql.SQLException

/**
 * What differs between databases behind JDBC. Chosen by the product's name; [OTHER] keeps to the standard.
 *
 * Prepared statements are the driver's business: each operation prepares its text and closes it, and what the driver keeps of
 * it on the server, it keeps for that connection, within bounds of its own. It ends with the connection, and with a complete
 * reset.
 *
 * | driver | prepares on the server | keeps at most |
 * |-|-|-|
 * | pgjdbc | from the 5th use of a text on (`prepareThreshold`) | 256 texts, 5 MiB (`preparedStatementCacheQueries`, `…SizeMiB`) |
 * | MariaDB's | with `useServerPrepStmts` | 250 texts (`prepStmtCacheSize`) |
 * | H2 | is in this process | 8 texts (`QUERY_CACHE_SIZE`) |
 * | SQLite's | is in this process | nothing |
 */
public enum class JdbcDialect(
    /** The levels that mean something there. */
    public val isolations: Set<Isolation>,
    /** The platform's own complete reset; empty if it has none. */
    public val resetSql: String,
    /** Whether a connection can be made read-only for one transaction. */
    public val readOnly: Boolean,
    /** Whether a result is fetched in pages only inside a transaction. */
    internal val pagesInTxnOnly: Boolean,
) {
    /**
     * With pgjdbc; keep its `cancelSignalTimeout`, 10 s if none is set, above [dev.carom.storage.StoragePolicy.cancelGrace]. It
     * tells nobody that it has stopped waiting for the server to deal with a cancel request, which may then come late and
     * stop the next statement of that connection; while after the grace the connection is cut off.
     */
    POSTGRESQL(FOUR, "DISCARD ALL", readOnly = true, pagesInTxnOnly = true),

    /**
     * MariaDB and MySQL. With MariaDB's driver a complete reset is that of the driver, which is complete only with
     * `useResetConnection=true` in its URL.
     */
    MYSQL(FOUR, "", readOnly = true, pagesInTxnOnly = false),
    H2(FOUR + Isolation.SNAPSHOT, "", readOnly = false, pagesInTxnOnly = false),
    SQLITE(setOf(Isolation.SERIALIZABLE), "", readOnly = false, pagesInTxnOnly = false),
    OTHER(FOUR, "", readOnly = false, pagesInTxnOnly = false),
    ;

    /** What is left, as far as can be known without asking, of a transaction in which a statement failed. */
    internal fun txnAfter(failure: SQLException): SessionTxn = when (this) {
        POSTGRESQL -> SessionTxn.FAILED

        // The deadlock's victim is rolled back altogether.
        MYSQL -> if (failure.errorCode == MYSQL_DEADLOCK) SessionTxn.IDLE else SessionTxn.OPEN

        // A write that was interrupted takes its whole transaction with it.
        SQLITE -> if (failure.errorCode == SQLITE_INTERRUPT) SessionTxn.IDLE else SessionTxn.OPEN

        H2, OTHER -> SessionTxn.OPEN
    }

    internal fun classify(failure: SQLException): ErrorInfo {
        val state = failure.sqlState.orEmpty()
        val category = if (this == SQLITE) sqliteCategory(failure) else category(state, failure.errorCode)
        val broken = category == ErrorCategory.CONNECTION || failure is DemotedException
        return ErrorInfo(category, broken, failure.errorCode, state)
    }

    /**
     * Whether the server says that it does not take writes, although the connection is alive: it was demoted. In a
     * transaction that was begun read-only the same words mean only that.
     */
    internal fun isDemotion(failure: SQLException, readOnly: Boolean): Boolean = when (this) {
        POSTGRESQL -> !readOnly && failure.sqlState == PG_READ_ONLY
        MYSQL -> failure.errorCode in MYSQL_READ_ONLY && !(readOnly && failure.errorCode == MYSQL_READ_ONLY_TXN)
        H2, SQLITE, OTHER -> false
    }

    /** What tells a primary from a replica; empty if it cannot be asked. One row, one column: whether writes are refused. */
    internal val roleSql: String
        get() = when (this) {
            POSTGRESQL -> "select pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean"
            MYSQL -> "select @@global.read_only"
            H2, SQLITE, OTHER -> ""
        }

    /** Whether a statement may outlive its connection for a while. */
    internal val lingers: Boolean get() = this == POSTGRESQL || this == MYSQL || this == OTHER

    /** Whether a call has little else to do than to wait for a server; in this process it may compute, of others nobody knows. */
    internal val waitsInSocket: Boolean get() = this == POSTGRESQL || this == MYSQL

    /**
     * Whether a call goes on when its thread is interrupted, and ends when its connection is cut off: with drivers over a
     * socket. H2 closes the file of its database under everybody.
     */
    internal val bearsInterrupts: Boolean get() = waitsInSocket

    private fun category(state: String, code: Int): ErrorCategory = when {
        this == MYSQL && code in MYSQL_READ_ONLY -> ErrorCategory.READ_ONLY
        this == MYSQL && code in MYSQL_CODES -> MYSQL_CODES.getValue(code)
        this == H2 && code in H2_CLOSED -> ErrorCategory.CONNECTION
        else -> SqlStates.category(state)
    }

    private fun sqliteCategory(failure: SQLException): ErrorCategory {
        val text = failure.message.orEmpty()
        return when (failure.errorCode and 0xff) {
            SQLITE_INTERRUPT -> ErrorCategory.CANCELLED
            SQLITE_BUSY, SQLITE_LOCKED -> ErrorCategory.SERIALIZATION
            SQLITE_READ_ONLY -> ErrorCategory.READ_ONLY
            SQLITE_CONSTRAINT -> SQLITE_CONSTRAINTS.entries.firstOrNull { it.key in text }?.value ?: ErrorCategory.OTHER
            1 -> ErrorCategory.SYNTAX
            else -> ErrorCategory.OTHER
        }
    }

    public companion object {
        private const val MYSQL_DEADLOCK = 1213
        private const val MYSQL_READ_ONLY_TXN = 1792
        private val MYSQL_CODES = mapOf(
            MYSQL_DEADLOCK to ErrorCategory.DEADLOCK,
            1205 to ErrorCategory.TIMEOUT,
            1317 to ErrorCategory.CANCELLED,
            1062 to ErrorCategory.UNIQUE,
            1048 to ErrorCategory.NOT_NULL,
            1451 to ErrorCategory.FOREIGN_KEY,
            1452 to ErrorCategory.FOREIGN_KEY,
            3819 to ErrorCategory.CHECK,
            4025 to ErrorCategory.CHECK,
        )
        private val MYSQL_READ_ONLY = setOf(1290, MYSQL_READ_ONLY_TXN, 1836)
        private const val PG_READ_ONLY = "25006"
        private val H2_CLOSED = setOf(90007, 90067, 90098, 90121)
        private const val SQLITE_BUSY = 5
        private const val SQLITE_LOCKED = 6
        private const val SQLITE_READ_ONLY = 8
        private const val SQLITE_INTERRUPT = 9
        private const val SQLITE_CONSTRAINT = 19
        private val SQLITE_CONSTRAINTS = mapOf(
            "UNIQUE" to ErrorCategory.UNIQUE,
            "PRIMARYKEY" to ErrorCategory.UNIQUE,
            "NOTNULL" to ErrorCategory.NOT_NULL,
            "FOREIGNKEY" to ErrorCategory.FOREIGN_KEY,
            "CHECK" to ErrorCategory.CHECK,
        )

        /** The dialect for what `DatabaseMetaData.getDatabaseProductName` says. */
        @JvmStatic
        public fun of(product: String): JdbcDialect = when {
            product.contains("PostgreSQL", ignoreCase = true) -> POSTGRESQL
            product.contains("MySQL", ignoreCase = true) || product.contains("MariaDB", ignoreCase = true) -> MYSQL
            product.equals("H2", ignoreCase = true) -> H2
            product.equals("SQLite", ignoreCase = true) -> SQLITE
            else -> OTHER
        }
    }
}

/** The server was demoted: the connection is alive, but not for writing any more. */
internal class DemotedException(cause: SQLException) :
    SQLException(cause.message, cause.sqlState, cause.errorCode, cause)

private val FOUR = setOf(
    Isolation.READ_UNCOMMITTED,
    Isolation.READ_COMMITTED,
    Isolation.REPEATABLE_READ,
    Isolation.SERIALIZABLE,
)
