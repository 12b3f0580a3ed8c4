@file:JvmName("RowValues")

package dev.carom.storage.sql

import dev.carom.storage.StorageException
import java.math.BigDecimal
import java.math.BigInteger
import java.nio.ByteBuffer
import java.time.DateTimeException
import java.time.Instant
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZonedDateTime
import java.util.UUID

// Values of the JDK's types. Each getter has the rule of Row: what is lossless converts, all else is refused with
// StorageException.BadRow, and so is null. From Java: RowValues.getLocalDate(row, "born").

/** A decimal; whole numbers and doubles as exactly what they are. */
public fun Row.getDecimal(index: Int): BigDecimal = when (val value = present(index)) {
    is BigDecimal -> value
    is BigInteger -> BigDecimal(value)
    is Long, is Int, is Short, is Byte -> BigDecimal((value as Number).toLong())
    is Double, is Float -> value.toString().toBigDecimalOrNull() ?: unfit(index, "BigDecimal")
    else -> unfit(index, "BigDecimal")
}

/** [getDecimal] by name. */
public fun Row.getDecimal(name: String): BigDecimal = getDecimal(columns.indexOf(name))

/** A date: one of the platform, or text in ISO 8601. */
public fun Row.getLocalDate(index: Int): LocalDate = when (val value = present(index)) {
    is LocalDate -> value
    is java.sql.Date -> value.toLocalDate()
    is String -> parsed(index, "LocalDate") { LocalDate.parse(value) }
    else -> unfit(index, "LocalDate")
}

/** [getLocalDate] by name. */
public fun Row.getLocalDate(name: String): LocalDate = getLocalDate(columns.indexOf(name))

/** A time of day without a zone: one of the platform, or text in ISO 8601. */
public fun Row.getLocalTime(index: Int): LocalTime = when (val value = present(index)) {
    is LocalTime -> value
    is java.sql.Time -> if (isZoned(index)) unfit(index, "LocalTime") else value.toLocalTime()
    is String -> parsed(index, "LocalTime") { LocalTime.parse(value) }
    else -> unfit(index, "LocalTime")
}

/** [getLocalTime] by name. */
public fun Row.getLocalTime(name: String): LocalTime = getLocalTime(columns.indexOf(name))

/** A date and time without a zone: one of the platform, or text in ISO 8601 (a blank for the T will do). */
public fun Row.getLocalDateTime(index: Int): LocalDateTime = when (val value = present(index)) {
    is LocalDateTime -> value
    is java.sql.Timestamp -> if (isZoned(index)) unfit(index, "LocalDateTime") else value.toLocalDateTime()
    is String -> parsed(index, "LocalDateTime") { LocalDateTime.parse(value.replace(' ', 'T')) }
    else -> unfit(index, "LocalDateTime")
}

/** [getLocalDateTime] by name. */
public fun Row.getLocalDateTime(name: String): LocalDateTime = getLocalDateTime(columns.indexOf(name))

/** A date and time with its offset. What has a zone but came without its offset is at UTC. */
public fun Row.getOffsetDateTime(index: Int): OffsetDateTime = when (val value = present(index)) {
    is OffsetDateTime -> value
    is ZonedDateTime -> value.toOffsetDateTime()
    is Instant -> value.atOffset(java.time.ZoneOffset.UTC)
    is java.sql.Timestamp -> zoned(index, value, "OffsetDateTime").atOffset(java.time.ZoneOffset.UTC)
    is String -> parsed(index, "OffsetDateTime") { OffsetDateTime.parse(value.replace(' ', 'T')) }
    else -> unfit(index, "OffsetDateTime")
}

/** [getOffsetDateTime] by name. */
public fun Row.getOffsetDateTime(name: String): OffsetDateTime = getOffsetDateTime(columns.indexOf(name))

/** A point in time: of a column that has a zone. One without is refused: nobody knows where it is meant. */
public fun Row.getInstant(index: Int): Instant = when (val value = present(index)) {
    is Instant -> value
    is OffsetDateTime -> value.toInstant()
    is ZonedDateTime -> value.toInstant()
    is java.sql.Timestamp -> zoned(index, value, "Instant")
    is String -> parsed(index, "Instant") { Instant.parse(value) }
    else -> unfit(index, "Instant")
}

/** [getInstant] by name. */
public fun Row.getInstant(name: String): Instant = getInstant(columns.indexOf(name))

/** A UUID: one of the platform, its text, or 16 bytes. */
public fun Row.getUuid(index: Int): UUID = when (val value = present(index)) {
    is UUID -> value

    is String -> parsed(index, "UUID") { UUID.fromString(value).also { require(it.toString() == value.lowercase()) } }

    is ByteArray ->
        if (value.size == UUID_BYTES) ByteBuffer.wrap(value).run { UUID(long, long) } else unfit(index, "UUID")

    else -> unfit(index, "UUID")
}

