package dev.carom.bench.sockets

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import java.nio.file.Files
import java.nio.file.Path
import java.util.Locale
import java.util.concurrent.locks.LockSupport
import kotlin.io.path.exists
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

private val IDLE = 5.seconds

/**
 * What does a round trip cost, and how many messages go one way, between two processes over loopback TCP: with Carom's
 * sockets, JeroMQ, nanomsg and nng? All are connected at once and take turns of a few hundred milliseconds, each round
 * begins with another: whatever else goes on in the machine hits them alike. The first turns of each are thrown away, as
 * many as a virtual machine needs to compile what is measured; the figures are medians over the others; cpu is what a round
 * trip or a message cost both processes. Processor time of a pair that is connected and silent: over 5 s.
 *
 * Arguments, all optional: `rounds=7 window=400 warm=24`, windows in milliseconds; `only=ReqRep` or `only=PushPull`.
 */
internal fun main(args: Array<String>) {
    Locale.setDefault(Locale.ROOT)
    val versus = Versus(
        rounds = number(args, "rounds", 7),
        window = number(args, "window", 400),
        warm = number(args, "warm", 24),
    )
    println("load before: ${load()}")
    val only = args.firstOrNull { it.startsWith("only=") }?.substringAfter('=')
    if (only != "PushPull") versus.measure(Pattern.ReqRep, sizes = listOf(1, 1024))
    if (only != "ReqRep") versus.measure(Pattern.PushPull, sizes = listOf(64, 1024))
    versus.conclude()
    println("load after: ${load()}")
}

private class Versus(private val rounds: Int, private val window: Int, private val warm: Int) {
    private val contenders = contenders()
    private val standings = ArrayList<Standing>()
    private val idle = LinkedHashMap<String, Double>()

    fun measure(pattern: Pattern, sizes: List<Int>) {
        val duos = ArrayList<Duo>()
        try {
            contenders.mapTo(duos) { Duo(it, pattern) }
            each(duos) { duo -> repeat(warm) { duo.window(sizes[it % sizes.size], window) } }
            val windows = HashMap<Pair<String, Int>, ArrayList<JsonObject>>()
            repeat(rounds) { round ->
                for (size in sizes) {
                    each(duos, first = round) { duo ->
                        windows.getOrPut(duo.contender.name to size, ::ArrayList) += measured(duo, size)
                    }
                }
            }
            for (size in sizes) {
                duos.map { it.contender.name }.mapTo(standings) {
                    Standing(pattern, size, it, windows.getValue(it to size))
                }
            }
            println()
            table(pattern, standings.filter { it.pattern == pattern }).forEach(::println)
            if (pattern == Pattern.ReqRep) idle(duos)
        } finally {
            duos.forEach { it.close() }
        }
    }

    /** All of [duos] in turn, beginning with number [first]. A peer that fails is left out from then on; Carom must not. */
    private fun each(duos: MutableList<Duo>, first: Int = 0, act: (Duo) -> Unit) {
        for (duo in List(duos.size) { duos[(first + it) % duos.size] }) {
            try {
                act(duo)
            } catch (e: IllegalStateException) {
                if (duo.contender.name.startsWith("Carom")) throw e
                println("LEFT OUT: ${e.message?.trim()}")
                duos.remove(duo)
                duo.close()
            }
        }
    }

    /** A window, and what it cost: on a busy machine that is firmer than how long it took. */
    private fun measured(duo: Duo, size: Int): JsonObject {
        val before = duo.cpu
        val told = duo.window(size, window)
        val micros = (duo.cpu - before).toNanos() / 1e3
        return JsonObject(told + ("cpu_us" to JsonPrimitive(micros / told.getValue("count").jsonPrimitive.long)))
    }

    private fun idle(duos: List<Duo>) {
        val before = duos.map { it.cpu }
        pause(IDLE)
        duos.forEachIndexed { i, duo ->
            idle[duo.contender.name] = (duo.cpu - before[i]).toMillis().toDouble() / IDLE.inWholeSeconds
        }
        println()
        println("connected and silent, processor time of both processes, ms per second:")
        for ((name, millis) in idle) println("  %-20s%6.1f".format(name, millis))
    }

    fun conclude() {
        println()
        for (carom in contenders.map { it.name }.filter { it.startsWith("Carom") }) {
            Target.all.mapNotNull { it.line(standings, carom) }.forEach(::println)
        }
        val json = buildJsonObject {
            put("rounds", rounds)
            put("window_ms", window)
            putJsonArray("standings") { standings.forEach { add(it.json()) } }
            putJsonArray("idle") {
                for ((name, millis) in idle) {
                    add(
                        buildJsonObject {
                            put("contender", name)
                            put("cpu_ms_per_s", millis)
                        },
                    )
                }
            }
        }
        val file = Path.of(if (Files.isDirectory(Path.of("target"))) "target/versus.json" else "versus.json")
        file.writeText("$json\n")
        println("all windows, as JSON: ${file.toAbsolutePath()}")
    }
}

private fun number(args: Array<String>, name: String, default: Int): Int {
    val given = args.firstOrNull { it.startsWith("$name=") } ?: return default
    return given.substringAfter('=').toInt().also { require(it > 0) { "$name must be positive, was $it" } }
}

private fun load(): String {
    val file = Path.of("/proc/loadavg")
    return if (file.exists()) file.readText().trim() else "unknown"
}

private fun pause(time: Duration) {
    val end = TimeSource.Monotonic.markNow() + time
    while (end.hasNotPassedNow()) LockSupport.parkNanos((-end.elapsedNow()).inWholeNanoseconds)
}
