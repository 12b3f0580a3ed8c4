package dev.carom.bench.sockets

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray

/** All windows of one contender with one pattern and one size. */
internal class Standing(val pattern: Pattern, val size: Int, val name: String, val windows: List<JsonObject>) {
    /** The median over the windows. */
    fun median(figure: String): Double {
        val sorted = windows.map { it.getValue(figure).jsonPrimitive.double }.sorted()
        return (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2
    }

    fun json(): JsonObject = buildJsonObject {
        put("pattern", pattern.name)
        put("size", size)
        put("contender", name)
        for (figure in pattern.figures) put("median_$figure", median(figure))
        putJsonArray("windows") { windows.forEach(::add) }
    }
}

internal val Pattern.figures: List<String>
    get() = when (this) {
        Pattern.ReqRep -> listOf("p50_us", "mean_us", "p99_us", "cpu_us")
        Pattern.PushPull -> listOf("messages_per_second", "cpu_us")
    }

/** One bound of ours: a figure of Carom, divided by that of [peer], is at [most], or at [least], so much. */
internal class Target(val pattern: Pattern, val size: Int, val peer: String, val most: Double?, val least: Double?) {
    private val figure = pattern.figures.first()

    fun ratio(standings: List<Standing>, carom: String): Double? {
        val here = standings.filter { it.pattern == pattern && it.size == size }
        val ours = here.find { it.name == carom } ?: return null
        val theirs = here.find { it.name == peer } ?: return null
        return ours.median(figure) / theirs.median(figure)
    }

    fun line(standings: List<Standing>, carom: String): String? {
        val ratio = ratio(standings, carom) ?: return null
        val met = (most == null || ratio <= most) && (least == null || ratio >= least)
        val bound = if (most != null) "at most $most" else "at least $least"
        val what = "${pattern.title} of $size B, ${figure.replace('_', ' ')}: $carom / $peer"
        return "%-76s%8.2f   %-14s %s".format(what, ratio, bound, if (met) "met" else "NOT MET")
    }

    companion object {
        val all: List<Target> = listOf(1, 1024).flatMap {
            listOf(
                Target(Pattern.ReqRep, it, "JeroMQ 0.6.0", most = 0.7, least = null),
                Target(Pattern.ReqRep, it, "nanomsg", most = 0.9, least = null),
            )
        } + listOf(
            Target(Pattern.PushPull, 64, "JeroMQ 0.6.0", most = null, least = 2.0),
            Target(Pattern.PushPull, 1024, "JeroMQ 0.6.0", most = null, least = 1.5),
        )
    }
}

internal fun table(pattern: Pattern, standings: List<Standing>): List<String> {
    val sizes = standings.map { it.size }.distinct()
    val heads = sizes.flatMap { size -> pattern.figures.map { "$size B: ${it.replace('_', ' ')}" } }
    val rows = standings.groupBy { it.name }.map { (name, own) ->
        val cells = sizes.flatMap { size ->
            val standing = own.first { it.size == size }
            pattern.figures.map { figure(pattern, it, standing.median(it)) }
        }
        row(name, cells)
    }
    val rule = "|---|" + heads.joinToString("") { "---:|" }
    return listOf(row(pattern.title, heads), rule) + rows
}

private fun figure(pattern: Pattern, name: String, value: Double): String = when {
    name == "messages_per_second" -> "%,.0f"
    name == "cpu_us" && pattern == Pattern.PushPull -> "%.3f"
    else -> "%.1f"
}.format(value)

private fun row(name: String, cells: List<String>) = "| $name | ${cells.joinToString(" | ")} |"
