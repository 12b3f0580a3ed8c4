package dev.carom.storage.internal

import dev.carom.storage.OpOptions
import dev.carom.storage.StorageDriver
import dev.carom.storage.StorageKind
import dev.carom.storage.keyvalue.BlockingKeyValueDriver
import dev.carom.storage.keyvalue.KeyCondition
import dev.carom.storage.keyvalue.KeyValueDriver
import dev.carom.storage.keyvalue.ScanPage
import dev.carom.storage.split.BlockingReplication
import dev.carom.storage.split.Replication
import dev.carom.storage.split.WriteToken
import dev.carom.storage.sql.BlockingSqlCursor
import dev.carom.storage.sql.BlockingSqlDriver
import dev.carom.storage.sql.Columns
import dev.carom.storage.sql.PushedRows
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlCursor
import dev.carom.storage.sql.SqlDriver
import dev.carom.storage.sql.SqlResult
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withContext

internal class BlockingSqlAdapter<S : Any> private constructor(
    private val blocking: BlockingSqlDriver<S>,
    private val base: BlockingDriverAdapter<S>,
) : SqlDriver<S>,
    StorageDriver<S> by base {
    constructor(blocking: BlockingSqlDriver<S>) : this(blocking, BlockingDriverAdapter(blocking))

    override val kind: StorageKind get() = blocking.kind()

    override suspend fun exec(session: S, sql: Sql): SqlResult = base.on { blocking.exec(session, sql) }

    override suspend fun execBatch(session: S, text: String, batch: List<List<Any?>>, options: OpOptions): List<Long> =
        base.on { blocking.execBatch(session, text, batch, options) }

    override suspend fun open(session: S, sql: Sql): SqlCursor {
        val cursor = base.on { blocking.open(session, sql) }
        return object : SqlCursor {
            override val columns: Columns get() = cursor.columns()

            override suspend fun fetch(max: Int): List<Row> = base.on { cursor.fetch(max) }

            override suspend fun close(): Unit = base.on { cursor.close() }
        }
    }
}

internal class BlockingKeyValueAdapter<S : Any> private constructor(
    private val blocking: BlockingKeyValueDriver<S>,
    private val base: BlockingDriverAdapter<S>,
) : KeyValueDriver<S>,
    StorageDriver<S> by base {
    constructor(blocking: BlockingKeyValueDriver<S>) : this(blocking, BlockingDriverAdapter(blocking))

    override val kind: StorageKind get() = blocking.kind()

    override suspend fun getAll(session: S, keys: Collection<String>): Map<String, String> =
        base.on { blocking.getAll(session, keys) }

    override suspend fun set(session: S, key: String, value: String, ttlMillis: Long, onlyIf: KeyCondition): Boolean =
        base.on { blocking.set(session, key, value, ttlMillis, onlyIf) }

    override suspend fun compareAndSet(session: S, key: String, expected: String?, value: String): Boolean =
        base.on { blocking.compareAndSet(session, key, expected, value) }

    override suspend fun delete(session: S, key: String): Boolean = base.on { blocking.delete(session, key) }

    override suspend fun expire(session: S, key: String, ttlMillis: Long): Boolean =
        base.on { blocking.expire(session, key, ttlMillis) }

    override suspend fun increment(session: S, key: String, by: Long): Long =
        base.on { blocking.increment(session, key, by) }

    override suspend fun scan(session: S, prefix: String, cursor: Any?): ScanPage =
        base.on { blocking.scan(session, prefix, cursor) }
}

/** Replicas that are asked by calls that block. A session that is interrupted is destroyed; the primary's never is. */
internal class BlockingReplicationAdapter<S : Any>(private val blocking: BlockingReplication<S>) : Replication<S> {
    override suspend fun token(session: S): WriteToken =
        withContext(NonCancellable) { withContext(Dispatchers.IO) { blocking.token(session) } }

    override suspend fun hasReached(session: S, token: WriteToken): Boolean =
        runInterruptible(Dispatchers.IO) { blocking.hasReached(session, token) }

    override fun covers(later: WriteToken, earlier: WriteToken): Boolean = blocking.covers(later, earlier)

    override suspend fun lagMillis(session: S): Long =
        runInterruptible(Dispatchers.IO) { blocking.lagMillis(session) }
}

/** Pushed rows, for an adapter whose calls block: the thread that reads waits for the one that pushes. */
internal class BlockingPushedCursor private constructor(rows: PushedRows) : BlockingSqlCursor {
    private val cursor = rows.asCursor()

    override fun columns(): Columns = cursor.columns

    override fun fetch(max: Int): List<Row> = call("rows") { cursor.fetch(max) }

    override fun close(): Unit = run("rows") { cursor.close() }

    companion object {
        @JvmStatic
        fun of(rows: PushedRows): BlockingSqlCursor {
            run("rows") { rows.ready() }
            return BlockingPushedCursor(rows)
        }
    }
}
