package dev.carom.storage.jdbc

import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.sql.DriverManager
import java.sql.SQLException
import kotlin.io.path.isExecutable

/** A MariaDB server of the tests' own, where one is installed. */
class MariaServer private constructor(val port: Int, private val process: Process, private val home: Path) :
    AutoCloseable {
    fun database(name: String): String {
        DriverManager.getConnection(url("mysql")).use { connection ->
            connection.createStatement().use {
                it.execute("drop database if exists $name")
                it.execute("create database $name")
            }
        }
        return url(name)
    }

    /** As a user who may do anything; as `app`, of one who may not write to a server that is read-only. */
    fun url(database: String, user: String = "carom") =
        "jdbc:mariadb://127.0.0.1:$port/$database?user=$user&password=$user&useResetConnection=true"

    fun told(vararg sql: String) = DriverManager.getConnection(url("mysql")).use { connection ->
        connection.createStatement().use { statement -> sql.forEach(statement::execute) }
    }

    /** The first row of the answer, by name. */
    fun asked(sql: String): Map<String, String?> = DriverManager.getConnection(url("mysql")).use { connection ->
        connection.createStatement().use { statement ->
            statement.executeQuery(sql).use { result ->
                val columns = (1..result.metaData.columnCount).map(result.metaData::getColumnLabel)
                if (result.next()) columns.associateWith(result::getString) else emptyMap()
            }
        }
    }

    override fun close() {
        process.destroy()
        process.waitFor()
        home.toFile().deleteRecursively()
    }

    companion object {
        val shared: MariaServer? by lazy { start() }

        /** One more, with these options; null, with a notice, where it is not installed. */
        fun start(vararg options: String): MariaServer? {
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
                """
                set sql_log_bin=0;
                create user carom@'127.0.0.1' identified by 'carom';
                grant all on *.* to carom@'127.0.0.1';
                create user app@'127.0.0.1' identified by 'app';
                grant select, insert, update, delete, create, drop, replica monitor on *.* to app@'127.0.0.1';

                """.trimIndent(),
            )
            val port = ServerSocket(0).use { it.localPort }
            val command = listOf(
                "$server", "--no-defaults", "--datadir=$data", "--port=$port", "--bind-address=127.0.0.1",
                "--socket=$home/socket", "--pid-file=$home/pid", "--init-file=$init", "--skip-name-resolve",
            ) + user + options
            val log = home.resolve("log").toFile()
            val process = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log).start()
            val started = MariaServer(port, process, home)
            Runtime.getRuntime().addShutdownHook(Thread { started.close() })
            var failure: SQLException? = null
            repeat(1_800) {
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
