package dev.carom.storage.sql

import dev.carom.storage.NestingTxn
import dev.carom.storage.OpOptions
import dev.carom.storage.StorageConn
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePool
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.toList

/** What one can do with a relational storage: the same on a pool, on a connection and in a transaction. */
public interface SqlOps {
    /** Runs a statement; returns when the server has told how many rows it affected. */
    public suspend fun exec(sql: Sql): SqlResult

    /** The first row, or null; the rest is dropped. */
    public suspend fun queryRow(sql: Sql): Row?

    /**
     * Opens a result. Returns when its columns are known. Whoever calls must [Rows.close] it; bound to the calling
     * coroutine unless [OpOptions.owned] is false. Prefer [stream].
     */
    public suspend fun query(sql: Sql): Rows

    /**
     * The rows of a query, at the collector's pace: [OpOptions.fetchSize] at once, and no more are held. Cold: each
     * collection is a query of its own. Closed on every exit, before the collector's exception goes on.
     */
    public fun stream(sql: Sql): Flow<Row>

    /** Runs one statement for each list of parameters; the counts, in order. */
    public suspend fun execBatch(text: String, batch: List<List<Any?>>, options: OpOptions): List<Long>
}

/** A transaction of a relational storage; others nest in it as savepoints. */
public interface SqlTxn :
    NestingTxn<SqlTxn>,
    SqlOps

/** A connection of a relational storage. */
public interface SqlConn :
    StorageConn<SqlTxn>,
    SqlOps

/** A pool of a relational storage. */
public interface SqlPool :
    StoragePool<SqlConn, SqlTxn>,
    SqlOps {
    /** The operations on the transaction in the caller's context, else on its connection, else on this pool. */
    public val nearest: SqlOps
}

/** An open result, read one row at a time. One reader at a time; [close] from anywhere. */
public interface Rows {
    /** The columns, also of an empty result. */
    public val columns: Columns

    /**
     * The current row: immutable, it stays as it is.
     * @throws IllegalStateException before the first [next] and after the last row.
     */
    public val row: Row

    public val isClosed: Boolean

    /**
     * Goes to the next row; false after the last one, and once closed. The last call closes.
     *
     * @throws StorageException.ConcurrentNext while another call has not returned.
     */
    public suspend fun next(): Boolean

    /** Drops what is left and lets the session go; returns when that is done. Calling again waits for the first call. */
    public suspend fun close()
}

/** [SqlOps.exec] with positional parameters. */
public suspend fun SqlOps.exec(text: String, vararg params: Any?): SqlResult = exec(Sql.of(text, params.asList()))

/** [SqlOps.queryRow] with positional parameters. */
public suspend fun SqlOps.queryRow(text: String, vararg params: Any?): Row? = queryRow(Sql.of(text, params.asList()))

/** [SqlOps.query] with positional parameters. */
public suspend fun SqlOps.query(text: String, vararg params: Any?): Rows = query(Sql.of(text, params.asList()))

/** [SqlOps.stream] with positional parameters. */
public fun SqlOps.stream(text: String, vararg params: Any?): Flow<Row> = stream(Sql.of(text, params.asList()))

/** All rows. They must fit into memory: [OpOptions.maxRows] bounds them. */
public suspend fun SqlOps.list(sql: Sql): List<Row> = stream(sql).toList()

/** [list] with positional parameters. */
public suspend fun SqlOps.list(text: String, vararg params: Any?): List<Row> = list(Sql.of(text, params.asList()))

/** The only row. @throws StorageException.BadRow if there is none, or another one. */
public suspend fun SqlOps.one(sql: Sql): Row {
    val options = sql.options
    val two = OpOptions(options.timeout, options.access, 2, 2, options.generatedKeys, options.owned, options.label)
    val rows = list(sql.with(two))
    return rows.singleOrNull()
        ?: throw StorageException.BadRow("${rows.size} rows where one was asked for: ${sql.text}")
}

/** [one] with positional parameters. */
public suspend fun SqlOps.one(text: String, vararg params: Any?): Row = one(Sql.of(text, params.asList()))

/** The only value of the only row. @throws StorageException.BadRow if there are more rows or columns, or none. */
public suspend fun SqlOps.scalar(text: String, vararg params: Any?): Any? {
    val row = one(Sql.of(text, params.asList()))
    if (row.size !=
        1
    ) {
        throw StorageException.BadRow("${row.size} columns where one was asked for: ${row.columns.names}")
    }
    return row[0]
}
