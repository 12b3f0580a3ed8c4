package dev.carom.storage.jdbc

import dev.carom.storage.DestroyReason
import dev.carom.storage.ErrorCategory
import dev.carom.storage.StorageException
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.scalar
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.INFINITE
import kotlin.time.Duration.Companion.hours

/** Ends the server's end of every connection that idles. */
private suspend fun PostgresWorld.endIdle() {
    ask(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = '$name' and state = 'idle'",
    )
    until("none is left") { backends("state = 'idle'") == 0 }
}

class IdleTest :
    FunSpec({
        postgres("T18 the server ended an idle connection: the next statement runs on another one, once") { server ->
            server.world("idle_asked", sessions = 1, jdbc = JdbcPolicy(validateAfter = Duration.ZERO)) { world ->
                world.pool.exec("create table t (n int)")
                repeat(20) { n ->
                    world.endIdle()
                    world.pool.exec("insert into t values (?)", n).rowsAffected shouldBe 1
                }
                world.pool.scalar("select count(*) from t") shouldBe 20L
                // It was the pool that saw to it: no loan was lost.
                world.pool.stats().destroyed.values.sum() shouldBe 0
            }
        }

        postgres("T18 a connection that proved itself not long ago is not asked") { server ->
            server.world("idle_fresh", sessions = 1, jdbc = JdbcPolicy(validateAfter = 1.hours)) { world ->
                val pid = world.pool.scalar("select pg_backend_pid()")
                repeat(20) { world.pool.scalar("select pg_backend_pid()") shouldBe pid }
                // What was sent cannot be taken back: the failure is the caller's, and nothing is sent again.
                world.endIdle()
                shouldThrow<StorageException.Platform> { world.pool.scalar("select 1") }.category shouldBe
                    ErrorCategory.CONNECTION
                world.pool.stats().destroyed[DestroyReason.BROKEN] shouldBe 1
                world.pool.scalar("select pg_backend_pid()") shouldNotBe pid
            }
        }

        postgres("T18 opted out: nobody is asked, whatever the time") { server ->
            server.world("idle_off", sessions = 1, jdbc = JdbcPolicy(validateAfter = INFINITE)) { world ->
                world.pool.scalar("select 1") shouldBe 1
                world.endIdle()
                shouldThrow<StorageException.Platform> { world.pool.scalar("select 1") }
                world.pool.scalar("select 1") shouldBe 1
            }
        }

        test("T18 H2: a connection that was closed behind the pool's back is replaced") {
            jdbcTest(Embedded.h2(), sessions = 1, jdbc = JdbcPolicy(validateAfter = Duration.ZERO)) { pool ->
                repeat(5) {
                    pool.dataSource().connection.use { it.unwrap(org.h2.jdbc.JdbcConnection::class.java).close() }
                    pool.scalar("select 1") shouldBe 1
                }
            }
        }
    })
