package dev.carom.storage.r2dbc

import dev.carom.storage.ErrorCategory
import dev.carom.storage.ErrorInfo
import dev.carom.storage.Isolation
import dev.carom.storage.SessionTxn
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlStates
import io.r2dbc.spi.R2dbcException
import io.r2dbc.spi.R2dbcNonTransientResourceException
import io.r2dbc.spi.R2dbcTimeoutException

/**
 * What differs between databases, and drivers, behind R2DBC. [of] tells by the name a driver gives its database; [OTHER]
 * keeps to the standard.
 *
 * What a driver cannot do, no adapter can:
 *
 * | | stops a statement on the server | what a cancelled one costs |
 * |-|-|-|
 * | r2dbc-postgresql | yes, by its cancel request | nothing |
 * | r2dbc-mariadb, others | no | [dev.carom.storage.StoragePolicy.cancelGrace], then its connection |
 * | r2dbc-h2 | no; it also blocks the thread that subscribes, for which there is a thread here | the same |
 *
 * No driver tells the columns of a result without rows: they are empty then.
 */
public enum class R2dbcDialect(
    /** The levels that mean something there. */
    public val isolations: Set<Isolation>,
    /** The platform's own complete reset; empty if it has none. */
    public val resetSql: String,
    /** Whether a transaction can be begun as read-only. */
    public val readOnly: Boolean,
    /** Whether the driver does its work on the thread that subscribes. */
    public val blocks: Boolean,
    /** Whether a level set for one transaction stays on the connection. */
    internal val keepsIsolation: Boolean,
) {
    POSTGRESQL(FOUR, POSTGRESQL_RESET, readOnly = true, blocks = false, keepsIsolation = false),
    MYSQL(FOUR, "", readOnly = true, blocks = false, keepsIsolation = false),
    H2(FOUR, "", readOnly = false, blocks = true, keepsIsolation = true),
    OTHER(FOUR, "", readOnly = false, blocks = false, keepsIsolation = true),
    ;

    /** The text as the driver wants it. */
    internal fun text(sql: Sql): String = when (this) {
        POSTGRESQL, H2 -> sql.textWith { "\$$it" }
        MYSQL, OTHER -> sql.textWith { "?" }
    }

    /** Asks a server whether it is a replica; empty if there are none. */
    internal val roleSql: String
        get() = when (this) {
            POSTGRESQL -> "select pg_is_in_recovery()"
            MYSQL -> "select @@global.read_only"
            H2, OTHER -> ""
        }

    /** What a null is bound as, of which nobody has said a type. */
    internal val nullType: Class<*> get() = if (this == POSTGRESQL) Any::class.java else String::class.java

    /** What is left of a transaction in which a statement failed. */
    internal fun txnAfter(failure: R2dbcException): SessionTxn = when (this) {
        POSTGRESQL -> SessionTxn.FAILED

        // The deadlock's victim is rolled back altogether.
        MYSQL -> if (failure.errorCode == MYSQL_DEADLOCK) SessionTxn.IDLE else SessionTxn.OPEN

        H2, OTHER -> SessionTxn.OPEN
    }

    internal fun classify(error: Throwable): ErrorInfo? = when (error) {
        is R2dbcCutOff -> ErrorInfo(ErrorCategory.CONNECTION, broken = true)

        is R2dbcException -> {
            val category = category(error)
            ErrorInfo(category, category == ErrorCategory.CONNECTION, error.errorCode, error.sqlState.orEmpty())
        }

        else -> null
    }

    private fun category(error: R2dbcException): ErrorCategory {
        val code = error.errorCode
        val known = when {
            this == MYSQL && code == MYSQL_DEADLOCK -> ErrorCategory.DEADLOCK
            this == MYSQL && code in MYSQL_READ_ONLY -> ErrorCategory.READ_ONLY
            this == MYSQL && code == MYSQL_INTERRUPTED -> ErrorCategory.CANCELLED
            this == H2 && code in H2_CLOSED -> ErrorCategory.CONNECTION
            else -> SqlStates.category(error.sqlState.orEmpty())
        }
        return when {
            known != ErrorCategory.OTHER -> known

            error is R2dbcTimeoutException -> ErrorCategory.TIMEOUT

            // Without a state it is not the server's: the connection is gone.
            error is R2dbcNonTransientResourceException && error.sqlState.isNullOrEmpty() -> ErrorCategory.CONNECTION

            else -> known
        }
    }

    public companion object {
        private const val MYSQL_DEADLOCK = 1213
        private const val MYSQL_INTERRUPTED = 1317
        private val MYSQL_READ_ONLY = setOf(1290, 1792, 1836)
        private val H2_CLOSED = setOf(90007, 90067, 90098, 90121)

        /** The dialect for what `ConnectionFactoryMetadata.getName` says. */
        @JvmStatic
        public fun of(product: String): R2dbcDialect = when {
            product.contains("PostgreSQL", ignoreCase = true) -> POSTGRESQL
            product.contains("MySQL", ignoreCase = true) || product.contains("MariaDB", ignoreCase = true) -> MYSQL
            product.equals("H2", ignoreCase = true) -> H2
            else -> OTHER
        }
    }
}

private val FOUR = setOf(
    Isolation.READ_UNCOMMITTED,
    Isolation.READ_COMMITTED,
    Isolation.REPEATABLE_READ,
    Isolation.SERIALIZABLE,
)

/** The connection was cut off while this ran on it. */
internal class R2dbcCutOff : RuntimeException("the connection was cut off")

/**
 * `DISCARD ALL`, but for the statements the driver itself has prepared: r2dbc-postgresql 1.1.1 does not come to terms with
 * the loss of one it reads in pages ("invalid message format").
 */
private const val POSTGRESQL_RESET =
    "close all; set session authorization default; reset all; unlisten *; select pg_advisory_unlock_all(); " +
        "discard plans; discard temp; discard sequences; " +
        "do \$\$ declare n text; begin " +
        "for n in select name from pg_prepared_statements where from_sql loop " +
        "execute 'deallocate ' || quote_ident(n); end loop; end \$\$"
