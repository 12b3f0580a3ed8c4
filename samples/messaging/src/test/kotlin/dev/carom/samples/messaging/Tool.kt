package dev.carom.samples.messaging

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import java.io.BufferedReader
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** nanocat or nngcat, as another process. */
class Tool private constructor(private val process: Process) : AutoCloseable {
    private val output: BufferedReader = process.inputStream.bufferedReader()

    /** The next line it prints, without the quotes. */
    suspend fun line(): String = runInterruptible(Dispatchers.IO) {
        checkNotNull(output.readLine()) {
            "ended with ${process.waitFor()} and said nothing more"
        }.removeSurrounding("\"")
    }

    /** How it ended by itself. */
    suspend fun exit(): Int = runInterruptible(Dispatchers.IO) { process.waitFor() }

    override fun close() {
        process.destroy()
        if (!process.waitFor(2, TimeUnit.SECONDS)) process.destroyForcibly()
    }

    /** One of the programs, if it is installed. */
    enum class Program(private val first: List<String>, val transports: List<String>) {
        Nanocat(listOf("nanocat"), listOf("tcp", "ipc")),
        Nngcat(listOf("nngcat", "--compat"), listOf("tcp", "ipc", "tls+tcp")),
        ;

        /** Why nothing can be tried with it, or null. */
        val missing: String?
            get() = when {
                !System.getProperty("carom.interop").toBoolean() -> "set -Dcarom.interop=true to try it"

                System.getenv("PATH").split(':').none {
                    Files.isExecutable(Path.of(it, first.first()))
                } -> "not installed"

                else -> null
            }

        /** Starts it with these arguments. `--pair` is the pair that nanomsg knows. */
        fun start(vararg arguments: String): Tool {
            val pair = if (this == Nngcat) "--pair0" else "--pair"
            val command = first + arguments.map { if (it == "--pair") pair else it }
            return Tool(ProcessBuilder(command).redirectErrorStream(true).start())
        }
    }
}
