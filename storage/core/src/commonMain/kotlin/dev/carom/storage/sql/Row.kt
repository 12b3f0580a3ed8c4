package dev.carom.storage.sql

import dev.carom.storage.StorageException

/** Whether a column can be null. */
public enum class Nullability { YES, NO, UNKNOWN }

/**
 * A column of a result.
 *
 * @property name as the platform reports it.
 * @property typeName the platform's own word.
 */
public class ColumnInfo(public val name: String, public val typeName: String, public val nullable: Nullability) {
    public constructor(name: String, typeName: String) : this(name, typeName, Nullability.UNKNOWN)

    override fun equals(other: Any?): Boolean =
        other is ColumnInfo && other.name == name && other.typeName == typeName && other.nullable == nullable

    override fun hashCode(): Int = (name.hashCode() * 31 + typeName.hashCode()) * 31 + nullable.hashCode()

    override fun toString(): String = "$name $typeName"
}

/** The columns of a result, shared by its rows. */
public class Columns(infos: List<ColumnInfo>) {
    public val infos: List<ColumnInfo> = infos.toList()

    private val exact: Map<String, List<Int>> = infos.indices.groupBy { infos[it].name }
    private val folded: Map<String, List<Int>> = infos.indices.groupBy { infos[it].name.lowercase() }

    public val size: Int get() = infos.size

    public val names: List<String> get() = infos.map { it.name }

    /**
     * The place of the column called [name]: written exactly so, else the only one that differs in case.
     *
     * @throws StorageException.BadRow if there is none, or several.
     */
    public fun indexOf(name: String): Int {
        val found = exact[name] ?: folded[name.lowercase()]
            ?: throw StorageException.BadRow("no column $name among $names")
        return found.singleOrNull() ?: throw StorageException.BadRow("${found.size} columns are called $name: $names")
    }
}

/**
 * One row, immutable. Columns by index count from 0; by name see [Columns.indexOf]. A getter of a type converts where
 * nothing is lost, and refuses otherwise; null is refused by all that do not say `OrNull`.
 *
 * @throws StorageException.BadRow for what is not there, is null, or does not fit.
 * @throws IndexOutOfBoundsException for an index that is not one.
 */
public class Row(public val columns: Columns, values: List<Any?>) {
    private val values: List<Any?> = values.subList(0, columns.size).toList()

    public constructor(columns: List<ColumnInfo>, values: List<Any?>) : this(Columns(columns), values)

    public val size: Int get() = values.size

    /** The value as the platform delivered it. */
    public operator fun get(index: Int): Any? {
        if (index !in values.indices) throw IndexOutOfBoundsException("column $index of ${values.size}")
        return values[index]
    }

    public operator fun get(name: String): Any? = values[columns.indexOf(name)]

    public fun isNull(index: Int): Boolean = get(index) == null

    public fun isNull(name: String): Boolean = get(name) == null

    public fun getInt(index: Int): Int = whole(index, Int.MIN_VALUE.toLong()..Int.MAX_VALUE.toLong(), "Int").toInt()

    public fun getInt(name: String): Int = getInt(columns.indexOf(name))

    public fun getIntOrNull(name: String): Int? = columns.indexOf(name).let { if (isNull(it)) null else getInt(it) }

    public fun getLong(index: Int): Long = whole(index, Long.MIN_VALUE..Long.MAX_VALUE, "Long")

    public fun getLong(name: String): Long = getLong(columns.indexOf(name))

    public fun getLongOrNull(name: String): Long? = columns.indexOf(name).let { if (isNull(it)) null else getLong(it) }

    /** Any number; a decimal with more digits than a double has is rounded to the nearest. */
    public fun getDouble(index: Int): Double = when (val value = present(index)) {
        is Long -> value.toDouble().takeIf { it.toLong() == value && value != Long.MAX_VALUE } ?: unfit(index, "Double")
        is Number -> value.toDouble()
        else -> unfit(index, "Double")
    }

    public fun getDouble(name: String): Double = getDouble(columns.indexOf(name))

