package dev.carom.storage.memory

import dev.carom.storage.ErrorCategory
import dev.carom.storage.sql.ColumnInfo
import dev.carom.storage.sql.Nullability

internal class TableColumn(val name: String, val type: String, val key: Boolean, val notNull: Boolean) {
    fun info() = ColumnInfo(name, type, if (key || notNull) Nullability.NO else Nullability.YES)
}

/** A table at one moment; its identity is its version. */
internal class Table(val columns: List<TableColumn>, val rows: List<List<Any?>>) {
    fun indexOf(name: String): Int = columns.indexOfFirst { it.name.equals(name, ignoreCase = true) }
        .also {
            if (it <
                0
            ) {
                throw MemoryError(ErrorCategory.SYNTAX, "no column $name among ${columns.map { c -> c.name }}")
            }
        }

    /** The same table with other rows, if its constraints allow them. */
    fun with(rows: List<List<Any?>>): Table {
        columns.forEachIndexed { index, column ->
            if ((column.key || column.notNull) && rows.any { it[index] == null }) {
                throw MemoryError(ErrorCategory.NOT_NULL, "column ${column.name} must not be null")
            }
            if (column.key && rows.mapTo(HashSet()) { it[index] }.size < rows.size) {
                throw MemoryError(ErrorCategory.UNIQUE, "two rows have the same ${column.name}")
            }
        }
        return Table(columns, rows)
    }
}

internal class Answer(
    val affected: Long,
    val columns: List<ColumnInfo> = emptyList(),
    val rows: List<List<Any?>> = emptyList(),
)

/** What an expression is evaluated with. */
internal class Scope(val params: List<Any?>, val table: Table?, val row: List<Any?>?)

internal sealed interface Expr {
    fun eval(scope: Scope): Any?

    class Value(val value: Any?) : Expr {
        override fun eval(scope: Scope): Any? = value
    }

    class Param(val index: Int) : Expr {
        override fun eval(scope: Scope): Any? = normal(scope.params[index])
    }

    class Column(val name: String) : Expr {
        override fun eval(scope: Scope): Any? {
            val table = scope.table ?: throw MemoryError(ErrorCategory.SYNTAX, "no table for column $name")
            val index = table.indexOf(name)
            return scope.row?.get(index)
        }
    }

    /** Null where a part is null, as in SQL. */
    class Binary(val left: Expr, val right: Expr, val apply: (Any, Any) -> Any?) : Expr {
        override fun eval(scope: Scope): Any? {
            val a = left.eval(scope) ?: return null
            return apply(a, right.eval(scope) ?: return null)
        }
    }

    class Logic(val apply: (Scope) -> Boolean?) : Expr {
        override fun eval(scope: Scope): Any? = apply(scope)
    }

    companion object {
        fun normal(value: Any?): Any? = when (value) {
            is Int, is Short, is Byte -> (value as Number).toLong()
            is Float -> value.toDouble()
            else -> value
        }
    }
}

/** What a select makes. */
internal class Item(val name: String, val type: String, val aggregate: String?, val expr: Expr)

internal sealed class Statement {
    open fun sleepMillis(params: List<Any?>): Long? = null

    abstract fun run(data: VersionedSession<Table>, params: List<Any?>): Answer

    protected fun table(name: String, table: Table?): Table =
        table ?: throw MemoryError(ErrorCategory.SYNTAX, "no table $name")

    protected fun matches(where: Expr?, scope: Scope): Boolean = where == null || where.eval(scope) == true

    class Create(val name: String, val columns: List<TableColumn>) : Statement() {
        override fun run(data: VersionedSession<Table>, params: List<Any?>): Answer = data.write(name) { old ->
            if (old != null) throw MemoryError(ErrorCategory.SYNTAX, "table $name exists")
            Table(columns, emptyList()) to Answer(0)
        }
    }

    class Drop(val name: String) : Statement() {
        override fun run(data: VersionedSession<Table>, params: List<Any?>): Answer = data.write(name) { old ->
            table(name, old)
            null to Answer(0)
        }
    }

    class Insert(val name: String, val columns: List<String>?, val rows: List<List<Expr>>) : Statement() {
        override fun run(data: VersionedSession<Table>, params: List<Any?>): Answer = data.write(name) { old ->
            val table = table(name, old)
            val places = columns?.map { table.indexOf(it) } ?: table.columns.indices.toList()
            val added = rows.map { exprs ->
                if (exprs.size != places.size) {
                    throw MemoryError(ErrorCategory.SYNTAX, "${exprs.size} values for ${places.size} columns")
                }
                val row = arrayOfNulls<Any?>(table.columns.size)
                exprs.forEachIndexed { i, expr -> row[places[i]] = expr.eval(Scope(params, null, null)) }
                row.asList()
            }
            table.with(table.rows + added) to Answer(added.size.toLong())
        }
    }

