package dev.carom.samples.messaging.demo

/** One promise and what came of it. */
data class Check(val name: String, val measured: String, val bound: String, val ok: Boolean)

/** All promises of a run. */
class Verdict(val checks: List<Check>) {
    val ok: Boolean get() = checks.all { it.ok }

    /** The names of the promises not kept. */
    val missed: List<String> get() = checks.filterNot { it.ok }.map { it.name }

    /** One line for each check. */
    override fun toString(): String {
        val rows = listOf(listOf("check", "measured", "bound", "")) +
            checks.map { listOf(it.name, it.measured, it.bound, if (it.ok) "ok" else "MISSED") }
        val widths = rows.first().indices.map { column -> rows.maxOf { it[column].length } }
        return rows.joinToString("\n") { row ->
            row.withIndex().joinToString("  ") { (column, text) -> text.padEnd(widths[column]) }.trimEnd()
        }
    }
}
