package dev.carom.storage.jdbc

import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.conn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.scalar
import dev.carom.storage.txn
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.opentelemetry.extension.kotlin.asContextElement
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.slf4j.MDCContext
import kotlinx.coroutines.withContext
import java.util.concurrent.CopyOnWriteArrayList

private suspend fun <R> carrying(user: String, block: suspend () -> R): R =
    withContext(MDCContext(mapOf("user" to user)) + Carried.traced(user).asContextElement()) { block() }

/** On H2, with a function that tells what the thread carries on which the statement runs. */
private suspend fun carried(block: suspend (JdbcPool) -> Unit) = jdbcTest(Embedded.h2(), sessions = 1) { pool ->
    pool.exec("create alias carried for 'dev.carom.storage.jdbc.Carried.now'")
    block(pool)
}

class ContextTest :
    FunSpec({
        test("T32 what the caller carries is in its statements, in its hooks, and there after the transaction") {
            carried { pool ->
                val seen = CopyOnWriteArrayList<Any?>()
                carrying("ada") {
                    pool.txn { txn ->
                        seen += txn.scalar("select carried()")
                        txn.hooks.beforeCommit { seen += Carried.now() }
                        txn.hooks.afterCommit { seen += Carried.now() }
                        txn.hooks.afterCompletion { seen += Carried.now() }
                        withContext(Dispatchers.IO) { seen += txn.scalar("select carried()") }
                    }
                    seen += Carried.now()
                    pool.conn { seen += it.scalar("select carried()") }
                }
                seen shouldContainExactly List(7) { "ada/ada" }
                Carried.now() shouldBe "null/null"
            }
        }

        test("T32 one caller's does not stick to the thread or to the session: the next one has its own, or nothing") {
            carried { pool ->
                repeat(20) { n ->
                    carrying("u$n") { pool.scalar("select carried()") } shouldBe "u$n/u$n"
                    pool.scalar("select carried()") shouldBe "null/null"
                }
            }
        }

        test(
            "T32 a connection is opened for the pool: what its scope carries is in the connector, not what a caller does",
        ) {
            val seen = CopyOnWriteArrayList<String>()
            val database = Embedded.h2()
            carrying("pool") {
                coroutineScope {
                    val pool = openJdbc(
                        "carried",
                        database.dialect,
                        flowOf(setOf(database.backend)).asResolver(),
                        { database.connect().connect(it).also { seen += Carried.now() } },
                        PoolPolicy(1, 2),
                    )
                    carrying("caller") { pool.conn { pool.exec("create table t (n int)") } }
                    pool.close(0)
                }
            }
            seen.toSet() shouldBe setOf("pool/pool")
        }
    })
