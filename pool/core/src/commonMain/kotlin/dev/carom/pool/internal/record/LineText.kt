package dev.carom.pool.internal.record

/** Why a line is not one that a pool has written. */
internal class Damage(why: String) : RuntimeException(why)

private const val HEX = 16
private const val CODE_DIGITS = 4
private const val NULL = "-"

/** Writes one line: fields between tabs, each of printable ASCII. */
internal class LineWriter {
    private val line = StringBuilder()

    fun number(value: Long): LineWriter = plain(value.toString())

    fun text(value: String?): LineWriter = plain(value?.let { field(it) } ?: NULL)

    /** A field of several texts. */
    fun list(values: List<String>): LineWriter = plain(values.joinToString(",") { escape(it, comma = true) })

    fun plain(field: String): LineWriter {
        if (line.isNotEmpty()) line.append('\t')
        line.append(field)
        return this
    }

    override fun toString(): String = line.toString()
}

/** Reads the fields of one line. */
internal class LineReader(line: String) {
    private val fields = line.split('\t')
    private var next = 0

    val left: Int get() = fields.size - next

    fun plain(): String = if (next < fields.size) fields[next++] else throw Damage("it ends after $next fields")

    fun text(): String = textOrNull() ?: throw Damage("field $next is missing")

    fun textOrNull(): String? = plain().let { if (it == NULL) null else unescape(it) }

    fun number(): Long = plain().let { it.toLongOrNull() ?: throw Damage("field $next must be a number, was $it") }

    fun int(bounds: IntRange): Int {
        val value = number()
        if (value < bounds.first || value > bounds.last) throw Damage("field $next must be in $bounds, was $value")
        return value.toInt()
    }

    fun list(): List<String> = plain().split(',').map(::unescape)

    /** Takes the next field if it stands for nothing. */
    fun nextIsNull(): Boolean = (fields.getOrNull(next) == NULL).also { if (it) next++ }

    fun end() {
        if (next != fields.size) throw Damage("it has ${fields.size} fields instead of $next")
    }
}

private fun field(value: String): String = if (value == NULL) "\\-" else escape(value, comma = false)

private fun escape(value: String, comma: Boolean): String {
    if (value.all { it in ' '..'~' && it != '\\' && (it != ',' || !comma) }) return value
    return buildString {
        for (char in value) {
            when {
                char == '\\' -> append("\\\\")
                char == '\n' -> append("\\n")
                char == '\r' -> append("\\r")
                char == '\t' -> append("\\t")
                char == ',' && comma -> append("\\c")
                char in ' '..'~' -> append(char)
                else -> append("\\u").append(char.code.toString(HEX).padStart(CODE_DIGITS, '0'))
            }
        }
    }
}

private fun unescape(field: String): String {
    if ('\\' !in field) return field
    return buildString {
        var i = 0
        while (i < field.length) {
            val char = field[i++]
            if (char != '\\') {
                append(char)
                continue
            }
            when (val code = field.getOrNull(i++)) {
                '\\', '-' -> append(code)

                'n' -> append('\n')

                'r' -> append('\r')

                't' -> append('\t')

                'c' -> append(',')

                'u' -> {
                    val digits = field.substring(i, minOf(i + CODE_DIGITS, field.length))
                    i += CODE_DIGITS
                    append((digits.toIntOrNull(HEX) ?: throw Damage("\\u$digits is no character")).toChar())
                }

                else -> throw Damage("a backslash is followed by ${code ?: "nothing"}")
            }
        }
    }
}
