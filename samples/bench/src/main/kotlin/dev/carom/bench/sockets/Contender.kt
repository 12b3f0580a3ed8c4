package dev.carom.bench.sockets

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import java.io.BufferedReader
import java.io.BufferedWriter
import java.net.InetAddress
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/** What is measured: who is told of a window, and who tells what came of it. */
internal enum class Pattern(val title: String, val client: String, val server: String, val clientTells: Boolean) {
    ReqRep("REQ/REP, round trip", "ask", "echo", clientTells = true),
    PushPull("PUSH/PULL, throughput", "flood", "count", clientTells = false),
}

/** A library, and the command line of its two programs: `ask`, `echo`, `flood` and `count` at a URL. */
internal class Contender(val name: String, val command: (part: String, url: String) -> List<String>)

/** Two processes of one contender, connected over loopback TCP. They end when this closes, or with this process. */
internal class Duo(val contender: Contender, private val pattern: Pattern) : AutoCloseable {
    private class Part(command: List<String>) : AutoCloseable {
        private val log: Path = Files.createTempFile("versus", ".log")
        private val process = ProcessBuilder(command).redirectError(log.toFile()).start()
        val input: BufferedWriter = process.outputStream.bufferedWriter()
        val output: BufferedReader = process.inputStream.bufferedReader()
        val cpu: Duration get() = process.info().totalCpuDuration().orElse(Duration.ZERO)

        fun complaint(): String = "alive: ${process.isAlive}; ${Files.readString(log)}"

        override fun close() {
            process.destroy()
            if (!process.waitFor(2, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
            Files.deleteIfExists(log)
        }
    }

    private val url = "tcp://127.0.0.1:${freePort()}"
    private val server = Part(contender.command(pattern.server, url))
    private val client = Part(contender.command(pattern.client, url))

    /** Processor time of both processes since they started. */
    val cpu: Duration get() = server.cpu + client.cpu

    /** What one window came to. */
    fun window(size: Int, millis: Int): JsonObject {
        client.input.write("$size $millis\n")
        client.input.flush()
        val teller = if (pattern.clientTells) client else server
        val line = CompletableFuture.supplyAsync { teller.output.readLine() }
        val said = try {
            line.get(millis + PATIENCE, TimeUnit.MILLISECONDS)
        } catch (_: TimeoutException) {
            null
        }
        checkNotNull(said) {
            "${contender.name} says nothing. Client: ${client.complaint()} Server: ${server.complaint()}"
        }
        return Json.parseToJsonElement(said).jsonObject
    }

    override fun close() {
        client.close()
        server.close()
    }

    private companion object {
        /** Milliseconds for what is still under way when a window is over; the first starts a virtual machine. */
        const val PATIENCE = 10_000L

        fun freePort(): Int = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
    }
}

/** Those that can be measured here; of the others a line says why not. */
internal fun contenders(): List<Contender> = listOfNotNull(
    carom("Carom", "default"),
    carom("Carom, unconfined", "unconfined"),
    carom("Carom, threads", "blocking"),
    Contender("JeroMQ 0.6.0") { part, url -> java("dev.carom.bench.sockets.JeromqWindows", part, url) },
    compiled("nanomsg", "libnanomsg-dev"),
    compiled("nng", "libnng-dev"),
)

private fun carom(name: String, dispatcher: String) = Contender(name) { part, url ->
    val mode = if (part == "ask" ||
        part == "echo"
    ) {
        listOf("lat", "--proto=reqrep")
    } else {
        listOf("thr", "--proto=pipeline")
    }
    val role = if (part == "ask" || part == "flood") "client" else "server"
    val options = listOf("--role=$role", "--url=$url", "--dispatcher=$dispatcher", "--windows", "--json")
    java("dev.carom.samples.messaging.perf.SpperfKt", *(mode + options).toTypedArray())
}

private fun java(main: String, vararg arguments: String): List<String> {
    val java = System.getProperty("java.home") + "/bin/java"
    return listOf(java, "-Xmx512m", "-cp", System.getProperty("java.class.path"), main) + arguments
}

/** A program in C, compiled here: null, and a line that says so, without its library or a compiler. */
private fun compiled(library: String, development: String): Contender? {
    val directory = Files.createTempDirectory("versus")
    for (file in listOf("windows.h", "$library.c")) {
        Contender::class.java.getResourceAsStream(file).use { Files.copy(checkNotNull(it), directory.resolve(file)) }
    }
    val program = directory.resolve(library)
    val command = listOf("cc", "-O2", "-o", "$program", "$directory/$library.c", "-l$library", "-lpthread")
    val complaint = try {
        val compiler = ProcessBuilder(command).redirectErrorStream(true).start()
        val said = compiler.inputStream.bufferedReader().readText()
        if (compiler.waitFor() == 0) null else said.lineSequence().first()
    } catch (e: java.io.IOException) {
        e.message
    }
    directory.toFile().walk().forEach { it.deleteOnExit() }
    if (complaint == null) return Contender(library) { part, url -> listOf("$program", part, url) }
    println("$library is SKIPPED: it needs cc and $development ($complaint)")
    return null
}
