package dev.carom.storage.jdbc

import dev.carom.storage.SessionTxn
import org.mariadb.jdbc.util.constants.ServerStatus
import org.postgresql.PGConnection
import org.postgresql.core.BaseConnection
import org.postgresql.core.TransactionState
import java.sql.Connection
import java.sql.SQLException
import java.sql.Statement

/** What a driver can do beyond JDBC. */
internal interface SessionAid {
    /** Where the server stood at the end of the last call, without asking it; null if that is not known. */
    val txn: SessionTxn?

    /** Whether [reset] does anything. */
    val resets: Boolean get() = false

    /** Stops what runs on the server, [running] if that is known. May be called again and again. */
    fun cancel(running: Statement?, again: Boolean) {
        running?.cancel()
    }

    /** The driver's own complete reset. */
    fun reset() {}
}

/** The standard only. */
private object NoAid : SessionAid {
    override val txn: SessionTxn? get() = null
}

/** Loaded only where pgjdbc is there. */
private class PostgresAid(private val connection: BaseConnection) : SessionAid {
    override val txn: SessionTxn
        get() = when (connection.transactionState) {
            TransactionState.OPEN -> SessionTxn.OPEN
            TransactionState.FAILED -> SessionTxn.FAILED
            TransactionState.IDLE, null -> SessionTxn.IDLE
        }

    override fun cancel(running: Statement?, again: Boolean) {
        // The first one guards itself against coming too late, but works once: a request that came before the server had
        // begun is lost.
        if (!again) running?.cancel() else (connection as PGConnection).cancelQuery()
    }
}

/** Loaded only where the driver of MariaDB is there. */
private class MariaAid(private val connection: org.mariadb.jdbc.Connection) : SessionAid {
    override val txn: SessionTxn
        get() = if (connection.context.serverStatus and ServerStatus.IN_TRANSACTION.toInt() == 0) {
            SessionTxn.IDLE
        } else {
            SessionTxn.OPEN
        }

    override val resets: Boolean get() = true

    override fun reset(): Unit = connection.reset()
}

/** The best there is for [connection]. */
internal fun aidFor(dialect: JdbcDialect, connection: Connection): SessionAid = try {
    when {
        dialect == JdbcDialect.POSTGRESQL && pgjdbc && connection.isWrapperFor(PGConnection::class.java) ->
            PostgresAid(connection.unwrap(PGConnection::class.java) as BaseConnection)

        dialect == JdbcDialect.MYSQL && mariadb && connection.isWrapperFor(org.mariadb.jdbc.Connection::class.java) ->
            MariaAid(connection.unwrap(org.mariadb.jdbc.Connection::class.java))

        else -> NoAid
    }
} catch (_: SQLException) {
    NoAid
}

private val pgjdbc: Boolean = isThere("org.postgresql.core.BaseConnection")
private val mariadb: Boolean = isThere("org.mariadb.jdbc.client.Context")

private fun isThere(type: String): Boolean = try {
    Class.forName(type, false, SessionAid::class.java.classLoader)
    true
} catch (_: ClassNotFoundException) {
    false
}
