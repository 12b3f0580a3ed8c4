package dev.carom.storage.r2dbc

import dev.carom.storage.CancelClass
import dev.carom.storage.ConnStatus
import dev.carom.storage.ErrorCategory
import dev.carom.storage.StorageException
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnStatus
import dev.carom.storage.conn
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.getDecimal
import dev.carom.storage.sql.getInstant
import dev.carom.storage.sql.getList
import dev.carom.storage.sql.getLocalDate
import dev.carom.storage.sql.getUuid
import dev.carom.storage.sql.one
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.scalar
import dev.carom.storage.sql.stream
import dev.carom.storage.txn
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import java.math.BigDecimal
import java.time.LocalDate
import java.util.UUID
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

private suspend fun SqlPool.busy(): Long =
    scalar(
        "select count(*) from pg_stat_activity " +
            "where state = 'active' and query = 'select pg_sleep(30)' and pid <> pg_backend_pid()",
    ) as Long

class R2dbcPostgresTest :
    FunSpec(
        withPostgres { server ->
            test("B191 AT-10 a cancelled statement is stopped on the server; its connection is used again") {
                r2dbcTest(server) { pool ->
                    repeat(20) {
                        val call = launch(Dispatchers.Default) { pool.queryRow("select pg_sleep(30)") }
                        withTimeout(20.seconds) { while (pool.busy() == 0L) delay(1) }
                        val took = measureTime { call.cancelAndJoin() }
                        took.inWholeSeconds shouldBeLessThan 10L
                        withTimeout(20.seconds) { while (pool.busy() != 0L) delay(1) }
                    }
                    pool.stats().destroyed.values.sum() shouldBe 0
                    pool.stats().cancels[CancelClass.CONFIRMED] shouldBe 20
                }
            }

            test("AT-10 five hundred rounds of cancel and select on two connections: no select fails, none is lost") {
                r2dbcTest(server) { pool ->
                    val random = Random(10)
                    repeat(500) { n ->
                        val victim = launch(Dispatchers.Default) { pool.queryRow("select pg_sleep(1)") }
                        delay(random.nextInt(4).milliseconds)
                        victim.cancel()
                        pool.scalar("select $n") shouldBe n
                        victim.join()
                    }
                    pool.stats().cancels[CancelClass.TIMEOUT] shouldBe 0
                    pool.stats().destroyed.values.sum() shouldBe 0
                }
            }

            test("B132 a cancelled stream of millions of rows leaves a connection that answers") {
                r2dbcTest(server, sessions = 1) { pool ->
                    repeat(5) {
                        val reader = launch(Dispatchers.Default) {
                            pool.stream("select n, repeat('x', 100) from generate_series(1, 3000000) n").collect {}
                        }
                        delay(50)
                        reader.cancelAndJoin()
                        withTimeout(20.seconds) { pool.scalar("select 42") } shouldBe 42
                    }
                }
            }

            test("B63 a cancelled statement fails its transaction, which can be rolled back") {
                r2dbcTest(server) { pool ->
                    val txn = pool.beginTxn(TxnPolicy(owned = false))
                    txn.scalar("select 1") shouldBe 1
                    val call = launch(Dispatchers.Default) { txn.queryRow("select pg_sleep(30)") }
                    withTimeout(20.seconds) { while (pool.busy() == 0L) delay(1) }
                    call.cancelAndJoin()
                    txn.status shouldBe TxnStatus.FAILED
                    shouldThrow<StorageException.TxnFailed> { txn.scalar("select 1") }
                    txn.rollback()
                }
            }

            test("with a savepoint around each statement a transaction survives one that fails") {
                r2dbcTest(server) { pool ->
                    pool.exec("drop table if exists s")
                    pool.exec("create table s (n int primary key)")
                    pool.txn(TxnPolicy(autoSavepoint = true)) { txn ->
                        txn.exec("insert into s values (1)")
                        shouldThrow<StorageException.Platform> { txn.exec("insert into s values (1)") }
                        txn.exec("insert into s values (2)")
                    }
                    pool.scalar("select count(*) from s") shouldBe 2L
                }
            }

            test("B169 B170 what a connection set, locked, prepared or began is gone for the next") {
                r2dbcTest(server, sessions = 1) { pool ->
                    val before = pool.scalar("select pg_backend_pid()")
                    pool.conn { conn ->
                        conn.exec("set statement_timeout = '77s'")
                        conn.exec("set app.tenant = 'alice'")
                        conn.exec("create temp table mine (n int)")
                        conn.exec("select pg_advisory_lock(7)")
                        conn.exec("listen news")
                        conn.exec("prepare mine as select 1")
                        conn.exec("begin")
                    }
                    pool.scalar("select pg_backend_pid()") shouldBe before
                    pool.scalar("show statement_timeout") shouldBe "0"
                    pool.scalar("select coalesce(current_setting('app.tenant', true), '')") shouldBe ""
                    pool.scalar("select count(*) from pg_locks where locktype = 'advisory'") shouldBe 0L
                    pool.scalar("select count(*) from pg_tables where tablename = 'mine'") shouldBe 0L
                    pool.scalar("select count(*) from pg_listening_channels()") shouldBe 0L
                    pool.scalar("select count(*) from pg_prepared_statements where from_sql") shouldBe 0L
                }
            }

            test("B173 a statement prepared before a complete reset works after it") {
                r2dbcTest(server, sessions = 1) { pool ->
                    repeat(3) { n -> pool.conn { conn -> conn.one("select ?::int + 1", n).getInt(0) shouldBe n + 1 } }
                }
            }

            test("values of PostgreSQL: decimals, dates, times, UUIDs, arrays, JSON, bytes") {
                r2dbcTest(server) { pool ->
                    val row = pool.one(
                        "select 1.50::numeric d, date '2026-02-03' as day, timestamptz '2026-02-03 04:05:06Z' as at, " +
                            "'123e4567-e89b-12d3-a456-426614174000'::uuid as id, array[1, 2] as list, " +
                            "'{\"a\": 1}'::jsonb j, " +
                            "'\\x0102'::bytea b, null::int nothing, 'a ?? b' q",
                    )
                    row.getDecimal("d") shouldBe BigDecimal("1.50")
                    row.getLocalDate("day") shouldBe LocalDate.of(2026, 2, 3)
                    row.getInstant("at").toString() shouldBe "2026-02-03T04:05:06Z"
                    row.getUuid("id") shouldBe UUID.fromString("123e4567-e89b-12d3-a456-426614174000")
                    row.getList("list") shouldContainExactly listOf(1, 2)
                    row.getString("j") shouldBe "{\"a\": 1}"
                    row.getBytes("b") shouldBe byteArrayOf(1, 2)
                    row.isNull("nothing") shouldBe true
                    row.getString("q") shouldBe "a ?? b"
                }
            }

            test("a connection that the server ends: the operation fails as that, and the pool goes on") {
                r2dbcTest(server) { pool ->
                    val conn = pool.conn()
                    val pid = conn.scalar("select pg_backend_pid()")
                    pool.scalar("select pg_terminate_backend(?)", pid) shouldBe true
                    shouldThrow<StorageException.Platform> { conn.scalar("select 1") }.category shouldBe
                        ErrorCategory.CONNECTION
                    conn.status shouldBe ConnStatus.BROKEN
                    conn.close()
                    pool.scalar("select 1") shouldBe 1
                }
            }
        },
    )
