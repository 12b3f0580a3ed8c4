package dev.carom.storage.sql

import dev.carom.storage.StorageException

/**
 * Finds `?` and `:name` in SQL, outside strings, quoted identifiers, comments, dollar quotes and casts (`::`).
 * `??` is passed on: the platform's own question mark.
 */
internal object Placeholders {
    fun positional(text: String, params: List<Any?>): Pair<String, List<Any?>> {
        val out = StringBuilder(text.length)
        val values = ArrayList<Any?>(params.size)
        var used = 0
        Scanner(text).scan(out) { name ->
            if (name != null) throw StorageException.BadParams("the text has :$name and its parameters are positional")
            if (used == params.size) throw StorageException.BadParams("more than ${params.size} placeholders: $text")
            add(out, values, params[used++])
        }
        if (used !=
            params.size
        ) {
            throw StorageException.BadParams("$used placeholders, ${params.size} parameters: $text")
        }
        return out.toString() to values
    }

    fun named(text: String, params: Map<String, Any?>): Pair<String, List<Any?>> {
        val out = StringBuilder(text.length)
        val values = ArrayList<Any?>(params.size)
        val used = HashSet<String>()
        Scanner(text).scan(out) { name ->
            if (name == null) throw StorageException.BadParams("the text has ? and its parameters are named: $text")
            if (name !in params) throw StorageException.BadParams("no value for :$name: $text")
            used += name
            add(out, values, params[name])
        }
        val unused = params.keys - used
        if (unused.isNotEmpty()) throw StorageException.BadParams("nothing is named $unused: $text")
        return out.toString() to values
    }

    /** Puts [placeholder] where each `?` is, and a question mark where it was doubled. */
    fun render(text: String, placeholder: (Int) -> String): String {
        val out = StringBuilder(text.length)
        var used = 0
        Scanner(text, "?").scan(out) { name -> out.append(if (name == null) placeholder(++used) else ":$name") }
        return out.toString()
    }

    private fun add(out: StringBuilder, values: MutableList<Any?>, value: Any?) {
        when {
            value !is InList -> {
                out.append('?')
                values.add(value)
            }

            value.values.isEmpty() -> out.append("null")

            else -> {
                value.values.joinTo(out) { "?" }
                values.addAll(value.values)
            }
        }
    }
}

/** @param escaped what a doubled question mark is passed on as. */
private class Scanner(private val text: String, private val escaped: String = "??") {
    private var at = 0

    fun scan(out: StringBuilder, onPlaceholder: (String?) -> Unit) {
        while (at < text.length) {
            val start = at
            if (!skipQuoted()) {
                when {
                    looking("??") -> {
                        at += 2
                        out.append(escaped)
                        continue
                    }

                    looking("::") -> at += 2

                    text[at] == '?' -> {
                        at++
                        onPlaceholder(null)
                        continue
                    }

                    text[at] == ':' && letterAt(at + 1) && !wordBefore() -> {
                        at++
                        onPlaceholder(word())
                        continue
                    }

                    else -> at++
                }
            }
            out.append(text, start, at)
        }
    }

    private fun skipQuoted(): Boolean = when {
        text[at] == '\'' || text[at] == '"' || text[at] == '`' -> skipQuote(text[at])
        looking("--") -> skipTo("\n")
        looking("/*") -> skipComment()
        text[at] == '$' && !wordBefore() -> skipDollar()
        else -> false
    }

    /** A doubled quote inside is the next quoted piece: the same. */
    private fun skipQuote(quote: Char): Boolean {
        val end = text.indexOf(quote, at + 1)
        at = if (end < 0) text.length else end + 1
        return true
    }

    private fun skipTo(end: String): Boolean {
        val found = text.indexOf(end, at + 2)
        at = if (found < 0) text.length else found + end.length
        return true
    }

    /** Comments nest, as in the standard. */
    private fun skipComment(): Boolean {
        var depth = 0
        do {
            when {
                looking("/*") -> {
                    depth++
                    at += 2
                }

                looking("*/") -> {
                    depth--
                    at += 2
                }

                else -> at++
            }
        } while (depth > 0 && at < text.length)
        return true
    }

    private fun skipDollar(): Boolean {
        val close = text.indexOf('$', at + 1)
        if (close < 0) return false
        val tag = text.substring(at + 1, close)
        if (tag.any { !it.isLetterOrDigit() && it != '_' } || tag.firstOrNull()?.isDigit() == true) return false
        val mark = "$$tag$"
        val end = text.indexOf(mark, close + 1)
        at = if (end < 0) text.length else end + mark.length
        return true
    }

    private fun word(): String {
        val start = at
        while (at < text.length && (text[at].isLetterOrDigit() || text[at] == '_')) at++
        return text.substring(start, at)
    }

    private fun looking(what: String) = text.startsWith(what, at)

    private fun letterAt(index: Int) = index < text.length && (text[index].isLetter() || text[index] == '_')

    private fun wordBefore() = at > 0 && (text[at - 1].isLetterOrDigit() || text[at - 1] == '_')
}
