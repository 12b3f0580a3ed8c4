package dev.carom.storage.memory

import dev.carom.storage.ErrorCategory

/** Reads the little SQL of [MemorySql]: a hand-written descent, one method per rule. */
internal class SqlParser(private val text: String) {
    private val tokens: List<String> = TOKEN.findAll(text).map { it.value }.filterNot { it.isBlank() }.toList()
    private var at = 0
    private var params = 0

    fun statement(): Statement {
        val parsed = when (val word = next().lowercase()) {
            "create" -> create()

            "drop" -> {
                expect("table")
                Statement.Drop(name())
            }

            "insert" -> insert()

            "update" -> update()

            "delete" -> {
                expect("from")
                Statement.Delete(name(), where())
            }

            "select" -> select()

            else -> throw wrong("a statement begins with $word")
        }
        accept(";")
        if (at < tokens.size) throw wrong("\"${tokens[at]}\" is too much")
        return parsed
    }

    private fun create(): Statement {
        expect("table")
        val table = name()
        expect("(")
        val columns = list {
            val column = name()
            val type = name()
            if (accept("(")) while (!accept(")")) next()
            var key = false
            var notNull = false
            while (true) {
                when {
                    accept("primary") -> {
                        expect("key")
                        key = true
                    }

                    accept("not") -> {
                        expect("null")
                        notNull = true
                    }

                    else -> break
                }
            }
            TableColumn(column, type, key, notNull)
        }
        expect(")")
        return Statement.Create(table, columns)
    }

    private fun insert(): Statement {
        expect("into")
        val table = name()
        val columns = if (accept("(")) list { name() }.also { expect(")") } else null
        expect("values")
        val rows = list {
            expect("(")
            list { expr() }.also { expect(")") }
        }
        return Statement.Insert(table, columns, rows)
    }

    private fun update(): Statement {
        val table = name()
        expect("set")
        val sets = list {
            val column = name()
            expect("=")
            column to sum()
        }
        return Statement.Update(table, sets, where())
    }

    private fun select(): Statement {
        val items = if (accept("*")) null else list { item() }
        val from = if (accept("from")) name() else null
        if (items == null && from == null) throw wrong("* needs a table")
        val where = where()
        var order: Pair<String, Boolean>? = null
        if (accept("order")) {
            expect("by")
            order = name() to accept("desc").also { descending -> if (!descending) accept("asc") }
        }
        val limit = if (accept("limit")) sum() else null
        return Statement.Select(items, from, where, order, limit)
    }

    private fun item(): Item {
        val word = peek()?.lowercase()
        val item = when {
            word in FUNCTIONS && tokens.getOrNull(at + 1) == "(" -> {
                at += 2
                val inner = if (accept("*")) Expr.Value(1L) else expr()
                expect(")")
                Item(word!!, "bigint", word, inner)
            }

            else -> {
                val expr = expr()
                Item((expr as? Expr.Column)?.name ?: "column", "", null, expr)
            }
        }
        return if (accept("as")) Item(name(), item.type, item.aggregate, item.expr) else item
    }

    private fun where(): Expr? = if (accept("where")) expr() else null

    private fun expr(): Expr {
        var left = conjunction()
        while (accept("or")) {
            val a = left
            val b = conjunction()
            left = Expr.Logic { scope ->
                val x = a.eval(scope)
                val y = b.eval(scope)
                if (x == true || y == true) {
                    true
                } else if (x == null || y == null) {
                    null
                } else {
                    false
                }
            }
        }
        return left
    }

    private fun conjunction(): Expr {
        var left = negation()
        while (accept("and")) {
            val a = left
            val b = negation()
            left = Expr.Logic { scope ->
                val x = a.eval(scope)
                val y = b.eval(scope)
                if (x == false || y == false) {
                    false
                } else if (x == null || y == null) {
                    null
                } else {
                    true
                }
            }
        }
        return left
    }

    private fun negation(): Expr {
        if (!accept("not")) return comparison()
        val inner = negation()
        return Expr.Logic { scope -> (inner.eval(scope) as Boolean?)?.not() }
    }

    private fun comparison(): Expr {
        val left = sum()
        if (accept("is")) {
            val not = accept("not")
            expect("null")
            return Expr.Logic { scope -> (left.eval(scope) == null) != not }
        }
        val not = accept("not")
        if (accept("in")) return among(left, not)
        val op = peek()
        val test = COMPARISONS[op] ?: return left
        at++
        return Expr.Binary(left, sum()) { a, b -> test(compareValuesOf(a, b)) }
    }

    private fun among(left: Expr, not: Boolean): Expr {
        expect("(")
        val options = list { expr() }
        expect(")")
        return Expr.Logic { scope ->
            val value = left.eval(scope) ?: return@Logic null
            val all = options.map { it.eval(scope) }
            if (value in all) {
                !not
            } else if (null in all) {
                null
            } else {
                not
            }
        }
    }

    private fun sum(): Expr {
        var left = product()
        while (peek() == "+" || peek() == "-") {
            val op = next()[0]
            left = Expr.Binary(left, product()) { a, b -> arithmetic(op, a, b) }
        }
        return left
    }

    private fun product(): Expr {
        var left = primary()
        while (accept("*")) left = Expr.Binary(left, primary()) { a, b -> arithmetic('*', a, b) }
        return left
    }

    private fun primary(): Expr {
        val token = next()
        return when {
            token == "?" -> Expr.Param(params++)
            token == "(" -> expr().also { expect(")") }
            token == "-" -> Expr.Binary(Expr.Value(0L), primary()) { a, b -> arithmetic('-', a, b) }
            token[0] == '\'' -> Expr.Value(token.substring(1, token.length - 1).replace("''", "'"))
            token[0].isDigit() -> Expr.Value(token.toLongOrNull() ?: token.toDouble())
            token.lowercase() == "null" -> Expr.Value(null)
            token.lowercase() == "true" -> Expr.Value(true)
            token.lowercase() == "false" -> Expr.Value(false)
            token[0].isLetter() || token[0] == '_' -> Expr.Column(token)
            else -> throw wrong("\"$token\" is not an expression")
        }
    }

    private fun <T> list(one: () -> T): List<T> {
        val all = arrayListOf(one())
        while (accept(",")) all += one()
        return all
    }

    private fun peek(): String? = tokens.getOrNull(at)

    private fun next(): String = tokens.getOrNull(at++) ?: throw wrong("it ends too early")

    private fun accept(word: String): Boolean = peek().equals(word, ignoreCase = true).also { if (it) at++ }

    private fun expect(word: String) {
        if (!accept(word)) throw wrong("$word expected, found \"${peek() ?: "the end"}\"")
    }

    private fun name(): String = next().also {
        if (!it[0].isLetter() &&
            it[0] != '_'
        ) {
            throw wrong("\"$it\" is not a name")
        }
    }

    private fun wrong(why: String) = MemoryError(ErrorCategory.SYNTAX, "$why: $text")

    private companion object {
        val TOKEN = Regex("""\s+|--[^\n]*|'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?|<>|<=|>=|.""")
        val FUNCTIONS = setOf("count", "sum", "sleep")
        val COMPARISONS: Map<String?, (Int) -> Boolean> = mapOf(
            "=" to { c -> c == 0 },
            "<>" to { c -> c != 0 },
            "<" to { c -> c < 0 },
            "<=" to { c -> c <= 0 },
            ">" to { c -> c > 0 },
            ">=" to { c -> c >= 0 },
        )
    }
}
