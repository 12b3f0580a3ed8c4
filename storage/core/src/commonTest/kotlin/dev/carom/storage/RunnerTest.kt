package dev.carom.storage

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.toList
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

class RunnerTest :
    FunSpec({
        test("REQUIRED joins the open transaction; only who began it ends it") {
            storageTest(capacity = 1) {
                pool.txn { outer ->
                    pool.txn { inner -> inner shouldBeSameInstanceAs outer }
                    outer.status shouldBe TxnStatus.ACTIVE
                    failureOf { pool.txn { error("caught") } }
                    outer.status shouldBe TxnStatus.ACTIVE
                }
                log shouldContainExactly listOf("begin", "commit")
            }
        }

        test("a joined block that throws can mark the transaction, which is then rolled back") {
            storageTest {
                shouldThrow<StorageException.TxnRollbackOnly> {
                    pool.txn { _ ->
                        val marking = TxnPolicy(joinFailure = JoinFailure.MARK_ROLLBACK_ONLY)
                        failureOf { pool.txn(marking) { error("caught") } }
                    }
                }
                log shouldContainExactly listOf("begin", "rollback")
            }
        }

        test("joining with more than the open transaction can do is refused, and the open one goes on") {
            storageTest {
                pool.txn(TxnPolicy(readOnly = true)) { _ ->
                    var ran = false
                    shouldThrow<StorageException.TxnPolicyConflict> {
                        pool.txn(TxnPolicy(readOnly = false)) { ran = true }
                    }
                    shouldThrow<StorageException.TxnPolicyConflict> {
                        pool.txn(TxnPolicy(Isolation.SERIALIZABLE)) { ran = true }
                    }
                    ran shouldBe false
                }
                log shouldContainExactly listOf("begin", "commit")
            }
        }

        test("REQUIRES_NEW has a session of its own; with a pool of one that is a deadlock, told at once") {
            storageTest(capacity = 2) {
                pool.txn { outer ->
                    pool.txn(TxnPolicy(propagation = Propagation.REQUIRES_NEW)) { inner ->
                        inner shouldNotBe outer
                        inner.use { it.id } shouldBe 2
                    }
                    outer.use { it.id } shouldBe 1
                }
            }
            storageTest(capacity = 1) {
                pool.txn { _ ->
                    shouldThrow<StorageException.PoolDeadlock> {
                        pool.txn(TxnPolicy(propagation = Propagation.REQUIRES_NEW)) { }
                    }
                }
            }
        }

        test("NESTED is a savepoint inside an open transaction, and a transaction where none is") {
            storageTest(capacity = 1) {
                val nested = TxnPolicy(propagation = Propagation.NESTED)
                pool.txn(nested) { outer ->
                    failureOf { pool.txn(nested) { error("inner") } }
                    pool.txn(nested) { inner ->
                        inner shouldNotBe outer
                        pool.txn(nested) { it.use { s -> s.log += "third" } }
                    }
                }
                log shouldContainExactly listOf(
                    "begin",
                    "savepoint",
                    "rollback to",
                    "savepoint",
                    "savepoint",
                    "third",
                    "release",
                    "release",
                    "commit",
                )
            }
        }

        test("NEVER refuses an open transaction, MANDATORY refuses that there is none") {
            storageTest {
                pool.txn { _ ->
                    shouldThrow<StorageException.TxnInProgress> {
                        pool.txn(TxnPolicy(propagation = Propagation.NEVER)) { }
                    }
                    pool.txn(TxnPolicy(propagation = Propagation.MANDATORY)) { 7 } shouldBe 7
                }
                pool.txn(TxnPolicy(propagation = Propagation.NEVER)) { 8 } shouldBe 8
                shouldThrow<StorageException.NoTxn> { pool.txn(TxnPolicy(propagation = Propagation.MANDATORY)) { } }
                log shouldContainExactly listOf("begin", "commit", "begin", "commit")
            }
        }

        test("a transaction on another connection than the open one's is another transaction") {
            storageTest(capacity = 2) {
                pool.conn { a ->
                    pool.conn { b ->
                        a.txn { ta ->
                            b.txn { tb -> tb shouldNotBe ta }
                            a.txn { again -> again shouldBeSameInstanceAs ta }
                        }
                    }
                }
            }
        }

        test("the nearest sessions: of the transaction, the connection, the pool; a flow decides when collected") {
            storageTest(capacity = 2) {
                val near = pool.nearest()
                val ids = near.stream { emit(it.txn) }
                near.use { it.txn } shouldBe SessionTxn.IDLE
                pool.txn {
                    near.use { it.txn } shouldBe SessionTxn.OPEN
                    ids.toList() shouldContainExactly listOf(SessionTxn.OPEN)
                    pool.withoutTxn { near.use { it.id } shouldBe 2 }
                    near.use { it.id } shouldBe 1
                }
                ids.toList() shouldContainExactly listOf(SessionTxn.IDLE)
                pool.conn { conn ->
                    near.use { it } shouldBeSameInstanceAs conn.use { it }
                }
                var built = ids
                pool.txn { built = near.stream { emit(it.txn) } }
                built.toList() shouldContainExactly listOf(SessionTxn.IDLE)
            }
        }

        test("a slot gives code the pool, the connection and the transaction around, and tells when there is none") {
            val slot = StorageSlot<PoolCore<FakeSession>, ConnCore<FakeSession>, TxnCore<FakeSession>>("orders")
            storageTest(capacity = 2) {
                shouldThrow<StorageException.NoStorageInContext> { slot.pool() }.pool shouldBe "orders"
                slot.with(pool) {
                    slot.nearest() shouldBeSameInstanceAs pool
                    slot.txn { txn ->
                        slot.txnOrNull() shouldBeSameInstanceAs txn
                        slot.nearest() shouldBeSameInstanceAs txn
                        slot.txn { it shouldBeSameInstanceAs txn }
                    }
                    slot.txnOrNull().shouldBeNull()
                    pool.conn { conn ->
                        slot.nearest() shouldBeSameInstanceAs conn
                        slot.txn { txn -> txn.use { it } shouldBeSameInstanceAs slot.connOrNull()!!.lease.session }
                    }
                }
            }
        }

        test("two pools in one context do not mix") {
            storageTest(capacity = 1) {
                val first = this
                storageTestInside(this) { second ->
                    first.pool.txn { a ->
                        second.txn { b ->
                            (a as Any) shouldNotBe b
                            b.use { it.log += "in b" }
                        }
                        a.use { it.log += "in a" }
                    }
                }
                log shouldContainExactly listOf("begin", "in a", "commit")
            }
        }

        test("hooks run when the session is back: with a pool of one they can use it") {
            storageTest(capacity = 1) {
                val seen = mutableListOf<String>()
                pool.txn { txn ->
                    txn.hooks.beforeCommit { txn.use { it.log += "before commit" } }
                    txn.hooks.afterCommit { seen += "after, session ${pool.use { it.id }}" }
                    txn.hooks.afterCompletion { seen += it.name }
                    txn.hooks.afterRollback { seen += "never" }
                }
                seen shouldContainExactly listOf("after, session 1", "COMMITTED")
                log shouldContainExactly listOf("begin", "before commit", "commit")
            }
        }

        test("a hook before the commit that fails rolls back; the hooks of a rollback run last to first") {
            storageTest {
                val seen = mutableListOf<String>()
                shouldThrow<IllegalStateException> {
                    pool.txn { txn ->
                        txn.hooks.afterRollback { seen += "first" }
                        txn.hooks.afterRollback { seen += "second" }
                        txn.hooks.afterCommit { seen += "never" }
                        txn.hooks.beforeCommit { error("no") }
                    }
                }
                seen shouldContainExactly listOf("second", "first")
                log shouldContainExactly listOf("begin", "rollback")
            }
        }

        test("rollback hooks run when the commit failed, unknown hooks when its outcome is unknown") {
            for ((broken, expected) in listOf(false to "rollback", true to "unknown")) {
                storageTest {
                    driver.onCommit = { throw FakeError(ErrorCategory.OTHER, broken) }
                    val seen = mutableListOf<String>()
                    failureOf {
                        pool.txn { txn ->
                            txn.hooks.afterRollback { seen += "rollback" }
                            txn.hooks.onUnknown { seen += "unknown" }
                            txn.hooks.afterCommit { seen += "commit" }
                        }
                    }
                    seen shouldContainExactly listOf(expected)
                }
            }
        }

        test("hooks of a nested transaction: with its commit they move out, with its rollback they are dropped") {
            storageTest {
                val seen = mutableListOf<String>()
                pool.txn { outer ->
                    outer.txn { it.hooks.afterCommit { seen += "kept" } }
                    failureOf {
                        outer.txn { inner ->
                            inner.hooks.afterCommit { seen += "dropped" }
                            inner.hooks.afterRollback { seen += "inner rolled back" }
                            error("inner")
                        }
                    }
                    seen shouldContainExactly listOf("inner rolled back")
                }
                seen shouldContainExactly listOf("inner rolled back", "kept")
            }
        }

        test("a hook that fails or hangs is told; the others run; strict hooks are thrown and the outcome stands") {
            storageTest {
                val notices = mutableListOf<StorageNotice>()
                val watch = launchIn(this) { pool.notices.collect { notices += it } }
                now()
                var second = false
                pool.txn { txn ->
                    txn.hooks.afterCommit { error("hook") }
                    txn.hooks.afterCommit { awaitCancellation() }
                    txn.hooks.afterCommit { second = true }
                }
                now()
                second shouldBe true
                notices.filterIsInstance<StorageNotice.HookFailed>().size shouldBe 2
                val failure = shouldThrow<StorageException.HookFailed> {
                    pool.txn(TxnPolicy(strictHooks = true)) { it.hooks.afterCommit { error("hook") } }
                }
                failure.outcome shouldBe TxnStatus.COMMITTED
                watch.cancel()
            }
        }

        test("cancellation while a commit gets no answer: UNKNOWN, and onUnknown runs, never afterCommit") {
            storageTest(policy = StoragePolicy(commitTimeout = 5.seconds)) {
                driver.onCommit = { awaitCancellation() }
                val seen = mutableListOf<String>()
                var failure: Throwable? = null
                val caller = launchIn(this) {
                    failure = failureOf {
                        pool.txn { txn ->
                            txn.hooks.onUnknown { seen += "unknown" }
                            txn.hooks.afterCommit { seen += "commit" }
                            txn.hooks.afterRollback { seen += "rollback" }
                        }
                    }
                }
                now()
                caller.cancel()
                after(5.seconds)
                failure.shouldBeInstanceOf<StorageException.CommitOutcomeUnknown>()
                seen shouldContainExactly listOf("unknown")
            }
        }

        test("a coroutine of an outer scope that outlives the block finds the transaction finished, not the pool") {
            storageTest {
                val gate = CompletableDeferred<Unit>()
                val near = pool.nearest()
                var direct: Throwable? = null
                var nearest: Throwable? = null
                pool.txn { txn ->
                    val context = coroutineContext.minusKey(kotlinx.coroutines.Job)
                    launchIn(this@storageTest) {
                        kotlinx.coroutines.withContext(context) {
                            gate.await()
                            direct = failureOf { txn.use { } }
                            nearest = failureOf { near.use { } }
                        }
                    }
                }
                gate.complete(Unit)
                now()
                direct.shouldNotBeNull().shouldBeInstanceOf<StorageException.TxnFinished>().end shouldBe TxnEnd.COMMIT
                nearest.shouldNotBeNull().shouldBeInstanceOf<StorageException.TxnFinished>()
            }
        }
    })

/** A second pool beside that of [world], closed when [block] is over. */
private suspend fun storageTestInside(
    world: StorageWorld,
    block: suspend (PoolCore<FakeSession>) -> Unit,
) = coroutineScope {
    val source = LocalSessions(1) { FakeSession(100) }
    val pool =
        openStorage("other", FakeDriver(), source, StoragePolicy(), world.test.testScheduler.timeSource, Random(1))
    block(pool)
    pool.close(0)
}
