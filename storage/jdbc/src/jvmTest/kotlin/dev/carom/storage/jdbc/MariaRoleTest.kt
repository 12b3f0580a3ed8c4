package dev.carom.storage.jdbc

import dev.carom.pool.Backend
import dev.carom.pool.PoolPolicy
import dev.carom.pool.Role
import dev.carom.pool.asResolver
import dev.carom.storage.DestroyReason
import dev.carom.storage.ErrorCategory
import dev.carom.storage.OpOptions
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnPolicy
import dev.carom.storage.conn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.scalar
import dev.carom.storage.sql.sql
import dev.carom.storage.txn
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.sql.DriverManager
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class MariaRoleTest :
    FunSpec({
        val server = MariaServer.start()

        afterSpec { server?.close() }

        fun maria(name: String, block: suspend (MariaServer) -> Unit) {
            if (server == null) xtest(name) {} else test(name) { withContext(Dispatchers.Default) { block(server) } }
        }

        maria("1290: a server that turns read-only under a running pool gets no writes until it is writable") { maria ->
            // Waited out once, by the write that no backend may get.
            primary(maria, "read_only", acquireTimeout = 3.seconds) { pool ->
                withTimeout(30.seconds) { while (!allAnswer(pool)) delay(5) }
                pool.exec("create table t (n int)")
                coroutineScope { List(4) { async { pool.exec("insert into t values (1)") } }.awaitAll() }
                maria.told("set global read_only = 1")
                var refused = 0
                shouldThrow<StorageException.AcquireTimeout> {
                    while (true) {
                        try {
                            pool.exec("insert into t values (2)")
                        } catch (platform: StorageException.Platform) {
                            platform.category shouldBe ErrorCategory.READ_ONLY
                            platform.code shouldBe 1290
                            refused++
                        }
                    }
                }
                // Each connection that was open finds out once at most: the first refusal takes the role from all.
                refused shouldBeLessThanOrEqualTo 4
                maria.told("set global read_only = 0")
                withTimeout(30.seconds) { while (!written(pool)) delay(5) }
                pool.scalar("select count(*) from t where n = 2") shouldBe 1L
            }
        }

        maria("1792: a write in a session set to read only costs its connection, and the backend its role") { maria ->
            primary(maria, "session", sessions = 1) { pool ->
                pool.exec("create table t (n int)")
                shouldThrow<StorageException.Platform> {
                    pool.conn { conn ->
                        conn.exec("set session transaction read only")
                        conn.exec("insert into t values (1)")
                    }
                }.code shouldBe 1792
                pool.stats().destroyed[DestroyReason.BROKEN] shouldBe 1
                // It was this session's setting only: asked again, the server says that it is the primary.
                withTimeout(20.seconds) { while (!written(pool)) delay(5) }
            }
        }

        maria("1792: in a transaction that was begun read-only the same words mean only that") { maria ->
            primary(maria, "asked_for", sessions = 1) { pool ->
                pool.exec("create table t (n int)")
                val id = pool.scalar("select connection_id()")
                shouldThrow<StorageException.Platform> {
                    // Called a read, or this library would refuse it: it is the server that is to.
                    val write = sql("insert into t values (1)").with(OpOptions.READ)
                    pool.txn(TxnPolicy(readOnly = true)) { it.exec(write) }
                }.code shouldBe 1792
                pool.scalar("select connection_id()") shouldBe id
            }
        }

        maria("1836: a server that runs read-only altogether is no primary") { maria ->
            primary(maria, "altogether", sessions = 1) { pool ->
                val signal = "signal sqlstate 'HY000' set mysql_errno = 1836, message_text = 'read-only mode'"
                shouldThrow<StorageException.Platform> { pool.exec(signal) }.category shouldBe ErrorCategory.READ_ONLY
                pool.stats().destroyed[DestroyReason.BROKEN] shouldBe 1
                withTimeout(20.seconds) { while (pool.scalar("select 1") != 1) delay(5) }
            }
        }
    })

/** Whether all connections are open, and their server is known to be the primary. */
private suspend fun allAnswer(pool: JdbcPool): Boolean = try {
    coroutineScope { List(4) { async { pool.scalar("select sleep(0.1)") } }.awaitAll() }
    true
} catch (_: StorageException.AcquireTimeout) {
    false
}

private suspend fun written(pool: JdbcPool): Boolean = try {
    pool.exec("insert into t values (2)").rowsAffected == 1L
} catch (_: StorageException.AcquireTimeout) {
    false
}

private suspend fun primary(
    maria: MariaServer,
    name: String,
    sessions: Int = 4,
    acquireTimeout: Duration = 20.seconds,
    block: suspend CoroutineScope.(JdbcPool) -> Unit,
) = coroutineScope {
    maria.database(name)
    val pool = openJdbc(
        name,
        JdbcDialect.MYSQL,
        flowOf(setOf(Backend("maria", "127.0.0.1", maria.port))).asResolver(),
        { DriverManager.getConnection(maria.url(name, user = "app")) },
        PoolPolicy(sessions, sessions, roleInterval = 50.milliseconds),
        StoragePolicy(acquireTimeout = acquireTimeout),
        JdbcPolicy(Role.Primary),
    )
    try {
        block(pool)
    } finally {
        pool.close(0)
    }
}
