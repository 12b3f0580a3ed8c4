package dev.carom.storage.jdbc

import dev.carom.storage.ConnCore
import dev.carom.storage.PoolCore
import dev.carom.storage.StorageException
import kotlinx.coroutines.runBlocking
import java.io.PrintWriter
import java.lang.reflect.InvocationHandler
import java.lang.reflect.InvocationTargetException
import java.lang.reflect.Method
import java.lang.reflect.Proxy
import java.sql.Connection
import java.sql.SQLException
import java.sql.SQLFeatureNotSupportedException
import java.sql.SQLTransientConnectionException
import java.util.concurrent.atomic.AtomicBoolean
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

/** A connection on loan: `close` gives it back as it was; a session that is lost is told to the pool. */
private class LentConnection(private val conn: ConnCore<JdbcSession>, private val session: JdbcSession) :
    InvocationHandler {
    private val real = session.connection
    private val ended = AtomicBoolean(false)
    private val changed = HashMap<String, () -> Unit>()

    override fun invoke(proxy: Any, method: Method, args: Array<out Any?>?): Any? = when (method.name) {
        "close" -> close()

        "isClosed" -> ended.get() || real.isClosed

        "equals" -> proxy === args?.get(0)

        "hashCode" -> System.identityHashCode(proxy)

        "toString" -> "connection of $conn"

        "abort" -> abort(IllegalStateException("aborted by its user"))

        else -> {
            if (ended.get()) throw SQLException("the connection is closed", "08003")
            remember(method.name)
            pass(method, args)
        }
    }

    private fun pass(method: Method, args: Array<out Any?>?): Any? = try {
        method.invoke(real, *args.orEmpty())
    } catch (e: InvocationTargetException) {
        val cause = e.targetException
        if (cause is SQLException && session.dialect.classify(cause).broken) conn.markBroken(cause)
        throw cause
    }

    /** The first change of a setting notes what it was. */
    private fun remember(setter: String) {
        if (setter in changed) return
        changed[setter] = when (setter) {
            "setAutoCommit" -> real.autoCommit.let { was -> { real.autoCommit = was } }
            "setTransactionIsolation" -> real.transactionIsolation.let { was -> { real.transactionIsolation = was } }
            "setReadOnly" -> real.isReadOnly.let { was -> { real.isReadOnly = was } }
            "setCatalog" -> real.catalog.let { was -> { real.catalog = was } }
            "setSchema" -> real.schema.let { was -> { real.schema = was } }
            "setNetworkTimeout" -> real.networkTimeout.let { was -> { real.setNetworkTimeout(Runnable::run, was) } }
            else -> return
        }
    }

    private fun close() {
        if (!ended.compareAndSet(false, true)) return
        try {
            if (!real.autoCommit) real.rollback()
            changed.values.forEach { it() }
            real.clearWarnings()
        } catch (e: SQLException) {
            conn.markBroken(e)
        }
        giveBack()
    }

    private fun abort(cause: Throwable) {
        if (!ended.compareAndSet(false, true)) return
        conn.markBroken(cause)
        giveBack()
    }

    /** Also when the thread is interrupted: what is over must come back. */
    private fun giveBack() {
        val interrupted = Thread.interrupted()
        try {
            runBlocking { conn.close() }
        } finally {
            if (interrupted) Thread.currentThread().interrupt()
        }
    }

    companion object {
        fun of(conn: ConnCore<JdbcSession>): Connection {
            val session = runBlocking { conn.use { it.also { session -> session.used = true } } }
            val handler = LentConnection(conn, session)
            return Proxy.newProxyInstance(Connection::class.java.classLoader, arrayOf(Connection::class.java), handler)
                as Connection
        }
    }
}