    class Update(val name: String, val sets: List<Pair<String, Expr>>, val where: Expr?) : Statement() {
        override fun run(data: VersionedSession<Table>, params: List<Any?>): Answer = data.write(name) { old ->
            val table = table(name, old)
            var count = 0L
            val rows = table.rows.map { row ->
                val scope = Scope(params, table, row)
                if (!matches(where, scope)) return@map row
                count++
                val next = row.toMutableList()
                for ((column, expr) in sets) next[table.indexOf(column)] = expr.eval(scope)
                next
            }
            (if (count == 0L) table else table.with(rows)) to Answer(count)
        }
    }

    class Delete(val name: String, val where: Expr?) : Statement() {
        override fun run(data: VersionedSession<Table>, params: List<Any?>): Answer = data.write(name) { old ->
            val table = table(name, old)
            val rows = table.rows.filterNot { matches(where, Scope(params, table, it)) }
            val gone = table.rows.size - rows.size
            (if (gone == 0) table else Table(table.columns, rows)) to Answer(gone.toLong())
        }
    }

    class Select(
        val items: List<Item>?,
        val from: String?,
        val where: Expr?,
        val order: Pair<String, Boolean>?,
        val limit: Expr?,
    ) : Statement() {
        override fun sleepMillis(params: List<Any?>): Long? =
            items?.singleOrNull { it.aggregate == "sleep" }?.let { it.expr.eval(Scope(params, null, null)) as? Long }

        override fun run(data: VersionedSession<Table>, params: List<Any?>): Answer {
            val table = from?.let { table(it, data.read(it)) }
            val wanted = items ?: table!!.columns.map { Item(it.name, it.type, null, Expr.Column(it.name)) }
            val found = if (table == null) listOf(null) else rowsOf(table, params)
            val infos = wanted.map { ColumnInfo(it.name, it.type) }
            if (wanted.any { it.aggregate == "count" || it.aggregate == "sum" }) {
                return Answer(1, infos, listOf(wanted.map { aggregate(it, found, table, params) }))
            }
            val count = (limit?.eval(Scope(params, null, null)) as Long?)?.toInt() ?: Int.MAX_VALUE
            return Answer(
                0,
                infos,
                found.take(count).map { row ->
                    wanted.map { it.expr.eval(Scope(params, table, row)) }
                },
            )
        }

        private fun rowsOf(table: Table, params: List<Any?>): List<List<Any?>> {
            val rows = table.rows.filter { matches(where, Scope(params, table, it)) }
            val (column, descending) = order ?: return rows
            val index = table.indexOf(column)
            val sorted = rows.sortedWith { a, b -> compareNulls(a[index], b[index]) }
            return if (descending) sorted.reversed() else sorted
        }

        private fun compareNulls(a: Any?, b: Any?): Int = when {
            a == null || b == null -> (if (a == null) 0 else 1) - (if (b == null) 0 else 1)
            else -> compareValuesOf(a, b)
        }

        private fun aggregate(item: Item, rows: List<List<Any?>?>, table: Table?, params: List<Any?>): Any? {
            if (item.aggregate == "count") return rows.size.toLong()
            return rows.mapNotNull {
                item.expr.eval(Scope(params, table, it))
            }.reduceOrNull { a, b -> arithmetic('+', a, b) }
        }
    }
}

internal fun compareValuesOf(a: Any, b: Any): Int = when {
    a is Long && b is Long -> a.compareTo(b)
    a is Number && b is Number -> a.toDouble().compareTo(b.toDouble())
    a is String && b is String -> a.compareTo(b)
    a is Boolean && b is Boolean -> a.compareTo(b)
    else -> throw MemoryError(ErrorCategory.OTHER, "cannot compare ${a::class.simpleName} with ${b::class.simpleName}")
}

internal fun arithmetic(op: Char, a: Any, b: Any): Any = when {
    a is Long && b is Long -> when (op) {
        '+' -> a + b
        '-' -> a - b
        else -> a * b
    }

    a is Number && b is Number -> when (op) {
        '+' -> a.toDouble() + b.toDouble()
        '-' -> a.toDouble() - b.toDouble()
        else -> a.toDouble() * b.toDouble()
    }

    else -> throw MemoryError(
        ErrorCategory.OTHER,
        "cannot calculate with ${a::class.simpleName} and ${b::class.simpleName}",
    )
}
