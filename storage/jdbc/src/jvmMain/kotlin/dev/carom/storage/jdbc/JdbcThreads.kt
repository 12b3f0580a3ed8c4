package dev.carom.storage.jdbc

import dev.carom.storage.CallThreads
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.async
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.sql.SQLException
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration

/**
 * Threads for what blocks: as many as there can be connections, since a connection is claimed before a thread is asked for;
 * as many for opening, as many for cancelling, and as many for closing and cutting off: what works must not wait for a
 * server that says nothing to a new connection, nor the end of a connection for a cancel request that hangs. Virtual ones
 * where they do not pin their carriers (JDK 24), if the driver waits in a socket: a statement that computes in this process
 * keeps its carrier for as long as it runs, and with all of them kept there would be none to stop it on.
 */
internal class JdbcThreads(connections: Int, dialect: JdbcDialect) {
    private val threads = virtual?.takeIf { dialect.waitsInSocket } ?: Dispatchers.IO

    // With all of them at work, one that ends a call takes up what it has just started by giving its session back.
    val workers: CoroutineDispatcher = threads.limitedParallelism(connections, "carom-jdbc")
    private val openers = threads.limitedParallelism(connections, "carom-jdbc-open")
    private val controllers = threads.limitedParallelism(connections, "carom-jdbc-control")
    private val enders = threads.limitedParallelism(connections, "carom-jdbc-end")

    /**
     * Goes on to its end whatever happens to the caller: what stops it is a cancel request. Two contexts, for one that both
     * shields and changes threads would lose the result.
     */
    suspend fun <T> work(block: () -> T): T = withContext(NonCancellable) { withContext(workers) { block() } }

    suspend fun <T> control(block: () -> T): T = withContext(NonCancellable) { withContext(controllers) { block() } }

    suspend fun end(block: () -> Unit): Unit = withContext(NonCancellable) { withContext(enders) { block() } }

    /**
     * For what a driver may never come back from, if a server that has accepted it says no more. Who is cancelled waits for
     * it for [patience] longer: most come back, and are dealt with as ever. After that it is left alone, or never begun; if
     * it has a result in the end, [late] gets it.
     */
    suspend fun <T> open(patience: Duration, late: (T) -> Unit, block: () -> T): T =
        leavable(openers, patience, late, block)

    /** Likewise, of a session that its caller cuts off then: the thread comes back. */
    suspend fun <T> ask(patience: Duration, block: () -> T): T = leavable(workers, patience, {}, block)

    @OptIn(ExperimentalCoroutinesApi::class)
    private suspend fun <T> leavable(
        on: CoroutineDispatcher,
        patience: Duration,
        late: (T) -> Unit,
        block: () -> T,
    ): T {
        val left = AtomicBoolean()
        val opening = CoroutineScope(currentCoroutineContext().minusKey(Job) + on).async {
            // It waited behind others that hang, until nobody wanted it any more.
            if (left.get()) throw CancellationException("its caller has left")
            block()
        }
        try {
            return opening.await()
        } catch (e: CancellationException) {
            withContext(NonCancellable) { withTimeoutOrNull(patience) { opening.join() } }
            if (opening.isCompleted) return opening.getCompleted()
            left.set(true)
            opening.invokeOnCompletion { failure -> if (failure == null) late(opening.getCompleted()) }
            throw e
        }
    }

    /** Not waited for. */
    fun dismiss(session: JdbcSession) {
        enders.asExecutor().execute {
            try {
                session.connection.close()
            } catch (_: SQLException) {
                // Nobody has it: there is nobody to tell.
            }
        }
    }

    fun abort(session: JdbcSession) {
        session.cut()
        enders.asExecutor().execute {
            try {
                // All on this thread: what it handed on could come to wait behind the closing, which may wait for it.
                session.connection.abort(Runnable::run)
            } catch (_: SQLException) {
                // It is being thrown away: there is nobody to tell.
            } finally {
                session.gone()
            }
        }
    }

    private companion object {
        const val UNPINNED_JDK = 24

        val virtual: CoroutineDispatcher? =
            if (Runtime.version().feature() >= UNPINNED_JDK) {
                val create = Executors::class.java.getMethod("newVirtualThreadPerTaskExecutor")
                (create.invoke(null) as Executor).asCoroutineDispatcher()
            } else {
                null
            }
    }
}

/** Where the calls of one driver block: on a thread of [pool], or where they are already. */
internal class JdbcCalls(private val pool: JdbcThreads, dialect: JdbcDialect) {
    val threads = CallThreads(pool.workers, callersToo = dialect.bearsInterrupts)

    suspend fun <T> work(block: () -> T): T = if (threads.areHere()) block() else pool.work(block)
}
