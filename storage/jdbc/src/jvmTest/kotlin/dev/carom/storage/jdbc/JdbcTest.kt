package dev.carom.storage.jdbc

import dev.carom.storage.CancelClass
import dev.carom.storage.DestroyReason
import dev.carom.storage.ErrorCategory
import dev.carom.storage.Isolation
import dev.carom.storage.OpOptions
import dev.carom.storage.RetryPolicy
import dev.carom.storage.StorageException
import dev.carom.storage.TxnPolicy
import dev.carom.storage.conn
import dev.carom.storage.sql.Nullability
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.list
import dev.carom.storage.sql.one
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.scalar
import dev.carom.storage.sql.sql
import dev.carom.storage.sql.stream
import dev.carom.storage.txn
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class JdbcTest :
    FunSpec({
        val databases = listOf({ Embedded.h2() }, { Embedded.sqlite() })

        for (database in databases) {
            val name = database().dialect.name

            test("$name: statements, batches, generated keys, columns and categories of errors") {
                jdbcTest(database()) { pool ->
                    pool.exec("create table p (id integer primary key, name varchar(20) not null, n bigint)")
                    val rows = (1..1_000).map { listOf(it, "name $it", it * 10L) }
                    pool.execBatch("insert into p values (?, ?, ?)", rows, OpOptions.DEFAULT).sum() shouldBe 1_000
                    pool.exec("update p set n = n + ? where id <= ?", 1, 3).rowsAffected shouldBe 3
                    pool.one("select name, n from p where id = ?", 2).getLong("N") shouldBe 21
                    pool.stream(sql("select id from p order by id").with(OpOptions(fetchSize = 7))).take(20).toList()
                        .map { it.getInt(0) } shouldContainExactly (1..20).toList()
                    pool.list(sql("select id from p").with(OpOptions(maxRows = 5))).size shouldBe 5
                    fun category(failure: StorageException.Platform) = failure.category
                    category(shouldThrow { pool.exec("insert into p values (1, 'twice', 0)") }) shouldBe
                        ErrorCategory.UNIQUE
                    category(shouldThrow { pool.exec("insert into p values (0, null, 0)") }) shouldBe
                        ErrorCategory.NOT_NULL
                    category(shouldThrow { pool.exec("selec 1") }) shouldBe ErrorCategory.SYNTAX
                    pool.stats().leased shouldBe 0
                }
            }

            test(
                "$name: random cancellations and innocent statements on two connections: no statement fails for another",
            ) {
                jdbcTest(database()) { pool ->
                    val random = Random(10)
                    val embedded = database()
                    repeat(200) { n ->
                        val victim = launch { pool.queryRow(embedded.endless) }
                        delay(random.nextInt(4).milliseconds)
                        victim.cancel()
                        pool.scalar("select $n").toString() shouldBe "$n"
                        victim.join()
                    }
                    pool.stats().leased shouldBe 0
                    pool.stats().destroyed[DestroyReason.CANCEL_TIMEOUT] shouldBe 0
                }
            }

            test("$name: as many statements compute as there are processors, and each of them can be stopped") {
                val many = Runtime.getRuntime().availableProcessors()
                val embedded = database()
                jdbcTest(embedded, sessions = many) { pool ->
                    val victims = List(many) { launch(Dispatchers.Default) { pool.queryRow(embedded.endless) } }
                    withTimeout(60.seconds) { while (pool.stats().leased < many) delay(5) }
                    victims.forEach { it.cancel() }
                    victims.joinAll()
                    pool.scalar("select 42").toString() shouldBe "42"
                    pool.stats().destroyed.values.sum() shouldBe 0
                    pool.stats().cancels[CancelClass.TIMEOUT] shouldBe 0
                }
            }

            test("$name: twenty workers on five counters: the sums are exact") {
                jdbcTest(database(), sessions = 4) { pool ->
                    pool.exec("create table c (id integer primary key, n bigint)")
                    for (id in 0 until 5) pool.exec("insert into c values (?, 0)", id)
                    val categories = setOf(ErrorCategory.SERIALIZATION, ErrorCategory.DEADLOCK, ErrorCategory.TIMEOUT)
                    val policy = TxnPolicy(Isolation.SERIALIZABLE, retry = RetryPolicy(100, categories = categories))
                    coroutineScope {
                        (0 until 20).map { worker ->
                            async {
                                repeat(5) { n ->
                                    pool.txn(policy) { txn ->
                                        val id = (worker + n) % 5
                                        val now = txn.one("select n from c where id = ?", id).getLong(0)
                                        txn.exec("update c set n = ? where id = ?", now + 1, id)
                                    }
                                }
                            }
                        }.awaitAll()
                    }
                    pool.one("select sum(n) from c").getLong(0) shouldBe 100
                }
            }
        }

        test("H2: generated keys, column information, an isolation level that is gone afterwards") {
            jdbcTest(Embedded.h2(), sessions = 1) { pool ->
                pool.exec("create table g (id bigint generated always as identity, v varchar(10) not null)")
                val keys = sql("insert into g (v) values (?)", "x").with(OpOptions(generatedKeys = true))
                pool.exec(keys).lastId shouldBe 1
                pool.exec(keys).lastId shouldBe 2
                val row = pool.one("select v from g where id = 1")
                row.columns.infos.single().nullable shouldBe Nullability.NO
                val level = "select isolation_level from information_schema.sessions where session_id = session_id()"
                val before = pool.scalar(level)
                pool.txn(TxnPolicy(Isolation.SERIALIZABLE)) { it.scalar(level) shouldBe "SERIALIZABLE" }
                pool.scalar(level) shouldBe before
                pool.conn { conn -> conn.scalar("select count(*) from g") shouldBe 2L }
            }
        }

        test(
            "H2: two thousand rounds of cancel and select on two connections: no select fails, no connection is lost",
        ) {
            jdbcTest(Embedded.h2()) { pool ->
                val random = Random(2_000)
                val endless = Embedded.h2().endless
                repeat(2_000) { n ->
                    val victim = launch(Dispatchers.Default) { pool.queryRow(endless) }
                    delay(random.nextInt(3).milliseconds)
                    victim.cancel()
                    pool.scalar("select $n") shouldBe n
                    victim.join()
                }
                val stats = pool.stats()
                stats.destroyed.values.sum() shouldBe 0
                stats.cancels[CancelClass.TIMEOUT] shouldBe 0
            }
        }

        test("H2 in a file survives a hundred cancellations: no worker is ever interrupted") {
            val directory = temporaryDirectory()
            jdbcTest(Embedded.h2("jdbc:h2:file:$directory/db")) { pool ->
                pool.exec("create table f (n bigint)")
                val endless = "insert into f select x from system_range(1, 1000000000000)"
                repeat(100) {
                    val victim = launch { pool.exec(endless) }
                    delay(2.milliseconds)
                    victim.cancel()
                    victim.join()
                }
                pool.scalar("select count(*) from f") shouldBe 0L
            }
        }
    })
