package dev.carom.storage

import dev.carom.storage.keyvalue.KeyValuePool
import dev.carom.storage.memory.MemoryKeyValue
import dev.carom.storage.memory.MemorySql
import dev.carom.storage.memory.MemorySqlDriver
import dev.carom.storage.memory.MemorySqlSession
import dev.carom.storage.sql.SqlDriver
import dev.carom.storage.sql.SqlPool
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.openSql
import dev.carom.storage.sql.scalar
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.test.runTest

/** The answer to a commit gets lost, before or after it was done. */
private class Lossy(private val honest: MemorySqlDriver) : SqlDriver<MemorySqlSession> by honest {
    var commits: suspend (MemorySqlSession) -> Unit = honest::commit

    override suspend fun commit(session: MemorySqlSession) = commits(session)

    override fun classify(error: Throwable): ErrorInfo? =
        if (error is Lost) ErrorInfo(ErrorCategory.CONNECTION, broken = true) else honest.classify(error)

    fun lose(after: Boolean) {
        commits = { session ->
            if (after) honest.commit(session) else honest.rollback(session)
            throw Lost()
        }
    }

    fun keep() {
        commits = honest::commit
    }

    class Lost : RuntimeException("the connection was lost")
}

private class Bank(
    val driver: Lossy,
    val sql: SqlPool,
    val cache: KeyValuePool,
    val outbox: Outbox,
    val down: () -> Unit,
) {
    suspend fun deposit(id: String) = sql.txn { txn ->
        txn.exec("insert into accounts values (?, 1)", id)
        outbox.send(txn, id, "balance:$id", "1")
    }

    suspend fun told(id: String) = cache.get("balance:$id")

    suspend fun left() = (sql.scalar("select count(*) from outbox") as Number).toInt()
}

private fun bankTest(block: suspend (Bank) -> Unit) = runTest {
    val driver = Lossy(MemorySqlDriver())
    val storage = MemorySql()
    val sql = backgroundScope.openSql("sql", driver, LocalSessions(1) { MemorySqlSession(storage) })
    val cache = MemoryKeyValue().open(backgroundScope, "cache", 1, StoragePolicy())
    sql.exec("create table accounts (id varchar primary key, n int)")
    sql.exec("create table outbox (id varchar primary key, place varchar, payload varchar)")
    var down = 0
    val outbox = Outbox(sql) { _, place, payload ->
        check(down-- <= 0) { "the cache is down" }
        cache.set(place, payload)
    }
    block(Bank(driver, sql, cache, outbox) { down = 1 })
}

class OutboxTest :
    FunSpec({
        test("T34 committed: told, and crossed out") {
            bankTest { bank ->
                bank.deposit("a")
                bank.told("a") shouldBe "1"
                bank.left() shouldBe 0
            }
        }

        test("T34 rolled back: never told") {
            bankTest { bank ->
                shouldThrow<IllegalStateException> {
                    bank.sql.txn { txn ->
                        bank.outbox.send(txn, "a", "balance:a", "1")
                        error("undo")
                    }
                }
                bank.told("a") shouldBe null
                bank.outbox.relay() shouldBe 0
            }
        }

        test("T34 nobody knows whether it was committed, and it was: told by the relay") {
            bankTest { bank ->
                bank.driver.lose(after = true)
                shouldThrow<StorageException.CommitOutcomeUnknown> { bank.deposit("a") }
                bank.driver.keep()
                bank.told("a") shouldBe null
                bank.outbox.relay() shouldBe 1
                bank.told("a") shouldBe "1"
                bank.left() shouldBe 0
            }
        }

        test("T34 nobody knows whether it was committed, and it was not: never told") {
            bankTest { bank ->
                bank.driver.lose(after = false)
                shouldThrow<StorageException.CommitOutcomeUnknown> { bank.deposit("a") }
                bank.driver.keep()
                bank.outbox.relay() shouldBe 0
                bank.told("a") shouldBe null
            }
        }

        test("T34 the other storage is down: the transaction stands, and the relay tells it later") {
            bankTest { bank ->
                bank.down()
                bank.deposit("a")
                bank.told("a") shouldBe null
                bank.left() shouldBe 1
                bank.outbox.relay() shouldBe 1
                bank.told("a") shouldBe "1"
            }
        }
    })
