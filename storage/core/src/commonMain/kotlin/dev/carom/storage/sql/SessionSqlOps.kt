package dev.carom.storage.sql

import dev.carom.storage.OpOptions
import dev.carom.storage.SessionHold
import dev.carom.storage.Sessions
import dev.carom.storage.StorageException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicBoolean
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/** The operations, once for all handles. */
internal class SessionSqlOps<S : Any>(private val on: Sessions<S>, private val driver: SqlDriver<S>) : SqlOps {
    override suspend fun exec(sql: Sql): SqlResult = on.use(sql.options.access(sql.access)) { driver.exec(it, sql) }

    override suspend fun execBatch(text: String, batch: List<List<Any?>>, options: OpOptions): List<Long> {
        // Each list is checked against the text before anything is sent.
        val sql = batch.map { Sql.of(text, it) }.firstOrNull() ?: return emptyList()
        val access = if (sql.access == dev.carom.storage.Access.UNKNOWN) options.access else sql.access
        return on.use(options.access(access)) { driver.execBatch(it, text, batch, options) }
    }

    override suspend fun queryRow(sql: Sql): Row? =
        on.use(sql.options.access(sql.access)) { session -> driver.first(session, sql) }

    override suspend fun query(sql: Sql): Rows = open(sql)

    private suspend fun open(sql: Sql): HeldRows<S> {
        val hold = on.hold(sql.options.access(sql.access))
        try {
            val cursor = hold.call { session ->
                driver.open(session, sql).also { opened -> hold.onEnd { opened.close() } }
            }
            return HeldRows(hold, cursor, sql.options)
        } catch (failure: Throwable) {
            withContext(NonCancellable) { hold.end() }
            throw failure
        }
    }

    override fun stream(sql: Sql): Flow<Row> = flow {
        val rows = open(sql)
        try {
            while (rows.next()) emit(rows.row)
        } finally {
            withContext(NonCancellable) { rows.close() }
        }
    }
}

@OptIn(ExperimentalAtomicApi::class)
private class HeldRows<S : Any>(
    private val hold: SessionHold<S>,
    private val cursor: SqlCursor,
    private val options: OpOptions,
) : Rows {
    private val reading = AtomicBoolean(false)
    private var page: List<Row> = emptyList()
    private var at = -1
    private var delivered = 0L
    private var last = false

    @Volatile private var current: Row? = null

    override val columns: Columns get() = cursor.columns
    override val row: Row get() = checkNotNull(current) { "no row: call next first, and only while it returns true" }
    override val isClosed: Boolean get() = hold.isEnded

    override suspend fun next(): Boolean {
        if (!reading.compareAndSet(false, true)) {
            throw StorageException.ConcurrentNext("rows", "next was called while another call of it had not returned")
        }
        try {
            return advance()
        } finally {
            reading.store(false)
        }
    }

    private suspend fun advance(): Boolean {
        current = null
        if (hold.isEnded) return false
        if (options.maxRows in 1..delivered) return finish()
        if (++at >= page.size) {
            if (last || !fetch()) return finish()
            at = 0
        }
        delivered++
        current = page[at]
        return true
    }

    private suspend fun fetch(): Boolean {
        val wanted = if (options.maxRows > 0) minOf(options.maxRows - delivered, options.fetchSize.toLong()) else null
        val max = wanted?.toInt() ?: options.fetchSize
        try {
            page = hold.call { cursor.fetch(max) }
        } catch (failure: Throwable) {
            // Closed by somebody else while it waited: that is an end, not a failure.
            val ended = hold.isEnded && failure is StorageException && failure !is StorageException.Platform
            withContext(NonCancellable) { hold.end() }
            if (ended) return false
            throw failure
        }
        last = page.size < max
        return page.isNotEmpty()
    }

    private suspend fun finish(): Boolean {
        withContext(NonCancellable) { hold.end() }
        return false
    }

    override suspend fun close() {
        // First the end, which waits for the call that may be under way.
        withContext(NonCancellable) { hold.end() }
    }

    override fun toString(): String = "rows(${columns.names.joinToString()})" + if (isClosed) ", closed" else ""
}
