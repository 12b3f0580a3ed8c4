package dev.carom.storage

import dev.carom.storage.memory.MemorySql
import dev.carom.storage.sql.exec
import dev.carom.storage.sql.query
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest

/** What happened before a suspension: everything, if nobody was let in. */
private suspend fun StorageWorld.atOnce(block: suspend () -> Unit): Throwable? {
    var failure: Throwable? = null
    val call = test.launch(start = CoroutineStart.UNDISPATCHED) { failure = failureOf(block) }
    call.isCompleted shouldBe true
    return failure
}

class ListTest :
    FunSpec({
        test("B11 a session that is ready is had without a suspension") {
            storageTest {
                atOnce { pool.use { } } shouldBe null
                atOnce { pool.conn().close() } shouldBe null
            }
        }

        test("B53 a handle whose session somebody else has by now: refused, and the other one is not touched") {
            storageTest(capacity = 1) {
                val old = pool.conn()
                old.use { it.log += "mine" }
                old.close()
                val other = pool.conn()
                failureOf {
                    old.use { it.log += "not mine any more" }
                }.shouldBeInstanceOf<StorageException.ConnClosed>()
                other.use { it.log += "theirs" }
                other.close()
                log shouldContainExactly listOf("mine", "theirs")
            }
        }

        test("B164 on what has ended each call is refused at once, and ending it again is nothing") {
            storageTest {
                val conn = pool.conn()
                val txn = pool.beginTxn()
                txn.commit()
                conn.close()
                for (call in listOf<suspend () -> Unit>({ conn.use { } }, { conn.beginTxn() })) {
                    atOnce(call).shouldBeInstanceOf<StorageException.ConnClosed>()
                }
                atOnce { conn.close() } shouldBe null
                val onTxn =
                    listOf<suspend () -> Unit>({
                        txn.use { }
                    }, { txn.commit() }, { txn.rollback() }, { txn.beginTxn() })
                for (call in onTxn) atOnce(call).shouldBeInstanceOf<StorageException.TxnFinished>()
                pool.close(0)
                for (call in listOf<suspend () -> Unit>({ pool.use { } }, { pool.conn() }, { pool.beginTxn() })) {
                    atOnce(call).shouldBeInstanceOf<StorageException.PoolClosed>()
                }
                atOnce { pool.close(0) } shouldBe null
            }
        }

        test("B164 closed rows: next is false, the row is an error, and closing again is nothing") {
            runTest {
                val pool = MemorySql().open(backgroundScope, "rows", 1, StoragePolicy())
                pool.exec("create table t (n int)")
                pool.exec("insert into t values (1)")
                val rows = pool.query("select n from t")
                rows.close()
                rows.next() shouldBe false
                shouldThrow<IllegalStateException> { rows.row }
                rows.close()
            }
        }
    })
