package dev.carom.storage

import dev.carom.storage.memory.MemorySql
import dev.carom.storage.sql.ColumnInfo
import dev.carom.storage.sql.InList
import dev.carom.storage.sql.Row
import dev.carom.storage.sql.Sql
import dev.carom.storage.sql.SqlOps
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.list
import dev.carom.storage.sql.one
import dev.carom.storage.sql.query
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.scalar
import dev.carom.storage.sql.sql
import dev.carom.storage.sql.sqlNamed
import dev.carom.storage.sql.stream
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.seconds

private fun sqlTest(sessions: Int = 2, block: suspend TestScope.(SqlPool) -> Unit) = runTest {
    val pool = MemorySql().open(this, "memory", sessions, StoragePolicy(), testScheduler.timeSource)
    pool.exec("create table t (id bigint primary key, name varchar(20) not null, n bigint)")
    pool.execBatch(
        "insert into t (id, name, n) values (?, ?, ?)",
        (1..10).map { listOf(it, "name $it", if (it == 5) null else it * 10) },
        OpOptions.DEFAULT,
    ) shouldContainExactly List(10) { 1L }
    block(pool)
    pool.stats().leased shouldBe 0
    pool.close(0)
}

class SqlTest :
    FunSpec({
        test("exec counts, queryRow gives the first row or null, list gives all") {
            sqlTest { pool ->
                pool.exec("update t set n = n + 1 where id <= ?", 3).rowsAffected shouldBe 3
                pool.queryRow("select n from t where id = 2")!!.getLong("n") shouldBe 21
                pool.queryRow("select n from t where id = 99").shouldBeNull()
                val last = pool.list("select id from t where n > 40 order by id desc limit 3")
                last.map { it.getInt(0) } shouldContainExactly listOf(10, 9, 8)
                pool.scalar("select count(*) from t where n is null") shouldBe 1L
                pool.exec("delete from t where id in (?)", InList(listOf(1, 2))).rowsAffected shouldBe 2
                pool.exec("delete from t where id in (?)", InList(emptyList())).rowsAffected shouldBe 0
                val named = sqlNamed(
                    "select id from t where id > :low and id < :high or id = :low",
                    "low" to 7,
                    "high" to 9,
                )
                pool.list(named).map { it.getLong("ID") } shouldContainExactly listOf(7L, 8L)
            }
        }

        test("rows are read one at a time, on the pool, on a connection and in a transaction") {
            sqlTest(sessions = 1) { pool ->
                suspend fun readAll(ops: SqlOps) {
                    val rows = ops.query(sql("select id, name from t").with(OpOptions(fetchSize = 3)))
                    rows.columns.names shouldContainExactly listOf("id", "name")
                    shouldThrow<IllegalStateException> { rows.row }
                    val ids = mutableListOf<Long>()
                    while (rows.next()) ids += rows.row.getLong(0)
                    ids shouldContainExactly (1L..10L).toList()
                    rows.isClosed shouldBe true
                    rows.next() shouldBe false
                    rows.close()
                }
                readAll(pool)
                pool.conn { readAll(it) }
                pool.txn { readAll(it) }
            }
        }

        test("rows closed early let the session go, and next is false") {
            sqlTest(sessions = 1) { pool ->
                val rows = pool.query("select id from t")
                rows.next() shouldBe true
                pool.stats().leased shouldBe 1
                rows.close()
                rows.close()
                rows.next() shouldBe false
                pool.stats().leased shouldBe 0
            }
        }

        test("rows of an empty result have columns") {
            sqlTest { pool ->
                val rows = pool.query("select id, n from t where id = 0")
                rows.columns.size shouldBe 2
                rows.next() shouldBe false
            }
        }

        test("no more rows than asked for are delivered or held") {
            sqlTest { pool ->
                pool.list(sql("select id from t").with(OpOptions(maxRows = 4, fetchSize = 3))).size shouldBe 4
                pool.stream("select id from t").take(2).toList().size shouldBe 2
                pool.stats().leased shouldBe 0
            }
        }

        test("a stream is cold, each collection is a query, and the collector's exception comes after the close") {
            sqlTest(sessions = 1) { pool ->
                val rows = pool.stream("select id from t where id < 4")
                rows.buffer(1).map { it.getInt("id") }.toList() shouldContainExactly listOf(1, 2, 3)
                pool.exec("delete from t where id = 2")
                rows.toList().map { it.getInt("id") } shouldContainExactly listOf(1, 3)
                shouldThrow<IllegalStateException> {
                    rows.collect {
                        pool.stats().leased shouldBe 1
                        error("mine")
                    }
                }
                pool.stats().leased shouldBe 0
            }
        }

        test("an operation while one's own rows are open on the connection is told at once") {
            sqlTest { pool ->
                pool.conn { conn ->
                    conn.stream("select id from t").take(1).collect {
                        shouldThrow<StorageException.CursorOpen> { conn.exec("delete from t") }
                    }
                    conn.exec("update t set n = 0 where id = 1").rowsAffected shouldBe 1
                }
            }
        }

        test("next called twice at once is refused") {
            runTest {
                val driver = SlowCursorDriver()
                val pool = this.openSlow(driver)
                val rows = pool.query("select")
                val first = async { rows.next() }
                runCurrent()
                shouldThrow<StorageException.ConcurrentNext> { rows.next() }
                driver.gate.complete(Unit)
                first.await() shouldBe true
                rows.close()
                driver.closed shouldBe 1
                pool.close(0)
            }
        }

        test("rows closed by another coroutine while next waits: next is false, the cursor closed once") {
            runTest {
                val driver = SlowCursorDriver()
                val pool = this.openSlow(driver)
                val txn = pool.beginTxn()
                val rows = txn.query("select")
                val next = async { rows.next() }
                runCurrent()
                txn.rollback()
                next.await() shouldBe false
                driver.closed shouldBe 1
                pool.close(0)
            }
        }

        test("one row, one value, or an error that says how many there were") {
            sqlTest { pool ->
                pool.one("select name from t where id = ?", 3).getString(0) shouldBe "name 3"
                val none = shouldThrow<StorageException.BadRow> { pool.one("select name from t where id = 0") }
                none.message!! shouldContain "0 rows"
                shouldThrow<StorageException.BadRow> { pool.one("select name from t") }.message!! shouldContain "2 rows"
                shouldThrow<StorageException.BadRow> { pool.scalar("select id, name from t where id = 1") }
            }
        }

        test("errors of the platform have their category") {
            sqlTest { pool ->
                fun category(failure: StorageException.Platform) = failure.category
                val insert = "insert into t values"
                category(shouldThrow { pool.exec("$insert (1, 'twice', 0)") }) shouldBe ErrorCategory.UNIQUE
                category(shouldThrow { pool.exec("$insert (11, null, 0)") }) shouldBe ErrorCategory.NOT_NULL
                category(shouldThrow { pool.exec("selec 1") }) shouldBe ErrorCategory.SYNTAX
                category(shouldThrow { pool.query("select nothing from t") }) shouldBe ErrorCategory.SYNTAX
                pool.stats().leased shouldBe 0
            }
        }

        test("a transaction sees a snapshot and its own changes; of two that write, the first wins") {
            sqlTest { pool ->
                pool.txn { txn ->
                    txn.exec("update t set n = 1 where id = 1")
                    txn.scalar("select n from t where id = 1") shouldBe 1L
                    pool.scalar("select n from t where id = 1") shouldBe 10L
                    pool.exec("update t set n = 2 where id = 1")
                    txn.setRollbackOnly()
                    txn.rollbackWith(Unit)
                }
                shouldThrow<StorageException.Platform> {
                    pool.txn { txn ->
                        txn.exec("update t set n = n + 1 where id = 1")
                        pool.exec("update t set n = n + 1 where id = 1")
                    }
                }.category shouldBe ErrorCategory.SERIALIZATION
                pool.scalar("select n from t where id = 1") shouldBe 3L
            }
        }

        test("inner NESTED throws, outer catches: inner rows absent, outer rows present") {
            sqlTest { pool ->
                pool.txn { outer ->
                    outer.exec("insert into t values (20, 'outer', 0)")
                    failureOf {
                        pool.txn(TxnPolicy(propagation = Propagation.NESTED)) { inner ->
                            inner.exec("insert into t values (21, 'inner', 0)")
                            error("inner")
                        }
                    }
                }
                pool.list("select id from t where id >= 20").map { it.getInt(0) } shouldContainExactly listOf(20)
            }
        }

        test("a read-only transaction refuses statements that write") {
            sqlTest { pool ->
                pool.txn(TxnPolicy(readOnly = true)) { txn ->
                    txn.scalar("select count(*) from t") shouldBe 10L
                    shouldThrow<StorageException.ReadOnlyViolation> { txn.exec("delete from t") }
                    txn.scalar("select count(*) from t") shouldBe 10L
                }
            }
        }

        test("the nearest operations are those of the transaction around") {
            sqlTest { pool ->
                failureOf {
                    pool.txn {
                        pool.nearest.exec("delete from t")
                        error("undo")
                    }
                }
                pool.nearest.scalar("select count(*) from t") shouldBe 10L
            }
        }

        test("a statement's own timeout and an outer one stop it, and tell which it was") {
            sqlTest(sessions = 1) { pool ->
                shouldThrow<StorageException.OpTimeout> {
                    pool.queryRow(sql("select sleep(60000)").with(OpOptions(timeout = 1.seconds)))
                }
                failureOf { withTimeout(1.seconds) { pool.queryRow("select sleep(60000)") } }
                    .shouldBeInstanceOf<TimeoutCancellationException>()
                currentTime shouldBe 2_000
                pool.stats().leased shouldBe 0
            }
        }

        test("fifty workers on ten counters at SERIALIZABLE: the sums are exact, hooks are commits") {
            sqlTest(sessions = 8) { pool ->
                var hooks = 0
                val policy = TxnPolicy(Isolation.SERIALIZABLE, retry = RetryPolicy(attempts = 100))
                coroutineScope {
                    (0 until 50).map { worker ->
                        async {
                            repeat(4) { n ->
                                pool.txn(policy) { txn ->
                                    val id = 1 + (worker + n) % 10
                                    val now = txn.queryRow("select n from t where id = ?", id)!!.getLongOrNull("n") ?: 0
                                    txn.queryRow("select sleep(1)")
                                    txn.exec("update t set n = ? where id = ?", now + 1, id)
                                    txn.hooks.afterCommit { hooks++ }
                                }
                            }
                        }
                    }.awaitAll()
                }
                hooks shouldBe 200
                pool.scalar("select sum(n) from t") shouldBe 550L - 50 + 200
                (pool.stats().retries > 0) shouldBe true
            }
        }

        test("parameters that do not fit are refused before anything is sent") {
            shouldThrow<StorageException.BadParams> { sql("select ?") }
            shouldThrow<StorageException.BadParams> { sql("select 1", 2) }
            shouldThrow<StorageException.BadParams> { sql("select :a", 2) }
            shouldThrow<StorageException.BadParams> { sqlNamed("select :a") }
            shouldThrow<StorageException.BadParams> { sqlNamed("select :a", "a" to 1, "b" to 2) }
            shouldThrow<StorageException.BadParams> { sqlNamed("select ?, :a", "a" to 1) }
            sqlNamed("select :a, :b, :a", "a" to 1, "b" to 2).params shouldContainExactly listOf(1, 2, 1)
        }

        test("placeholders inside quotes, comments, dollar quotes, casts and operators are left alone") {
            val text = "select '?:x', \"?\", `?` -- ? :x\n, /* ? /* :x */ ? */ " +
                "\$\$ ? :x \$\$, \$tag\$ ? \$tag\$, a::int, b ?? 'c', 'it''s ?'"
            sql(text).text shouldBe text
            sqlNamed("$text, :x", "x" to 1).text shouldBe "$text, ?"
        }

        test("the text of a statement is told, its parameters never") {
            sql("select ?", "secret").toString() shouldNotContain "secret"
            Row(listOf(ColumnInfo("c", "text")), listOf("secret")).toString() shouldNotContain "secret"
        }
    })
