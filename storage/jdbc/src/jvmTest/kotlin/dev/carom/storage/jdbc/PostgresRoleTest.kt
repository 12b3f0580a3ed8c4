package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Role
import dev.carom.pool.asResolver
import dev.carom.storage.DestroyReason
import dev.carom.storage.StorageException
import dev.carom.storage.conn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.scalar
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flowOf
import java.sql.DriverManager
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

class PostgresRoleTest :
    FunSpec({
        postgres("AT-03: a demoted primary gets no more writes; the new one gets them, reads go on") { old ->
            val other = checkNotNull(PostgresServer.start()) { "the second server" }
            other.use { new ->
                listOf(old, new).forEach {
                    it.database("at03")
                    DriverManager.getConnection(it.url("at03")).use { c ->
                        c.createStatement().use { s -> s.execute("create table t (port int)") }
                    }
                }
                new.readOnly(true)
                try {
                    coroutineScope { failOver(old, new) }
                } finally {
                    old.readOnly(false)
                }
            }
        }

        postgres("a write that is refused as read-only costs its connection, and the backend its role") { server ->
            server.world("demoted", sessions = 1, jdbc = JdbcPolicy(Role.Primary)) { world ->
                world.pool.exec("create table t (n int)")
                val pid = world.pool.scalar("select pg_backend_pid()")
                shouldThrow<StorageException.Platform> {
                    world.pool.conn { conn ->
                        conn.exec("set default_transaction_read_only = on")
                        conn.exec("insert into t values (1)")
                    }
                }.state shouldBe "25006"
                // It was this session's setting only: asked again, the server says that it is the primary.
                world.pool.exec("insert into t values (2)")
                (world.pool.scalar("select pg_backend_pid()") == pid) shouldBe false
                world.pool.stats().destroyed[DestroyReason.BROKEN] shouldBe 1
            }
        }

        test("a dialect without roles refuses one") {
            coroutineScope {
                val database = Embedded.h2()
                shouldThrow<IllegalArgumentException> {
                    val resolver = flowOf(setOf(database.backend)).asResolver()
                    openJdbc("h2", database.dialect, resolver, database.connect(), jdbc = JdbcPolicy(Role.Primary))
                }
            }
        }
    })

private const val WRITES = 50

private suspend fun CoroutineScope.failOver(old: PostgresServer, new: PostgresServer) {
    val backends = listOf(old, new).map { Backend("pg${it.port}", "127.0.0.1", it.port) }.toSet()
    val connect = JdbcConnect {
        DriverManager.getConnection("jdbc:postgresql://127.0.0.1:${it.port}/at03?user=postgres&ApplicationName=at03")
    }
    val numbers = PoolPolicy(8, 16, roleInterval = 2.seconds)
    fun open(role: Role) =
        openJdbc(
            "$role",
            JdbcDialect.POSTGRESQL,
            flowOf(backends).asResolver(),
            connect,
            numbers,
            jdbc = JdbcPolicy(role),
        )
    val writes = open(Role.Primary)
    val reads = open(Role.Replica)
    suspend fun write() = writes.exec("insert into t values (inet_server_port())")
    try {
        coroutineScope { List(8) { async { write() } }.awaitAll() }
        old.asked<Any>("select 1")
        old.readOnly(true)
        val start = TimeSource.Monotonic.markNow()
        var failures = 0
        new.readOnly(false)
        suspend fun written() = try {
            write()
            true
        } catch (e: StorageException.Platform) {
            e.state shouldBe "25006"
            failures++
            false
        }
        while (!written()) check(start.elapsedNow() < 20.seconds) { "no write has gone to the new primary" }
        val took = start.elapsedNow()
        // Both may be taken for the primary for a while, and each connection to the old one finds out once.
        var more = 0
        while (more < WRITES) {
            if (written()) more++
            check(start.elapsedNow() < 40.seconds) { "$more writes of $WRITES" }
        }
        // The pool for reads asks for roles in its own time; until then it reads where it did.
        while (reads.scalar("select inet_server_port()") != old.port) {
            check(start.elapsedNow() < 40.seconds) { "no read has gone to the demoted server" }
        }
        println("AT-03: $failures writes failed, the new primary got them after $took; reads go to the old one")
        failures shouldBeLessThanOrEqualTo 8
        took shouldBeLessThan 20.seconds
        DriverManager.getConnection(new.url("at03")).use { c ->
            c.createStatement().use { s ->
                s.executeQuery("select count(*) from t").use { it.next().run { it.getInt(1) } } shouldBe WRITES + 1
            }
        }
    } finally {
        writes.close(0)
        reads.close(0)
    }
}

/**
 * Returns when the server has it, not when it was asked: whoever connects after the postmaster has read its configuration sees
 * it, and by then every other session has been signalled, which looks before its next command.
 */
private fun PostgresServer.readOnly(on: Boolean) {
    val wanted = if (on) "on" else "off"
    DriverManager.getConnection(url()).use { connection ->
        connection.createStatement().use {
            it.execute("set default_transaction_read_only = off")
            it.execute("alter system set default_transaction_read_only = $wanted")
            it.execute("select pg_reload_conf()")
        }
    }
    while (seenByNewSession() != wanted) Thread.onSpinWait()
}

private fun PostgresServer.seenByNewSession(): String = DriverManager.getConnection(url()).use { connection ->
    connection.createStatement().use { statement ->
        statement.executeQuery("show default_transaction_read_only").use { it.next().run { it.getString(1) } }
    }
}
