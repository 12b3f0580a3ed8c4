@file:JvmName("RowRecords")

package dev.carom.storage.sql

import dev.carom.storage.StorageException
import java.lang.reflect.InvocationTargetException
import java.lang.reflect.RecordComponent

/**
 * This row as a record (in Kotlin a data class with `@JvmRecord`). Each component takes the column of its name, written
 * exactly so, in another case, or in snake_case (`bornAt` takes `born_at`), by the rules of [get]; a null is refused where
 * the component is a primitive. Columns that no component asks for are left out.
 *
 * @throws StorageException.BadRow if a column is missing or does not fit; the message names it.
 */
public fun <T : Record> Row.to(type: Class<T>): T {
    val components = type.recordComponents
    val values = components.map { component -> valueFor(component, type) }
    val constructor = type.getDeclaredConstructor(*components.map { it.type }.toTypedArray())
    constructor.isAccessible = true
    try {
        return constructor.newInstance(*values.toTypedArray())
    } catch (refused: InvocationTargetException) {
        // The record's own checks.
        throw refused.targetException
    }
}

private fun Row.valueFor(component: RecordComponent, type: Class<*>): Any? {
    val name = listOf(component.name, snakeCase(component.name)).firstOrNull { it.lowercase() in folded() }
        ?: throw StorageException.BadRow("no column for ${type.simpleName}.${component.name} among ${columns.names}")
    val index = columns.indexOf(name)
    return when {
        isNull(index) && !component.type.isPrimitive -> null
        component.type.isEnum -> enumOf(index, component.type)
        else -> get(index, component.type)
    }
}

private fun Row.folded(): Set<String> = columns.names.mapTo(HashSet()) { it.lowercase() }

private fun Row.enumOf(index: Int, type: Class<*>): Any =
    type.enumConstants.firstOrNull { (it as Enum<*>).name == getString(index) }
        ?: throw StorageException.BadRow("column ${columns.infos[index].name} does not fit into ${type.simpleName}")

private fun snakeCase(name: String): String =
    name.replace(Regex("(?<=[a-z0-9])(?=[A-Z])"), "_").lowercase()
