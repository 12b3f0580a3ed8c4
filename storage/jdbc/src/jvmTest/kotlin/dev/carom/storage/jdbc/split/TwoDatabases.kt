package dev.carom.storage.jdbc.split

import dev.carom.pool.Backend
import dev.carom.storage.jdbc.JdbcConnect
import dev.carom.storage.jdbc.JdbcSession
import dev.carom.storage.split.Replication
import dev.carom.storage.split.WriteToken
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlDriver
import java.sql.DriverManager
import java.util.UUID

/** Two databases in this process that play a primary and its replica; what they say of themselves is in a table. */
class TwoDatabases {
    private val id = UUID.randomUUID()
    val backends = setOf(Backend("a", "localhost", 1), Backend("b", "localhost", 2))

    /** Which of them says it is a replica. */
    @Volatile var replicas: Set<String> = setOf("b")

    val connect = JdbcConnect { DriverManager.getConnection(url(it.name)) }
    val role = JdbcRole { connection -> replicas.any { connection.metaData.url == url(it).substringBefore(';') } }
    val replication = JdbcReplication { driver -> Told(driver) }

    init {
        for (name in listOf("a", "b")) {
            on(
                name,
                "create table meta (place bigint, lag bigint)",
                "insert into meta values (0, 0)",
                "create table t (v varchar(20))",
                "insert into t values ('$name')",
            )
        }
    }

    private fun url(name: String) = "jdbc:h2:mem:$id-$name;DB_CLOSE_DELAY=-1"

    fun on(name: String, vararg sql: String) = DriverManager.getConnection(url(name)).use { connection ->
        connection.createStatement().use { statement -> sql.forEach(statement::execute) }
    }

    private class Told(private val driver: SqlDriver<JdbcSession>) : Replication<JdbcSession> {
        override suspend fun token(session: JdbcSession) = WriteToken("${ask(session, "place")}")

        override suspend fun hasReached(session: JdbcSession, token: WriteToken) =
            ask(session, "place") >= token.text.toLong()

        override fun covers(later: WriteToken, earlier: WriteToken) = later.text.toLong() >= earlier.text.toLong()

        override suspend fun lagMillis(session: JdbcSession) = ask(session, "lag")

        private suspend fun ask(session: JdbcSession, column: String): Long {
            val cursor = driver.open(session, Sql.of("select $column from meta", emptyList()))
            try {
                return cursor.fetch(2).single().getLong(0)
            } finally {
                cursor.close()
            }
        }
    }
}
