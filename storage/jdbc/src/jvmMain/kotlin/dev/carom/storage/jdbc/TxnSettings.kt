package dev.carom.storage.jdbc

import dev.carom.storage.Isolation
import dev.carom.storage.TxnPolicy
import java.sql.Connection
import java.sql.SQLException

/** What a transaction asks for of its connection, and what that was before. */
internal class TxnSettings(private val dialect: JdbcDialect, private val connection: Connection) {
    private var isolationBefore: Int? = null
    private var readOnlyBefore: Boolean? = null

    /** Whether the transaction that is open was begun read-only. */
    @Volatile var readOnly: Boolean = false
        private set

    fun begin(policy: TxnPolicy) {
        readOnly = policy.readOnly == true
        if (dialect == JdbcDialect.POSTGRESQL) return beginByWords(policy)
        if (policy.isolation != Isolation.DEFAULT) {
            isolationBefore = connection.transactionIsolation
            connection.transactionIsolation = level(policy.isolation)
        }
        if (readOnly && dialect.readOnly) {
            readOnlyBefore = connection.isReadOnly
            connection.isReadOnly = true
        }
        connection.autoCommit = false
    }

    /** For this transaction alone, together with the begin: nothing has to be undone. JDBC's setters are for the session. */
    private fun beginByWords(policy: TxnPolicy) {
        connection.autoCommit = false
        val words = buildList {
            if (policy.isolation != Isolation.DEFAULT) add("isolation level ${policy.isolation.words}")
            when (policy.readOnly) {
                true -> add("read only")
                false -> add("read write")
                null -> Unit
            }
        }
        if (words.isEmpty()) return
        connection.createStatement().use { it.execute("set transaction ${words.joinToString()}") }
    }

    fun end() {
        readOnly = false
        connection.autoCommit = true
        isolationBefore?.let { connection.transactionIsolation = it }
        isolationBefore = null
        readOnlyBefore?.let { connection.isReadOnly = it }
        readOnlyBefore = null
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
