package dev.carom.storage.r2dbc

import dev.carom.storage.Isolation
import dev.carom.storage.SessionTxn
import dev.carom.storage.TxnPolicy
import dev.carom.storage.r2dbc.internal.Collected
import io.r2dbc.spi.Connection
import io.r2dbc.spi.IsolationLevel
import io.r2dbc.spi.Option
import io.r2dbc.spi.R2dbcException
import io.r2dbc.spi.TransactionDefinition
import io.r2dbc.spi.Wrapped
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import org.reactivestreams.Publisher
import kotlin.coroutines.EmptyCoroutineContext

/**
 * One connection of a [R2dbcDriver], and what this library knows about it.
 *
 * @property connection the driver's own. Whoever leaves an answer on it half read makes it useless.
 */
public class R2dbcSession internal constructor(
    public val connection: Connection,
    internal val dialect: R2dbcDialect,
    worker: CoroutineDispatcher?,
) {
    private val worker = worker ?: EmptyCoroutineContext
    private val cancelRequest = cancelOf(connection)
    private var isolationBefore: IsolationLevel? = null

    @Volatile internal var txn: SessionTxn = SessionTxn.IDLE
        private set

    /** Whether anything ran since the last complete reset. */
    @Volatile internal var used: Boolean = false

    @Volatile private var running: ((Throwable) -> Unit)? = null

    /**
     * Runs one call that [stop] ends if the connection is cut off. Goes on to its end whatever happens to the caller: what
     * stops it is a cancel request. Two contexts, for one that both shields and changes threads would lose the result.
     */
    internal suspend fun <R> fly(stop: (Throwable) -> Unit, block: suspend () -> R): R {
        used = true
        running = stop
        try {
            return withContext(NonCancellable) { withContext(worker) { block() } }
        } catch (failure: R2dbcException) {
            if (txn == SessionTxn.OPEN) txn = dialect.txnAfter(failure)
            throw failure
        } finally {
            running = null
        }
    }

    /** Everything that [publisher] gives. */
    internal suspend fun <T : Any> all(publisher: () -> Publisher<out T>): List<T> {
        val collected = Collected<T>()
        return fly(collected::fail) {
            publisher().subscribe(collected)
            collected.await()
        }
    }

    internal val canCancel: Boolean get() = cancelRequest != null

    internal suspend fun cancel() {
        if (running == null) return
        val request = cancelRequest ?: return
        val collected = Collected<Any>()
        request(connection).subscribe(collected)
        collected.await()
    }

    internal fun abort() {
        running?.invoke(R2dbcCutOff())
        connection.close().subscribe(Collected<Void>())
    }

    internal suspend fun begin(policy: TxnPolicy) {
        val level = levelOf(policy.isolation)
        if (level != null && dialect.keepsIsolation) isolationBefore = connection.transactionIsolationLevel
        val definition = Definition(level, true.takeIf { policy.readOnly == true && dialect.readOnly })
        all { if (definition.isPlain) connection.beginTransaction() else connection.beginTransaction(definition) }
        txn = SessionTxn.OPEN
    }

    internal suspend fun commit() {
        all { connection.commitTransaction() }
        ended()
    }

    internal suspend fun rollback() {
        all { connection.rollbackTransaction() }
        ended()
    }

    private suspend fun ended() {
        txn = SessionTxn.IDLE
        isolationBefore?.let { before -> all { connection.setTransactionIsolationLevel(before) } }
        isolationBefore = null
    }

    internal suspend fun restore(name: String) {
        all { connection.rollbackTransactionToSavepoint(name) }
        txn = SessionTxn.OPEN
        all { connection.releaseSavepoint(name) }
    }

    private fun levelOf(isolation: Isolation): IsolationLevel? = when (isolation) {
        Isolation.DEFAULT -> null
        else -> IsolationLevel.valueOf(isolation.words)
    }

    private class Definition(private val level: IsolationLevel?, private val readOnly: Boolean?) :
        TransactionDefinition {
        val isPlain: Boolean get() = level == null && readOnly == null

        @Suppress("UNCHECKED_CAST")
        override fun <T : Any?> getAttribute(option: Option<T>): T? = when (option) {
            TransactionDefinition.ISOLATION_LEVEL -> level as T?
            TransactionDefinition.READ_ONLY -> readOnly as T?
            else -> null
        }
    }

    private companion object {
        /** The driver's cancel request, if it has one: R2DBC itself has no words for that. */
        fun cancelOf(connection: Connection): ((Connection) -> Publisher<*>)? {
            val real = generateSequence<Any>(connection) { (it as? Wrapped<*>)?.unwrap() }.last()
            val type = interfacesOf(real.javaClass).firstOrNull { it.name == POSTGRESQL } ?: return null
            val method = type.getMethod("cancelRequest")
            return { method.invoke(real) as Publisher<*> }
        }

        private fun interfacesOf(type: Class<*>?): Sequence<Class<*>> =
            generateSequence(type) { it.superclass }.flatMap { it.interfaces.asSequence() }

        const val POSTGRESQL = "io.r2dbc.postgresql.api.PostgresqlConnection"
    }
}