    public fun getDoubleOrNull(name: String): Double? =
        columns.indexOf(name).let { if (isNull(it)) null else getDouble(it) }

    /** A boolean, or a number that is 0 or 1. */
    public fun getBoolean(index: Int): Boolean = when (val value = present(index)) {
        is Boolean -> value

        is Number -> when (value.toString()) {
            "0" -> false
            "1" -> true
            else -> unfit(index, "Boolean")
        }

        else -> unfit(index, "Boolean")
    }

    public fun getBoolean(name: String): Boolean = getBoolean(columns.indexOf(name))

    public fun getBooleanOrNull(name: String): Boolean? =
        columns.indexOf(name).let { if (isNull(it)) null else getBoolean(it) }

    /** Text as it is; numbers and booleans in their own notation. */
    public fun getString(index: Int): String = when (val value = present(index)) {
        is ByteArray -> unfit(index, "String")
        else -> value.toString()
    }

    public fun getString(name: String): String = getString(columns.indexOf(name))

    public fun getStringOrNull(name: String): String? =
        columns.indexOf(name).let { if (isNull(it)) null else getString(it) }

    /** A copy of the bytes. */
    public fun getBytes(index: Int): ByteArray = (present(index) as? ByteArray)?.copyOf() ?: unfit(index, "ByteArray")

    public fun getBytes(name: String): ByteArray = getBytes(columns.indexOf(name))

    public fun getBytesOrNull(name: String): ByteArray? =
        columns.indexOf(name).let { if (isNull(it)) null else getBytes(it) }

    /** The values in the order of the columns. */
    public fun toList(): List<Any?> = values

    /**
     * The values by name, in the order of the columns.
     *
     * @throws StorageException.BadRow if two columns have the same name.
     */
    public fun toMap(): Map<String, Any?> = columns.names.associateWith { get(it) }

    private fun present(index: Int): Any =
        get(index) ?: throw StorageException.BadRow("column ${columns.infos[index].name} is null")

    private fun whole(index: Int, range: LongRange, type: String): Long {
        val value = present(index)
        val whole = when (value) {
            is Long -> value
            is Int, is Short, is Byte -> (value as Number).toLong()
            is Number -> wholeOf(value.toString())
            else -> null
        }
        return whole?.takeIf { it in range } ?: unfit(index, type)
    }

    /** "12.00" is whole, "12.5" and "1E+30" are not (the latter not for a Long). */
    private fun wholeOf(text: String): Long? {
        text.toLongOrNull()?.let { return it }
        val point = text.indexOf('.')
        if (point >= 0 && text.indexOf('E') < 0) {
            return text.substring(0, point).toLongOrNull().takeIf { text.substring(point + 1).all { it == '0' } }
        }
        val double = text.toDoubleOrNull() ?: return null
        return double.toLong().takeIf { it.toDouble() == double && double in -EXACT..EXACT }
    }

    private fun unfit(index: Int, type: String): Nothing {
        val value = get(index)
        throw StorageException.BadRow(
            "column ${columns.infos[index].name} of type ${value?.let {
                it::class.simpleName
            }} does not fit into $type",
        )
    }

    override fun equals(other: Any?): Boolean =
        other is Row && other.columns.names == columns.names && other.values == values

    override fun hashCode(): Int = values.hashCode()

    /** The names of the columns only: values may be secrets. */
    override fun toString(): String = "row(${columns.names.joinToString()})"

    private companion object {
        /** Beyond it doubles skip whole numbers. */
        const val EXACT = 9.007199254740992E15
    }
}

/**
 * What a statement did.
 *
 * @property rowsAffected how many rows; 0 where that means nothing.
 * @property generatedKeys the keys an insert made, if asked for.
 */
public class SqlResult(public val rowsAffected: Long, generatedKeys: List<Row> = emptyList()) {
    public val generatedKeys: List<Row> = generatedKeys.toList()

    /** The first generated key, if it is a number. */
    public val lastId: Long?
        get() = generatedKeys.firstOrNull()?.takeIf { it.size > 0 && it[0] is Number }?.getLong(0)

    override fun toString(): String = "$rowsAffected rows affected"
}
