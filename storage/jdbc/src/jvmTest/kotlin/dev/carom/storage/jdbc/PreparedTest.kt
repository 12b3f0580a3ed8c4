package dev.carom.storage.jdbc

import dev.carom.storage.conn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.scalar
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.seconds

/** As often as pgjdbc wants to see a text before the server prepares it. */
private const val OFTEN = 6

class PreparedTest :
    FunSpec({
        postgres("T22 PostgreSQL: prepared statements do not pile up, and end with the loan") { server ->
            server.world("prepared", sessions = 1) { world ->
                val mine = "select count(*) from pg_prepared_statements"
                val pid = world.pool.conn { conn ->
                    repeat(400) { n -> repeat(OFTEN) { conn.queryRow("select $n + ?", 1) } }
                    val prepared = conn.scalar(mine) as Long
                    prepared shouldBeGreaterThan 0
                    // preparedStatementCacheQueries, at its default.
                    prepared shouldBeLessThanOrEqualTo 256
                    conn.scalar("select pg_backend_pid()")
                }
                world.pool.scalar(mine) shouldBe 0L
                // The driver has noticed.
                repeat(2 * OFTEN) { world.pool.queryRow("select 7 + ?", 1)?.getInt(0) shouldBe 8 }
                world.pool.scalar("select pg_backend_pid()") shouldBe pid
            }
        }

        postgres(
            "T22 PostgreSQL: a pool that lends for single statements keeps what is prepared, within bounds",
        ) { server ->
            server.world("prepared_pool", sessions = 1) { world ->
                repeat(300) { n -> repeat(OFTEN) { world.pool.queryRow("select $n + ?", 1) } }
                val prepared = world.pool.scalar("select count(*) from pg_prepared_statements") as Long
                prepared shouldBeGreaterThan 0
                prepared shouldBeLessThanOrEqualTo 256
            }
        }

        val maria = MariaServer.shared
        val name = "T22 MariaDB: prepared statements do not pile up, and end with the loan and with the connection"
        if (maria == null) {
            xtest(name) {}
        } else {
            test(name) {
                fun prepared() = maria.asked(
                    "show global status like 'Prepared_stmt_count'",
                ).getValue("Value")!!.toInt()

                // The server hears of what the driver closes when it closes it, and no answer is waited for.
                suspend fun atMost(most: Int, before: Int) =
                    withTimeout(20.seconds) { while (prepared() - before > most) delay(5) }
                val url = maria.database("prepared") + "&useServerPrepStmts=true&prepStmtCacheSize=8"
                withContext(Dispatchers.Default) {
                    val before = prepared()
                    jdbcTest(Embedded.maria(url), sessions = 1) { pool ->
                        pool.exec("create table t (n int)")
                        pool.conn { conn ->
                            repeat(50) { n -> conn.queryRow("select $n + ? from dual", 1) }
                            prepared() - before shouldBeGreaterThan 0
                            atMost(8, before)
                        }
                        atMost(0, before)
                        repeat(50) { n -> pool.queryRow("select $n + ? from dual", 1)?.getInt(0) shouldBe n + 1 }
                        atMost(8, before)
                    }
                    atMost(0, before)
                }
            }
        }
    })
