package dev.carom.samples.messaging

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import java.io.BufferedReader
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** nngcat, as another process. */
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

    companion object {
        private val FIRST = listOf("nngcat", "--compat")

        /** Why nothing can be tried with it, or null. */
        val missing: String?
            get() = when {
                !System.getProperty("carom.interop").toBoolean() -> "set -Dcarom.interop=true to try it"

                System.getenv("PATH").split(':').none {
                    Files.isExecutable(Path.of(it, FIRST.first()))
                } -> "not installed"

                else -> null
            }

        /** Starts it with these arguments. `--pair` is the pair that nanomsg knows. */
        fun start(vararg arguments: String): Tool {
            val command = FIRST + arguments.map { if (it == "--pair") "--pair0" else it }
            return Tool(ProcessBuilder(command).redirectErrorStream(true).start())
        }
    }
}
