package dev.carom.storage.sql

import dev.carom.storage.Access
import dev.carom.storage.OpOptions
import dev.carom.storage.StorageException

/**
 * A statement with its parameters, checked when made: what does not fit is a [StorageException.BadParams] before anything
 * is sent. Immutable.
 *
 * @property text the statement with one `?` for each of [params]; `??` is a question mark of the platform.
 * @property options what its execution asks for.
 */
public class Sql private constructor(public val text: String, params: List<Any?>, public val options: OpOptions) {
    public val params: List<Any?> = params.toList()

    /** The same statement with other [options]. */
    public fun with(options: OpOptions): Sql = Sql(text, params, options)

    /** What it does to the data: what its options say, else what its first word says. */
    public val access: Access
        get() = if (options.access != Access.UNKNOWN) options.access else accessOf(text)

    /**
     * [text] for platforms with other placeholders: [placeholder] of 1, 2 and so on in place of each `?`, and `?` in place of
     * each `??`.
     */
    public fun textWith(placeholder: (Int) -> String): String = Placeholders.render(text, placeholder)

    /** The text only: parameters may be secrets. */
    override fun toString(): String = "$text (${params.size} parameters)"

    public companion object {
        /**
         * A statement with a value for each `?`. An [InList] among them becomes as many as it has.
         *
         * @throws StorageException.BadParams if there are more or fewer, or if the text has `:names`.
         */
        public fun of(text: String, params: List<Any?>): Sql {
            val (positional, values) = Placeholders.positional(text, params)
            return Sql(positional, values, OpOptions.DEFAULT)
        }

        /**
         * A statement with a value for each `:name`; a name may occur several times.
         *
         * @throws StorageException.BadParams if a name has no value, a value no name, or the text has a `?`.
         */
        public fun named(text: String, params: Map<String, Any?>): Sql {
            val (positional, values) = Placeholders.named(text, params)
            return Sql(positional, values, OpOptions.DEFAULT)
        }

        private val WRITES = setOf(
            "insert", "update", "delete", "merge", "replace", "upsert",
            "create", "drop", "alter", "truncate", "grant", "revoke",
        )

        private fun accessOf(text: String): Access {
            val word = text.trimStart().takeWhile { it.isLetter() }.lowercase()
            return if (word in WRITES) Access.WRITE else Access.UNKNOWN
        }
    }
}

/** A statement with positional parameters. */
public fun sql(text: String, vararg params: Any?): Sql = Sql.of(text, params.asList())

/** A statement with named parameters. */
public fun sqlNamed(text: String, vararg params: Pair<String, Any?>): Sql = Sql.named(text, params.toMap())

/**
 * Values for `in (?)`. None at all makes the list one null, which nothing is in (and nothing is not in: SQL's null).
 *
 * @property values at most 10000.
 */
public class InList(values: Collection<Any?>) {
    public val values: List<Any?> = values.toList()

    init {
        require(values.size <= MAX) { "an InList has at most $MAX values, was ${values.size}" }
    }

    private companion object {
        const val MAX = 10_000
    }
}
