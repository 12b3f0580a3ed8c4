package dev.carom.storage.jdbc.split

import dev.carom.pool.Backend
import dev.carom.storage.jdbc.JdbcConnect
import dev.carom.storage.jdbc.MariaServer
import java.sql.DriverManager

/** A MariaDB primary and a replica that follows it by global transaction ids. */
class MariaPair private constructor(val first: MariaServer, val second: MariaServer) : AutoCloseable {
    val backends =
        setOf(Backend("first", "127.0.0.1", first.port), Backend("second", "127.0.0.1", second.port))

    val connect = JdbcConnect { backend ->
        val server = if (backend.name == "first") first else second
        DriverManager.getConnection(server.url("mysql", user = "app"))
    }

    override fun close() {
        second.close()
        first.close()
    }

    companion object {
        /** Null, with a notice, where it is not installed. */
        fun open(): MariaPair? {
            val first = MariaServer.start("--server-id=1", "--log-bin=log", "--gtid-strict-mode=1") ?: return null
            val second =
                MariaServer.start("--server-id=2", "--log-bin=log", "--gtid-strict-mode=1", "--read-only=1")
                    ?: return null
            second.told(
                "change master to master_host = '127.0.0.1', master_port = ${first.port}, master_user = 'carom', " +
                    "master_password = 'carom', master_use_gtid = slave_pos",
                "start slave",
            )
            return MariaPair(first, second)
        }
    }
}
