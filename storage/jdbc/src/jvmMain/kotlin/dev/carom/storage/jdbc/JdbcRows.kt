package dev.carom.storage.jdbc

import dev.carom.storage.sql.ColumnInfo
import dev.carom.storage.sql.Columns
import dev.carom.storage.sql.Nullability
import dev.carom.storage.sql.Row
import java.sql.Clob
import java.sql.ResultSet
import java.sql.ResultSetMetaData
import java.sql.SQLXML
import java.time.Instant
import java.time.OffsetDateTime
import java.time.ZoneOffset

internal fun columnsOf(result: ResultSet, dialect: JdbcDialect): Columns {
    val meta = result.metaData
    return Columns(
        (1..meta.columnCount).map { n ->
            // pgjdbc would ask the server's catalogue.
            val known = if (dialect == JdbcDialect.POSTGRESQL) null else meta.isNullable(n)
            val nullable = when (known) {
                ResultSetMetaData.columnNoNulls -> Nullability.NO
                ResultSetMetaData.columnNullable -> Nullability.YES
                else -> Nullability.UNKNOWN
            }
            ColumnInfo(meta.getColumnLabel(n), meta.getColumnTypeName(n), nullable)
        },
    )
}

internal fun rowOf(columns: Columns, result: ResultSet): Row =
    Row(columns, (1..columns.size).map { plain(result.getObject(it)) })

internal fun rowsOf(result: ResultSet, dialect: JdbcDialect): List<Row> {
    val columns = columnsOf(result, dialect)
    val rows = ArrayList<Row>()
    while (result.next()) rows += rowOf(columns, result)
    return rows
}

/** What JDBC drivers take for a value that not all of them know. */
internal fun JdbcDialect.bound(value: Any?): Any? = when {
    value is Enum<*> -> value.name
    value is Char -> value.toString()
    value is Instant && this != JdbcDialect.SQLITE -> OffsetDateTime.ofInstant(value, ZoneOffset.UTC)
    else -> value
}

/** A row outlives its connection: what is only a handle there is read now. An array becomes a list. */
private fun plain(value: Any?): Any? = when (value) {
    is java.sql.Array -> listOf(value.array)
    is SQLXML -> value.string
    is Clob -> value.getSubString(1, Math.toIntExact(minOf(value.length(), MAX_LOB)))
    is java.sql.Blob -> value.getBytes(1, Math.toIntExact(minOf(value.length(), MAX_LOB)))
    else -> value
}

private fun listOf(array: Any): List<Any?> = when (array) {
    is Array<*> -> array.map { if (it is Array<*>) listOf(it) else plain(it) }
    is IntArray -> array.asList()
    is LongArray -> array.asList()
    is DoubleArray -> array.asList()
    is FloatArray -> array.asList()
    is ShortArray -> array.asList()
    is BooleanArray -> array.asList()
    else -> throw java.sql.SQLException("an array of ${array.javaClass.componentType} is not known", "0A000")
}

/** Most of a large object that a row takes along, in bytes or characters. */
private const val MAX_LOB = 16L * 1024 * 1024
