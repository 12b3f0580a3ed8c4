package dev.carom.storage.r2dbc.internal

import dev.carom.storage.sql.ColumnInfo
import dev.carom.storage.sql.Columns
import dev.carom.storage.sql.Nullability
import dev.carom.storage.sql.Row
import io.r2dbc.spi.Blob
import io.r2dbc.spi.Clob
import io.r2dbc.spi.Result
import io.r2dbc.spi.RowMetadata
import kotlinx.coroutines.CompletableDeferred
import org.reactivestreams.Subscriber
import org.reactivestreams.Subscription
import java.nio.ByteBuffer

/**
 * The rows of a statement, asked for in pages: never more than one page is on its way or here. Several results follow each
 * other; the columns are those of the first.
 */
internal class RowSubscriber : Subscriber<Result> {
    private val lock = Any()
    private val buffer = ArrayDeque<Row>()
    private var results: Subscription? = null
    private var rows: Subscription? = null

    /** Rows that are asked for and are not here yet, over all results. */
    private var missing = 0L
    private var lastResult = false
    private var ended = false
    private var failure: Throwable? = null
    private var wanted = 0
    private var page: CompletableDeferred<Unit>? = null

    @Volatile var columns: Columns = Columns(emptyList())
        private set

    val isEnded: Boolean get() = synchronized(lock) { ended }

    /** Asks until [count] rows are here, or the end is. What comes back is to be awaited. */
    fun want(count: Int): CompletableDeferred<Unit> {
        val ready = CompletableDeferred<Unit>()
        val ask = synchronized(lock) {
            wanted = count
            page = ready
            val more = (count - buffer.size - missing).coerceAtLeast(0)
            missing += more
            if (more > 0) rows to more else null
        }
        // Outside the lock: a driver may deliver, here and now.
        if (ask != null) ask.first?.request(ask.second)
        check()
        return ready
    }

    /** At most [count] of the rows that are here; then what went wrong, if something did. */
    fun take(count: Int): List<Row> = synchronized(lock) {
        if (buffer.isEmpty()) failure?.let { throw it }
        List(minOf(count, buffer.size)) { buffer.removeFirst() }
    }

    /** What went wrong before there was any row. */
    fun failureBeforeRows(): Throwable? = synchronized(lock) { if (buffer.isEmpty()) failure else null }

    /** Ends the waiting. */
    fun fail(cause: Throwable) {
        synchronized(lock) { end(cause) }
        check()
    }

    fun cancel() {
        val (inner, outer) = synchronized(lock) { rows to results }
        inner?.cancel()
        outer?.cancel()
    }

    override fun onSubscribe(subscription: Subscription) {
        synchronized(lock) { results = subscription }
        subscription.request(1)
    }

    override fun onNext(result: Result) {
        result.map { row, meta -> rowOf(row, meta) }.subscribe(Inner())
    }

    override fun onError(cause: Throwable) = fail(bare(cause))

    override fun onComplete() {
        synchronized(lock) { if (rows == null) end(null) else lastResult = true }
        check()
    }

    private fun end(cause: Throwable?) {
        if (ended) return
        ended = true
        failure = cause
        rows = null
    }

    private fun check() {
        val ready = synchronized(lock) {
            page?.takeIf { ended || buffer.size >= wanted }?.also { page = null }
        }
        ready?.complete(Unit)
    }

    private fun rowOf(row: io.r2dbc.spi.Row, meta: RowMetadata): Row {
        if (columns.size == 0) columns = columnsOf(meta)
        return Row(columns, columns.infos.mapIndexed { index, column -> plain(row, index, column) })
    }

    private inner class Inner : Subscriber<Row> {
        override fun onSubscribe(subscription: Subscription) {
            val ask = synchronized(lock) {
                rows = subscription
                missing
            }
            if (ask > 0) subscription.request(ask)
        }

        override fun onNext(row: Row) {
            synchronized(lock) {
                missing--
                buffer += row
            }
            check()
        }

        override fun onError(cause: Throwable) = fail(bare(cause))

        override fun onComplete() {
            val next = synchronized(lock) {
                rows = null
                if (lastResult) end(null)
                if (ended) null else results
            }
            next?.request(1)
            check()
        }
    }
}

internal fun columnsOf(meta: RowMetadata): Columns = Columns(
    meta.columnMetadatas.map { column ->
        val nullable = when (column.nullability) {
            io.r2dbc.spi.Nullability.NON_NULL -> Nullability.NO
            io.r2dbc.spi.Nullability.NULLABLE -> Nullability.YES
            io.r2dbc.spi.Nullability.UNKNOWN -> Nullability.UNKNOWN
        }
        ColumnInfo(column.name, column.type.name, nullable)
    },
)

/** A row outlives its connection: what is only a handle there, or a buffer of the driver's, is read now. */
internal fun plain(row: io.r2dbc.spi.Row, index: Int, column: ColumnInfo): Any? {
    if (column.typeName.startsWith("json", ignoreCase = true)) return row.get(index, String::class.java)
    val value: Any? = row.get(index)
    if (value is Clob) return row.get(index, String::class.java)
    if (value is Blob) return row.get(index, ByteArray::class.java)
    if (value !is ByteBuffer) return value
    val bytes = ByteArray(value.remaining())
    value.duplicate().get(bytes)
    return bytes
}
