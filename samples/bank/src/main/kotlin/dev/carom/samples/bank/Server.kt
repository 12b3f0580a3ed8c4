package dev.carom.samples.bank

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres
import java.io.IOException
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.TimeUnit.SECONDS
import kotlin.io.path.exists
import kotlin.io.path.isExecutable
import kotlin.io.path.listDirectoryEntries
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** A PostgreSQL server of this process, which can be restarted: the same data on the same port. */
class Server private constructor(private val home: Path, private val start: (Int) -> Running) : AutoCloseable {
    private class Running(val port: Int, val stop: () -> Unit)

    private var running: Running = start(ServerSocket(0).use { it.localPort })

    val port: Int = running.port

    /**
     * For JDBC, as somebody with a name that the server shows. Whoever cancels waits longer than a pool's grace for the server
     * to say that it has: a request that nobody waits for may stop the next statement.
     */
    fun url(application: String): String =
        "jdbc:postgresql://127.0.0.1:$port/postgres?user=postgres&ApplicationName=$application&cancelSignalTimeout=40"

    /** Whoever is connected is thrown out. Returns when it answers again. */
    @Synchronized
    fun restart() {
        running.stop()
        running = start(port)
    }

    @Synchronized
    override fun close() {
        running.stop()
        home.toFile().deleteRecursively()
    }

    companion object {
        /** What comes as a jar; else what is installed; else null, and says why. */
        @JvmStatic
        fun open(): Server? {
            val tried = mutableListOf<String>()
            for (way in listOf(::unpacked, ::installed)) {
                val home = Files.createTempDirectory("carom-bank")
                try {
                    way(home)?.let { return Server(home, it) }
                } catch (e: IOException) {
                    tried += e.toString()
                } catch (e: IllegalStateException) {
                    tried += e.toString()
                }
                home.toFile().deleteRecursively()
            }
            System.err.println("NOTICE: no PostgreSQL can be started here: $tried")
            return null
        }

        private fun unpacked(home: Path): (Int) -> Running = { port ->
            val server = EmbeddedPostgres.builder()
                .setPort(port)
                .setDataDirectory(home.resolve("data"))
                .setCleanDataDirectory(false)
                .setPGStartupWait(Duration.ofSeconds(60))
                .start()
            Running(server.port) {
                server.close()
                // Which gives up after 5 s, and only logs that.
                awaitGone(home.resolve("data/postmaster.pid"))
            }
        }

        /** The server deletes [lock] as the last thing it does. */
        private fun awaitGone(lock: Path) {
            val start = TimeSource.Monotonic.markNow()
            while (lock.exists()) {
                check(start.elapsedNow() < MOST_STOPPING) { "PostgreSQL did not end within $MOST_STOPPING" }
                Thread.sleep(PAUSE_MILLIS)
            }
        }

        private fun installed(home: Path): ((Int) -> Running)? {
            val versions = Path.of("/usr/lib/postgresql").takeIf(Files::isDirectory)?.listDirectoryEntries().orEmpty()
            val bin =
                versions.map { it.resolve("bin") }.lastOrNull { it.resolve("pg_ctl").isExecutable() } ?: return null
            val root = System.getProperty("user.name") == "root"
            // The server refuses to be run by root.
            val user = if (root) listOf("runuser", "-u", "postgres", "--") else listOf()
            if (root) run(listOf("chown", "postgres", "$home"))
            val data = "$home/data"
            run(user + listOf("$bin/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"))
            return { port ->
                val options = "-p $port -k $home"
                run(user + listOf("$bin/pg_ctl", "-D", data, "-l", "$home/log", "-w", "-o", options, "start"))
                Running(port) { run(user + listOf("$bin/pg_ctl", "-D", data, "-w", "-m", "fast", "stop")) }
            }
        }

        private val MOST_STOPPING = 60.seconds
        private const val PAUSE_MILLIS = 5L

        private fun run(command: List<String>) {
            val log = Files.createTempFile("carom", ".log").toFile()
            val process = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log).start()
            check(process.waitFor(60, SECONDS)) { "$command did not end within 60 s" }
            check(process.exitValue() == 0) {
                "$command: exit code ${process.exitValue()}: ${log.readText().takeLast(500)}"
            }
        }
    }
}
