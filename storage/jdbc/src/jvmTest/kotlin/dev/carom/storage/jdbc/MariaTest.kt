package dev.carom.storage.jdbc

import dev.carom.storage.ErrorCategory
import dev.carom.storage.StorageException
import dev.carom.storage.conn
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.queryRow
import dev.carom.storage.sql.scalar
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds

class MariaTest :
    FunSpec({
        val server = MariaServer.shared

        fun maria(name: String, block: suspend (MariaServer) -> Unit) {
            if (server == null) xtest(name) {} else test(name) { withContext(Dispatchers.Default) { block(server) } }
        }

        maria("MariaDB: cancel at random, select at once, on two connections: no select is ever hit") { maria ->
            jdbcTest(Embedded.maria(maria.database("race"))) { pool ->
                val random = Random(10)
                repeat(300) { n ->
                    val victim = launch { pool.queryRow("select sleep(1)") }
                    delay(random.nextInt(4_000).microseconds)
                    victim.cancel()
                    pool.scalar("select $n").toString() shouldBe "$n"
                    victim.join()
                }
                pool.stats().destroyed.values.sum() shouldBe 0
            }
        }

        maria("MariaDB: what a borrower leaves behind is gone, also a transaction that was begun by hand") { maria ->
            jdbcTest(Embedded.maria(maria.database("hygiene")), sessions = 1) { pool ->
                pool.exec("create table t (n int)")
                pool.conn { conn ->
                    conn.exec("set @mine = 4711")
                    conn.exec("set session max_statement_time = 7")
                    conn.exec("create temporary table left_behind (n int)")
                    conn.exec("begin")
                    conn.exec("insert into t values (1)")
                }
                pool.scalar("select @mine") shouldBe null
                pool.scalar("select @@max_statement_time").toString().toDouble() shouldBe 0.0
                shouldThrow<StorageException.Platform> { pool.scalar("select count(*) from left_behind") }
                pool.exec("begin")
                pool.exec("insert into t values (2)")
                pool.exec("rollback")
                pool.scalar("select count(*) from t") shouldBe 1L
                pool.stats().destroyed.values.sum() shouldBe 0
            }
        }

        maria("MariaDB: categories of errors") { maria ->
            jdbcTest(Embedded.maria(maria.database("errors"))) { pool ->
                pool.exec("create table p (id int primary key, name varchar(10) not null)")
                pool.exec("insert into p values (1, 'one')")
                fun category(failure: StorageException.Platform) = failure.category
                category(shouldThrow { pool.exec("insert into p values (1, 'twice')") }) shouldBe ErrorCategory.UNIQUE
                category(shouldThrow { pool.exec("insert into p values (2, null)") }) shouldBe ErrorCategory.NOT_NULL
                category(shouldThrow { pool.exec("selec") }) shouldBe ErrorCategory.SYNTAX
            }
        }
    })
