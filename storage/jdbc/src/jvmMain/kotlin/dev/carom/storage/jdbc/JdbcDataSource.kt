package dev.carom.storage.jdbc

import dev.carom.storage.ConnCore
import dev.carom.storage.PoolCore
import dev.carom.storage.StorageException
import kotlinx.coroutines.runBlocking
import java.io.PrintWriter
import java.sql.Connection
import java.sql.SQLException
import java.sql.SQLFeatureNotSupportedException
import java.sql.SQLTransientConnectionException
import java.util.logging.Logger
import javax.sql.DataSource

/** See [JdbcPool.dataSource]. */
internal class JdbcDataSource(private val pool: PoolCore<JdbcSession>) : DataSource {
    override fun getConnection(): Connection = LentConnection.of(take())

    private fun take(): ConnCore<JdbcSession> {
        var taken: ConnCore<JdbcSession>? = null
        try {
            return runBlocking { pool.conn().also { taken = it } }
        } catch (e: StorageException) {
            throw SQLTransientConnectionException(e.message, "08001", e)
        } catch (e: InterruptedException) {
            taken?.let { late -> runBlocking { late.close() } }
            Thread.currentThread().interrupt()
            throw SQLTransientConnectionException("interrupted while waiting for a connection", "08001", e)
        }
    }

    override fun getConnection(username: String?, password: String?): Connection =
        throw SQLFeatureNotSupportedException("the pool has its own users: call getConnection()")

    override fun getLogWriter(): PrintWriter? = null

    override fun setLogWriter(out: PrintWriter?) = throw SQLFeatureNotSupportedException("no log writer")

    override fun setLoginTimeout(seconds: Int) = throw SQLFeatureNotSupportedException(
        "set acquireTimeout in StoragePolicy",
    )

    override fun getLoginTimeout(): Int = 0

    override fun getParentLogger(): Logger = throw SQLFeatureNotSupportedException("no logger")

    override fun <T> unwrap(type: Class<T>): T =
        if (type.isInstance(this)) type.cast(this) else throw SQLException("not a wrapper for $type")

    override fun isWrapperFor(type: Class<*>): Boolean = type.isInstance(this)

    override fun toString(): String = "data source of ${pool.name}"
}
