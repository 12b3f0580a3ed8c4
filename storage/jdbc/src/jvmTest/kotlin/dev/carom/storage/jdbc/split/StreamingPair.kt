package dev.carom.storage.jdbc.split

import dev.carom.pool.Backend
import dev.carom.storage.jdbc.run
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.isExecutable
import kotlin.io.path.listDirectoryEntries

/** A PostgreSQL primary and a replica that streams from it, of what is installed; the embedded one has no pg_basebackup. */
class StreamingPair private constructor(private val bin: Path, private val home: Path) : AutoCloseable {
    // The server refuses to be run by root.
    private val root = System.getProperty("user.name") == "root"
    private val user = if (root) listOf("runuser", "-u", "postgres", "--") else emptyList()
    private val running = mutableListOf<String>()
    lateinit var primary: Backend
        private set
    lateinit var replica: Backend
        private set

    private fun open() {
        if (root) run(listOf("chown", "postgres", "$home"))
        run(user + listOf("$bin/initdb", "-D", "$home/primary", "-U", "postgres", "-A", "trust", "-N"))
        primary = start("primary")
        val from = "host=127.0.0.1 port=${primary.port} user=postgres"
        run(user + listOf("$bin/pg_basebackup", "-D", "$home/replica", "-R", "-X", "stream", "-c", "fast", "-d", from))
        replica = start("replica")
    }

    private fun start(name: String): Backend {
        val port = ServerSocket(0).use { it.localPort }
        val options = "-p $port -k $home -c listen_addresses=127.0.0.1 -c hot_standby=on"
        run(user + listOf("$bin/pg_ctl", "-D", "$home/$name", "-w", "-l", "$home/$name.log", "-o", options, "start"))
        running += name
        return Backend(name, "127.0.0.1", port)
    }

    /** The replica becomes the primary. */
    fun promote() = run(user + listOf("$bin/pg_ctl", "-D", "$home/replica", "-w", "promote"))

    fun stop(name: String) {
        if (running.remove(
                name,
            )
        ) {
            run(user + listOf("$bin/pg_ctl", "-D", "$home/$name", "-w", "-m", "immediate", "stop"))
        }
    }

    override fun close() {
        running.toList().reversed().forEach(::stop)
        home.toFile().deleteRecursively()
    }

    companion object {
        /** Null, and said so, where it cannot be had. */
        fun open(): StreamingPair? {
            val versions = Path.of("/usr/lib/postgresql").takeIf(Files::isDirectory)?.listDirectoryEntries().orEmpty()
            val bin = versions.map { it.resolve("bin") }.lastOrNull { it.resolve("pg_basebackup").isExecutable() }
            if (bin == null) {
                System.err.println(
                    "SKIPPED: no installed PostgreSQL with pg_basebackup: no streaming replica was tried",
                )
                return null
            }
            val pair = StreamingPair(bin, Files.createTempDirectory("carom-pair"))
            try {
                pair.open()
            } catch (failure: Throwable) {
                pair.close()
                throw failure
            }
            Runtime.getRuntime().addShutdownHook(Thread { pair.close() })
            return pair
        }
    }
}
