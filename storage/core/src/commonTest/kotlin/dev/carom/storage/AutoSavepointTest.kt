package dev.carom.storage

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch

/** As PostgreSQL: what fails in a transaction fails the transaction. */
private suspend fun TxnCore<FakeSession>.failing(): Unit = use {
    it.log += "failing"
    it.txn = SessionTxn.FAILED
    throw FakeError(ErrorCategory.UNIQUE)
}

class AutoSavepointTest :
    FunSpec({
        val policy = TxnPolicy(autoSavepoint = true)

        test("an operation that fails is undone alone, and the transaction goes on") {
            storageTest {
                pool.txn(policy) { txn ->
                    txn.use { it.log += "first" }
                    failureOf { txn.failing() }.shouldBeInstanceOf<StorageException.Platform>()
                    txn.status shouldBe TxnStatus.ACTIVE
                    txn.use { it.log += "second" }
                }
                log shouldContainExactly listOf(
                    "begin",
                    "savepoint", "first", "release",
                    "savepoint", "failing", "rollback to",
                    "savepoint", "second", "release",
                    "commit",
                )
            }
        }

        test("without, the transaction is failed and its commit is a rollback") {
            storageTest {
                failureOf { pool.txn { txn -> failureOf { txn.failing() } } }
                    .shouldBeInstanceOf<StorageException.TxnFailed>()
            }
        }

        test("an operation that is cancelled is settled, then undone alone") {
            storageTest {
                driver.onCancel = {
                    it.txn = SessionTxn.FAILED
                    it.running?.completeExceptionally(FakeError(ErrorCategory.CANCELLED))
                }
                val txn = pool.beginTxn(policy)
                val call = test.launch { txn.use { it.run("long") } }
                now()
                call.cancelAndJoin()
                txn.status shouldBe TxnStatus.ACTIVE
                log shouldContainExactly listOf("begin", "savepoint", "long", "cancel", "rollback to")
                txn.commit()
            }
        }

        test("what stays open has one too, until it is ended") {
            storageTest {
                val txn = pool.beginTxn(policy)
                val rows = txn.hold(OpOptions.READ)
                failureOf {
                    rows.call {
                        it.txn = SessionTxn.FAILED
                        throw FakeError(ErrorCategory.OTHER)
                    }
                }
                rows.end()
                txn.status shouldBe TxnStatus.ACTIVE
                txn.commit()
                log shouldContainExactly listOf("begin", "savepoint", "rollback to", "commit")
            }
        }

        test("a savepoint that cannot be gone back to: the session is lost, and the transaction with it") {
            val driver = FakeDriver()
            storageTest(driver = driver) {
                driver.onRollbackTo = { throw FakeError(ErrorCategory.OTHER) }
                val txn = pool.beginTxn(policy)
                failureOf { txn.failing() }.shouldBeInstanceOf<StorageException.Platform>()
                txn.status shouldBe TxnStatus.ROLLED_BACK
                pool.stats().destroyed[DestroyReason.ROLLBACK_FAILED] shouldBe 1
            }
        }

        test("where the platform rolled everything back, there is nothing to go back to") {
            storageTest {
                val txn = pool.beginTxn(policy)
                failureOf {
                    txn.use {
                        it.txn = SessionTxn.IDLE
                        throw FakeError(ErrorCategory.DEADLOCK)
                    }
                }
                txn.status shouldBe TxnStatus.ROLLED_BACK
                log shouldContainExactly listOf("begin", "savepoint")
            }
        }

        test("operations on the connection join its open transaction where the policy says so") {
            storageTest(policy = StoragePolicy(opsDuringTxn = OpsDuringTxn.JOIN)) {
                val conn = pool.conn()
                val txn = conn.beginTxn()
                conn.use { it.log += "inside" }
                conn.hold(OpOptions.READ).run {
                    call { it.log += "rows" }
                    end()
                }
                txn.commit()
                conn.use { it.log += "outside" }
                conn.close()
                log shouldContainExactly listOf("begin", "inside", "rows", "commit", "outside")
            }
        }

        test("joined operations have the rules of the transaction: one of another coroutine is refused or waits") {
            val joining = StoragePolicy(opsDuringTxn = OpsDuringTxn.JOIN)
            storageTest(policy = joining) {
                val conn = pool.conn()
                val txn = conn.beginTxn()
                val gate = CompletableDeferred<Unit>()
                val call = test.launch { txn.use { it.run("long", gate) } }
                now()
                failureOf { conn.use { } }.shouldBeInstanceOf<StorageException.ConcurrentTxnUse>()
                gate.complete(Unit)
                call.join()
                txn.rollback()
                conn.close()
            }
        }
    })
