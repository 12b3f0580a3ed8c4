package dev.carom.storage

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class TxnTest :
    FunSpec({
        test("a transaction that is committed, and one that is rolled back, return their session") {
            storageTest(capacity = 1) {
                val a = pool.beginTxn()
                a.mode shouldBe StorageMode.TXN
                a.kind.id shouldBe "fake"
                a.use { it.log += "a" }
                a.commit()
                a.status shouldBe TxnStatus.COMMITTED
                leased shouldBe 0
                val b = pool.beginTxn()
                b.rollback()
                b.status shouldBe TxnStatus.ROLLED_BACK
                log shouldContainExactly listOf("begin", "a", "commit", "begin", "rollback")
                sessions.size shouldBe 1
            }
        }

        test("what happens after the end says who ended it") {
            storageTest {
                val txn = pool.beginTxn()
                txn.commit()
                shouldThrow<StorageException.TxnFinished> { txn.commit() }.end shouldBe TxnEnd.COMMIT
                shouldThrow<StorageException.TxnFinished> { txn.rollback() }.status shouldBe TxnStatus.COMMITTED
                shouldThrow<StorageException.TxnFinished> { txn.use { } }
                shouldThrow<StorageException.TxnFinished> { txn.hold(OpOptions.READ) }
                shouldThrow<StorageException.TxnFinished> { txn.beginTxn() }
                shouldThrow<StorageException.TxnFinished> { txn.hooks.afterCommit { } }
                log shouldContainExactly listOf("begin", "commit")
            }
        }

        test("a failed begin returns the session and tells the platform's error") {
            storageTest(capacity = 1) {
                driver.onBegin = { throw FakeError(ErrorCategory.RESOURCE) }
                val failure = shouldThrow<StorageException.Platform> { pool.beginTxn() }
                failure.category shouldBe ErrorCategory.RESOURCE
                failure.state shouldBe "F0007"
                leased shouldBe 0
            }
        }

        test("an isolation level the adapter lacks is refused before a session is taken") {
            storageTest {
                shouldThrow<StorageException.UnsupportedIsolation> { pool.beginTxn(TxnPolicy(Isolation.LINEARIZABLE)) }
                sessions.shouldBeEmpty()
                pool.stats().acquired shouldBe 0
            }
        }

        test("a write in a read-only transaction is refused here; reading goes on") {
            storageTest {
                val txn = pool.beginTxn(TxnPolicy(readOnly = true))
                shouldThrow<StorageException.ReadOnlyViolation> { txn.write { it.log += "write" } }
                txn.read { it.id } shouldBe 1
                txn.commit()
                log shouldContainExactly listOf("begin", "commit")
            }
        }

        test("two coroutines in one transaction: the second is refused, and the transaction goes on") {
            storageTest {
                val txn = pool.beginTxn()
                val gate = CompletableDeferred<Unit>()
                val first = test.async { txn.use { it.run("first", gate) } }
                now()
                shouldThrow<StorageException.ConcurrentTxnUse> { txn.use { it.run("second") } }
                shouldThrow<StorageException.ConcurrentTxnUse> { txn.commit() }
                gate.complete(Unit)
                first.await() shouldBe "first"
                txn.commit()
                log shouldContainExactly listOf("begin", "first", "commit")
            }
        }

        test("two coroutines in one transaction that queues: one after the other, in order") {
            storageTest {
                pool.txn(TxnPolicy(concurrentUse = ConcurrentUse.QUEUE)) { txn ->
                    coroutineScope {
                        (1..5).map { n ->
                            async {
                                txn.use { s ->
                                    s.log += "$n+"
                                    delay(10)
                                    s.log += "$n-"
                                }
                            }
                        }.awaitAll()
                    }
                }
                log shouldContainExactly listOf("begin") + (1..5).flatMap { listOf("$it+", "$it-") } + "commit"
            }
        }

        test("a rollback stops the operation that another coroutine runs") {
            storageTest {
                val txn = pool.beginTxn()
                var failure: Throwable? = null
                val call = launchIn(this) { failure = failureOf { txn.use { it.run("long") } } }
                now()
                txn.rollback()
                call.join()
                failure.shouldBeInstanceOf<StorageException.TxnFinished>().end shouldBe TxnEnd.ROLLBACK
                log shouldContainExactly listOf("begin", "long", "cancel", "rollback")
            }
        }

        test("a commit closes the rows that are open in the transaction") {
            storageTest {
                val txn = pool.beginTxn()
                val rows = txn.hold(OpOptions.READ)
                rows.onEnd { it.log += "cursor closed" }
                shouldThrow<StorageException.CursorOpen> { txn.use { } }
                txn.commit()
                rows.isEnded shouldBe true
                log shouldContainExactly listOf("begin", "cursor closed", "commit")
            }
        }

        test("of two coroutines that commit, one wins") {
            storageTest {
                val gate = CompletableDeferred<Unit>()
                driver.onCommit = { gate.await() }
                val txn = pool.beginTxn()
                val first = test.async { failureOf { txn.commit() } }
                now()
                shouldThrow<StorageException.TxnFinished> { txn.commit() }.status shouldBe TxnStatus.COMMITTING
                gate.complete(Unit)
                first.await() shouldBe null
            }
        }

        test("a commit that the platform refuses without rolling back is rolled back, with its own error") {
            storageTest(capacity = 1) {
                driver.onCommit = { throw FakeError(ErrorCategory.CHECK) }
                val txn = pool.beginTxn()
                shouldThrow<StorageException.Platform> { txn.commit() }.category shouldBe ErrorCategory.CHECK
                txn.status shouldBe TxnStatus.ROLLED_BACK
                log shouldContainExactly listOf("begin", "commit", "rollback")
                leased shouldBe 0
            }
        }

        test("a connection lost during the commit leaves the outcome unknown, and is not retried") {
            storageTest(capacity = 1) {
                driver.onCommit = { throw FakeError(ErrorCategory.CONNECTION, broken = true) }
                var runs = 0
                val outcomes = mutableListOf<TxnStatus>()
                shouldThrow<StorageException.CommitOutcomeUnknown> {
                    pool.txn(TxnPolicy(retry = RetryPolicy(5, categories = setOf(ErrorCategory.CONNECTION)))) { txn ->
                        runs++
                        txn.hooks.afterCompletion { outcomes += it }
                    }
                }
                runs shouldBe 1
                outcomes shouldContainExactly listOf(TxnStatus.UNKNOWN)
                pool.stats().destroyed[DestroyReason.UNKNOWN_COMMIT] shouldBe 1
            }
        }

        test("an unknown outcome that the platform can tell becomes a commit, or a rollback, on another session") {
            for (outcome in listOf(TxnStatus.COMMITTED, TxnStatus.ROLLED_BACK)) {
                val driver = FakeDriver(Capabilities(resolvesOutcome = true))
                storageTest(capacity = 1, StoragePolicy(resolveTimeout = 10.seconds), driver) {
                    driver.onCommit = { throw FakeError(ErrorCategory.CONNECTION, broken = true) }
                    var asked = 0
                    driver.outcomes = { if (++asked < 3) null else outcome }
                    val hooks = mutableListOf<String>()
                    val failure = failureOf {
                        pool.txn { txn ->
                            txn.hooks.afterCommit { hooks += "commit" }
                            txn.hooks.afterRollback { hooks += "rollback" }
                            txn.hooks.onUnknown { hooks += "unknown" }
                        }
                    }
                    asked shouldBe 3
                    if (outcome ==
                        TxnStatus.COMMITTED
                    ) {
                        failure shouldBe null
                    } else {
                        failure.shouldBeInstanceOf<StorageException>()
                    }
                    hooks shouldContainExactly listOf(if (outcome == TxnStatus.COMMITTED) "commit" else "rollback")
                    sessions.size shouldBe 2
                }
            }
        }

        test("a rollback that fails destroys the session and keeps the first error") {
            storageTest(capacity = 1) {
                driver.onRollback = { throw FakeError(ErrorCategory.OTHER) }
                val mine = IllegalStateException("mine")
                val caught = shouldThrow<IllegalStateException> { pool.txn { throw mine } }
                caught shouldBeSameInstanceAs mine
                caught.suppressed.single().shouldBeInstanceOf<StorageException.Platform>()
                sessions.single().disposed shouldBe true
            }
        }

        test("an owner that ends without ending its transaction: rolled back, and told") {
            storageTest {
                val notices = mutableListOf<StorageNotice>()
                val watch = launchIn(this) { pool.notices.collect { notices += it } }
                now()
                var txn: TxnCore<FakeSession>? = null
                launchIn(this) { txn = pool.beginTxn(TxnPolicy(label = "forgotten")) }
                now()
                txn.shouldNotBeNull().status shouldBe TxnStatus.ROLLED_BACK
                notices.filterIsInstance<StorageNotice.Unfinished>().single().label shouldBe "forgotten"
                watch.cancel()
            }
        }

        test("a transaction that is bound to nobody outlives the coroutine that began it") {
            storageTest {
                var txn: TxnCore<FakeSession>? = null
                launchIn(this) { txn = pool.beginTxn(TxnPolicy(owned = false)) }
                now()
                txn!!.use { it.id } shouldBe 1
                txn.commit()
            }
        }

        test("its time runs out in an operation: cancelled, rolled back, a timeout and no cancellation") {
            storageTest {
                val failure = shouldThrow<StorageException.OpTimeout> {
                    pool.txn(TxnPolicy(timeout = 2.seconds)) { it.use { s -> s.run("long") } }
                }
                test.currentTime shouldBe 2_000
                failure.isTransient shouldBe true
                log shouldContainExactly listOf("begin", "long", "cancel", "rollback")
            }
        }

        test("its time runs out while nobody uses it") {
            storageTest {
                val txn = pool.beginTxn(TxnPolicy(timeout = 2.seconds))
                after(2.seconds)
                shouldThrow<StorageException.TxnFinished> { txn.use { } }.end shouldBe TxnEnd.TIMEOUT
                leased shouldBe 0
            }
        }

        test("a lazy transaction without an operation takes no session; its hooks run") {
            storageTest {
                var hook = false
                pool.txn(TxnPolicy(lazy = true)) {
                    it.status shouldBe TxnStatus.LAZY
                    it.hooks.afterCommit { hook = true }
                }
                hook shouldBe true
                pool.txn(TxnPolicy(lazy = true)) {
                    it.setRollbackOnly()
                    it.rollbackWith(Unit)
                }
                sessions.shouldBeEmpty()
            }
        }

        test("a lazy transaction begins with its first operation") {
            storageTest {
                pool.txn(TxnPolicy(lazy = true)) { txn ->
                    log.shouldBeEmpty()
                    txn.use { it.log += "op" }
                    txn.status shouldBe TxnStatus.ACTIVE
                }
                log shouldContainExactly listOf("begin", "op", "commit")
            }
        }

        test("a lazy transaction whose first operation gets no session is over") {
            storageTest(capacity = 1, StoragePolicy(acquireTimeout = 1.seconds)) {
                val conn = pool.conn()
                val txn = pool.beginTxn(TxnPolicy(lazy = true))
                shouldThrow<StorageException.AcquireTimeout> { txn.use { } }.holders.size shouldBe 1
                txn.status shouldBe TxnStatus.ROLLED_BACK
                conn.close()
                leased shouldBe 0
            }
        }

        test("a lazy transaction cancelled before its begin is lazy again") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val txn = pool.beginTxn(TxnPolicy(lazy = true))
                val call = launchIn(this) { txn.use { } }
                now()
                call.cancel()
                now()
                txn.status shouldBe TxnStatus.LAZY
                conn.close()
                txn.use { it.id } shouldBe 1
                txn.commit()
            }
        }

        test("a nested transaction: savepoint, release; savepoint, back to it") {
            storageTest {
                pool.txn { outer ->
                    outer.txn { it.use { s -> s.log += "kept" } }
                    failureOf { outer.txn { error("inner") } }.shouldBeInstanceOf<IllegalStateException>()
                    outer.status shouldBe TxnStatus.ACTIVE
                }
                log shouldContainExactly
                    listOf("begin", "savepoint", "kept", "release", "savepoint", "rollback to", "commit")
            }
        }

        test("an operation on the outer transaction while an inner one is open: oneself would wait for ever") {
            storageTest {
                pool.txn { outer ->
                    outer.txn { shouldThrow<StorageException.WouldWaitForSelf> { outer.use { } } }
                    val inner = outer.beginTxn()
                    shouldThrow<StorageException.WouldWaitForSelf> { outer.use { } }
                    inner.commit()
                }
            }
        }

        test("an operation on the outer transaction by another coroutine waits for the inner one, where it queues") {
            storageTest {
                val outer = pool.beginTxn(TxnPolicy(concurrentUse = ConcurrentUse.QUEUE))
                val inner = outer.beginTxn()
                val other = test.async { outer.use { it.log += "outer" } }
                now()
                inner.commit()
                other.await()
                outer.commit()
                log shouldContainExactly listOf("begin", "savepoint", "release", "outer", "commit")
            }
        }

        test("an outer commit with an open inner transaction: refused, and all of it rolled back") {
            storageTest {
                val outer = pool.beginTxn()
                val inner = outer.beginTxn()
                shouldThrow<StorageException.UnfinishedTxn> { outer.commit() }
                outer.status shouldBe TxnStatus.ROLLED_BACK
                shouldThrow<StorageException.TxnFinished> { inner.commit() }.end shouldBe TxnEnd.PARENT
                leased shouldBe 0
            }
        }

        test("a nested transaction cannot change the isolation, and an adapter without savepoints has none") {
            storageTest {
                pool.txn { outer ->
                    shouldThrow<StorageException.TxnPolicyConflict> {
                        outer.beginTxn(TxnPolicy(Isolation.SERIALIZABLE))
                    }
                }
            }
            storageTest(driver = FakeDriver(Capabilities(savepoints = false))) {
                pool.txn { outer ->
                    shouldThrow<StorageException.NestedTxnNotSupported> { outer.beginTxn() }
                    outer.use { it.id } shouldBe 1
                }
            }
        }

        test("the exception of the block is the very same object, and a cancellation is a cancellation") {
            storageTest {
                val mine = IllegalArgumentException("mine")
                shouldThrow<IllegalArgumentException> { pool.txn { throw mine } } shouldBeSameInstanceAs mine
                val cancelled = CancellationException("by hand")
                failureOf { pool.txn { throw cancelled } } shouldBeSameInstanceAs cancelled
                log shouldContainExactly listOf("begin", "rollback", "begin", "rollback")
            }
        }

        test("the value of the block is returned after the commit, or with a rollback") {
            storageTest {
                pool.txn { 42 } shouldBe 42
                pool.txn { it.rollbackWith("dropped") } shouldBe "dropped"
                shouldThrow<StorageException.TxnRollbackOnly> { pool.txn { it.setRollbackOnly() } }
                log shouldContainExactly listOf("begin", "commit", "begin", "rollback", "begin", "rollback")
            }
        }

        test("a block waits for its children before it commits") {
            storageTest {
                pool.txn(TxnPolicy(concurrentUse = ConcurrentUse.QUEUE)) { txn ->
                    launch {
                        delay(1.seconds)
                        txn.use { it.log += "child" }
                    }
                }
                log shouldContainExactly listOf("begin", "child", "commit")
            }
        }

        test("an error of the commit is thrown as it is, without a second rollback") {
            storageTest {
                driver.onCommit = {
                    it.txn = SessionTxn.IDLE
                    throw FakeError(ErrorCategory.SERIALIZATION)
                }
                shouldThrow<StorageException.Platform> { pool.txn { } }
                log shouldContainExactly listOf("begin", "commit")
            }
        }

        test(
            "serialization failures and deadlocks run the block again, with fresh hooks, as often as the policy says",
        ) {
            storageTest {
                var runs = 0
                var hooks = 0
                pool.txn(TxnPolicy(retry = RetryPolicy.serializable(5))) { txn ->
                    txn.hooks.afterCommit { hooks++ }
                    runs++
                    txn.use { if (runs == 1) throw FakeError(ErrorCategory.SERIALIZATION) }
                    txn.use { if (runs == 2) throw FakeError(ErrorCategory.DEADLOCK) }
                }
                runs shouldBe 3
                hooks shouldBe 1
                pool.stats().retries shouldBe 2
                runs = 0
                shouldThrow<StorageException.Platform> {
                    pool.txn(TxnPolicy(retry = RetryPolicy.serializable(3))) { txn ->
                        runs++
                        txn.use { throw FakeError(ErrorCategory.SERIALIZATION) }
                    }
                }
                runs shouldBe 3
            }
        }

        test("other failures, cancellations and joined blocks do not run again") {
            storageTest {
                val policy = TxnPolicy(retry = RetryPolicy.serializable(5))
                var runs = 0
                failureOf {
                    pool.txn(policy) { txn ->
                        runs++
                        txn.use { throw FakeError(ErrorCategory.UNIQUE) }
                    }
                }
                runs shouldBe 1
                failureOf {
                    pool.txn(policy) {
                        runs++
                        throw CancellationException()
                    }
                }
                runs shouldBe 2
                pool.txn { _ ->
                    failureOf {
                        pool.txn(policy) { joined ->
                            runs++
                            joined.use { throw FakeError(ErrorCategory.SERIALIZATION) }
                        }
                    }
                }
                runs shouldBe 3
            }
        }

        test("policies refuse what is out of bounds, with the value") {
            shouldThrow<IllegalArgumentException> {
                TxnPolicy(timeout = 0.seconds)
            }.message.shouldNotBeNull() shouldContain
                "0s"
            shouldThrow<IllegalArgumentException> { RetryPolicy(attempts = 0) }.message.shouldNotBeNull() shouldContain
                "was 0"
            shouldThrow<IllegalArgumentException> { RetryPolicy(start = 2.seconds, max = 1.seconds) }
            shouldThrow<IllegalArgumentException> { RetryPolicy(categories = setOf(ErrorCategory.CANCELLED)) }
            shouldThrow<IllegalArgumentException> { StoragePolicy(cancelGrace = 0.milliseconds) }
            shouldThrow<IllegalArgumentException> { StoragePolicy(maxWaiters = -1) }
            shouldThrow<IllegalArgumentException> { OpOptions(fetchSize = 0) }
            shouldThrow<IllegalArgumentException> { StorageKind("") }
            Isolation.entries.map { it.code } shouldContainExactly (1..8).toList()
        }
    })
