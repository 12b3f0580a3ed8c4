package dev.carom.storage.jdbc

import dev.carom.storage.ConnCore
import kotlinx.coroutines.runBlocking
import java.lang.reflect.InvocationHandler
import java.lang.reflect.InvocationTargetException
import java.lang.reflect.Method
import java.lang.reflect.Proxy
import java.sql.CallableStatement
import java.sql.Connection
import java.sql.DatabaseMetaData
import java.sql.PreparedStatement
import java.sql.SQLException
import java.sql.Statement
import java.util.concurrent.atomic.AtomicBoolean

/** A connection on loan: `close` gives it back as it was; a session that is lost is told to the pool. */
internal class LentConnection private constructor(
    private val conn: ConnCore<JdbcSession>,
    private val session: JdbcSession,
) : InvocationHandler {
    private val real = session.connection
    private val ended = AtomicBoolean(false)
    private val changed = HashMap<String, () -> Unit>()
    private val open = HashSet<Statement>()
    private val face = face(Connection::class.java, this)

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
            lent(pass(real, method, args))
        }
    }

    /** What leads back to the connection leads to this one. */
    private fun lent(result: Any?): Any? = when (result) {
        is CallableStatement -> statement(CallableStatement::class.java, result)
        is PreparedStatement -> statement(PreparedStatement::class.java, result)
        is Statement -> statement(Statement::class.java, result)
        is DatabaseMetaData -> face(DatabaseMetaData::class.java, LentPart(result) {})
        else -> result
    }

    private fun <T : Statement> statement(type: Class<T>, real: T): T {
        synchronized(open) { open += real }
        return face(type, LentPart(real) { synchronized(open) { open -= real } })
    }

    /** A statement, or what is known about the database. */
    private inner class LentPart(private val part: Any, private val closed: () -> Unit) : InvocationHandler {
        override fun invoke(proxy: Any, method: Method, args: Array<out Any?>?): Any? = when (method.name) {
            "getConnection" -> face

            "equals" -> proxy === args?.get(0)

            "hashCode" -> System.identityHashCode(proxy)

            else -> {
                if (method.name == "close") closed()
                pass(part, method, args)
            }
        }
    }

    private fun pass(target: Any, method: Method, args: Array<out Any?>?): Any? = try {
        method.invoke(target, *args.orEmpty())
    } catch (e: InvocationTargetException) {
        val cause = e.targetException
        if (cause is SQLException) judge(cause)
        throw cause
    }

    private fun judge(failure: SQLException) {
        when {
            session.dialect.isDemotion(failure, readOnly = "setReadOnly" in changed && real.isReadOnly) ->
                conn.markBroken(DemotedException(failure))

            session.dialect.classify(failure).broken -> conn.markBroken(failure)
        }
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
            "setHoldability" -> real.holdability.let { was -> { real.holdability = was } }
            "setTypeMap" -> real.typeMap.let { was -> { real.typeMap = was } }
            "setNetworkTimeout" -> real.networkTimeout.let { was -> { real.setNetworkTimeout(Runnable::run, was) } }
            else -> return
        }
    }

    private fun close() {
        if (!ended.compareAndSet(false, true)) return
        try {
            if (real.isClosed) throw SQLException("the connection was lost", "08006")
            synchronized(open) { open.toList().also { open.clear() } }.forEach { it.close() }
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
        var interrupted = Thread.interrupted()
        try {
            runBlocking { conn.close() }
        } catch (_: InterruptedException) {
            // While it waited for the end, which comes all the same.
            interrupted = true
        } finally {
            if (interrupted) Thread.currentThread().interrupt()
        }
    }

    companion object {
        fun of(conn: ConnCore<JdbcSession>): Connection {
            val session = runBlocking { conn.use { it.also { session -> session.used = true } } }
            return LentConnection(conn, session).face
        }

        private fun <T : Any> face(type: Class<T>, handler: InvocationHandler): T =
            type.cast(Proxy.newProxyInstance(LentConnection::class.java.classLoader, arrayOf(type), handler))
    }
}