/** [getUuid] by name. */
public fun Row.getUuid(name: String): UUID = getUuid(columns.indexOf(name))

/** The elements of an array, nested ones as lists. Bytes are no array: see [Row.getBytes]. */
public fun Row.getList(index: Int): List<Any?> = when (val value = present(index)) {
    is List<*> -> value
    is Array<*> -> listOf(value)
    is java.sql.Array -> listOf(value.array as? Array<*> ?: unfit(index, "List"))
    else -> unfit(index, "List")
}

/** [getList] by name. */
public fun Row.getList(name: String): List<Any?> = getList(columns.indexOf(name))

/** The constant of [type] that the text names, written exactly so. */
public fun <E : Enum<E>> Row.getEnum(index: Int, type: Class<E>): E {
    val value = present(index)
    if (type.isInstance(value)) return type.cast(value)
    return type.enumConstants.firstOrNull { it.name == value.toString() } ?: unfit(index, type.simpleName)
}

/** [getEnum] by name. */
public fun <E : Enum<E>> Row.getEnum(name: String, type: Class<E>): E = getEnum(columns.indexOf(name), type)

/** [getEnum] by name. */
public inline fun <reified E : Enum<E>> Row.getEnum(name: String): E = getEnum(name, E::class.java)

/**
 * The value as a [type]: one of the types that have a getter, or any other type that it is an instance of.
 *
 * @throws StorageException.BadRow if it is null or does not fit.
 */
public fun <T : Any> Row.get(index: Int, type: Class<T>): T {
    val boxed = type.kotlin.javaObjectType
    val getter = GETTERS[boxed]
    val value = if (getter != null) getter(this, index) else present(index)
    return if (boxed.isInstance(value)) boxed.cast(value) else unfit(index, type.simpleName)
}

/** [get] by name. */
public fun <T : Any> Row.get(name: String, type: Class<T>): T = get(columns.indexOf(name), type)

/** [get] by name, or null where the value is null. */
public fun <T : Any> Row.getOrNull(name: String, type: Class<T>): T? =
    columns.indexOf(name).let { if (isNull(it)) null else get(it, type) }

/** The value of a column as a [T]: `row.value<LocalDate>("born")`. See [get]. */
public inline fun <reified T : Any> Row.value(name: String): T = get(name, T::class.java)

/** [value], or null where it is null. */
public inline fun <reified T : Any> Row.valueOrNull(name: String): T? = getOrNull(name, T::class.java)

private val GETTERS: Map<Class<*>, (Row, Int) -> Any> = mapOf(
    Int::class.javaObjectType to Row::getInt,
    Long::class.javaObjectType to Row::getLong,
    Double::class.javaObjectType to Row::getDouble,
    Boolean::class.javaObjectType to Row::getBoolean,
    String::class.java to Row::getString,
    ByteArray::class.java to Row::getBytes,
    BigDecimal::class.java to { row, index -> row.getDecimal(index) },
    LocalDate::class.java to { row, index -> row.getLocalDate(index) },
    LocalTime::class.java to { row, index -> row.getLocalTime(index) },
    LocalDateTime::class.java to { row, index -> row.getLocalDateTime(index) },
    OffsetDateTime::class.java to { row, index -> row.getOffsetDateTime(index) },
    Instant::class.java to { row, index -> row.getInstant(index) },
    UUID::class.java to { row, index -> row.getUuid(index) },
    List::class.java to { row, index -> row.getList(index) },
)

private const val UUID_BYTES = 16

private fun listOf(array: Array<*>): List<Any?> = array.map { if (it is Array<*>) listOf(it) else it }

private fun Row.present(index: Int): Any =
    get(index) ?: throw StorageException.BadRow("column ${columns.infos[index].name} is null")

private fun zonedName(type: String): Boolean =
    type.endsWith("tz", ignoreCase = true) || type.contains("with time zone", ignoreCase = true)

/** JDBC has one type for times with a zone and without: only the column tells which. */
private fun Row.isZoned(index: Int): Boolean = zonedName(columns.infos[index].typeName)

private fun Row.zoned(index: Int, value: java.sql.Timestamp, type: String): Instant =
    if (isZoned(index)) value.toInstant() else unfit(index, type)

private inline fun <T> Row.parsed(index: Int, type: String, parse: () -> T): T = try {
    parse()
} catch (_: DateTimeException) {
    unfit(index, type)
} catch (_: IllegalArgumentException) {
    unfit(index, type)
}

/** Not the value: it may be a secret. */
private fun Row.unfit(index: Int, type: String): Nothing = throw StorageException.BadRow(
    "column ${columns.infos[index].name} of type ${get(index)?.let { it::class.simpleName }} does not fit into $type",
)
