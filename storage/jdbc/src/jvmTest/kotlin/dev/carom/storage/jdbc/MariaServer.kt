package dev.carom.storage.jdbc

import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.sql.DriverManager
import java.sql.SQLException
import kotlin.io.path.isExecutable

/** A MariaDB server of the tests' own, where one is installed. */
class MariaServer private constructor(private val port: Int) {
    fun database(name: String): String {
        DriverManager.getConnection(url("mysql")).use { connection ->
            connection.createStatement().use {
                it.execute("drop database if exists $name")
                it.execute("create database $name")
            }
        }
        return url(name)
    }

    private fun url(database: String) =
        "jdbc:mariadb://127.0.0.1:$port/$database?user=carom&password=carom&useResetConnection=true"

    companion object {
        val shared: MariaServer? by lazy { start() }

        private fun start(): MariaServer? {
            val places = System.getenv("PATH").split(':') + "/usr/sbin"
            val server = places.map { Path.of(it, "mariadbd") }.firstOrNull { it.isExecutable() }
            if (server == null) {
                System.err.println("NOTICE: no MariaDB here (apt-get install mariadb-server), its tests are skipped")
                return null
            }
            val home = Files.createTempDirectory("carom-maria")
            val data = home.resolve("data")
            val user = if (System.getProperty("user.name") == "root") listOf("--user=mysql") else listOf()
            if (user.isNotEmpty()) run(listOf("chown", "mysql", "$home"))
            run(listOf("mariadb-install-db", "--no-defaults", "--datadir=$data", "--skip-test-db") + user)
            val init = home.resolve("init.sql")
            Files.writeString(
                init,
                "create user carom@'127.0.0.1' identified by 'carom';\ngrant all on *.* to carom@'127.0.0.1';\n",
            )
            val port = ServerSocket(0).use { it.localPort }
            val command = listOf(
                "$server", "--no-defaults", "--datadir=$data", "--port=$port", "--bind-address=127.0.0.1",
                "--socket=$home/socket", "--pid-file=$home/pid", "--init-file=$init", "--skip-name-resolve",
            ) + user
            val log = home.resolve("log").toFile()
            val process = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log).start()
            Runtime.getRuntime().addShutdownHook(Thread { process.destroy() })
            val started = MariaServer(port)
            var failure: SQLException? = null
            repeat(300) {
                check(process.isAlive) { "mariadbd ended with ${process.exitValue()}: ${log.readText().takeLast(500)}" }
                try {
                    DriverManager.getConnection(started.url("mysql")).close()
                    return started
                } catch (e: SQLException) {
                    failure = e
                    process.waitFor(100, java.util.concurrent.TimeUnit.MILLISECONDS)
                }
            }
            throw IllegalStateException("mariadbd did not come up: ${log.readText().takeLast(500)}", failure)
        }
    }
}
