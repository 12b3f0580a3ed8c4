package dev.carom.storage

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.collections.shouldNotContain
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Each row of the cancellation matrix, on each handle where it says something. */
class CancellationMatrixTest :
    FunSpec({
        /** The three handles, each with how it is had. */
        suspend fun StorageWorld.handle(mode: StorageMode): Sessions<FakeSession> = when (mode) {
            StorageMode.POOL -> pool
            StorageMode.CONN -> pool.conn()
            StorageMode.TXN -> pool.beginTxn(TxnPolicy(concurrentUse = ConcurrentUse.QUEUE, owned = false))
        }

        suspend fun end(handle: Any) {
            if (handle is StorageConn<*>) handle.closeNow()
            if (handle is StorageTxn && !handle.status.isEnded) handle.rollback()
        }

        for (mode in StorageMode.entries) {
            test("before the call suspends, already cancelled: on ${mode.name}") {
                storageTest {
                    val handle = handle(mode)
                    val before = log
                    val call = launchIn(this) {
                        currentCoroutineContext().job.cancel()
                        handle.use { it.run("never") }
                    }
                    now()
                    call.isCancelled shouldBe true
                    log shouldContainExactly before
                    pool.stats().waiting shouldBe 0
                    end(handle)
                }
            }

            test(
                "ARMED, handed to the driver and not started: cancelled again and again until settled, on ${mode.name}",
            ) {
                storageTest {
                    val handle = handle(mode)
                    val gate = CompletableDeferred<Unit>()
                    // The server does not know the statement yet: the first requests are lost.
                    driver.onCancel =
                        { if (driver.cancels == 4) gate.completeExceptionally(FakeError(ErrorCategory.CANCELLED)) }
                    val call = launchIn(this) { handle.use { it.run("armed", gate) } }
                    now()
                    call.cancel()
                    after(139.milliseconds)
                    driver.cancels shouldBe 3
                    call.isCompleted shouldBe false
                    after(1.milliseconds)
                    driver.cancels shouldBe 4
                    call.isCompleted shouldBe true
                    pool.stats().cancels[CancelClass.CONFIRMED] shouldBe 1
                    end(handle)
                }
            }

            test("RUNNING atomic operation: stopped on the server, then C; the session is clean, on ${mode.name}") {
                storageTest(capacity = 1) {
                    val handle = handle(mode)
                    val failure = CompletableDeferred<Throwable?>()
                    val call = launchIn(this) { failure.complete(failureOf { handle.use { it.run("long") } }) }
                    now()
                    call.cancel()
                    now()
                    failure.await().shouldBeInstanceOf<CancellationException>()
                    sessions.single().log shouldContain "cancel"
                    when (handle) {
                        is StorageConn<*> -> handle.status shouldBe ConnStatus.OPEN
                        is StorageTxn -> handle.status shouldBe TxnStatus.ACTIVE
                        else -> leased shouldBe 0
                    }
                    handle.use { "next" } shouldBe "next"
                    sessions shouldHaveSize 1
                    end(handle)
                }
            }

            test(
                "RUNNING atomic operation that does not stop: after the grace the session is destroyed, on ${mode.name}",
            ) {
                storageTest(capacity = 1) {
                    val handle = handle(mode)
                    driver.onCancel = {}
                    val call = launchIn(this) { handle.use { it.run("deaf") } }
                    now()
                    call.cancel()
                    after(1_999.milliseconds)
                    call.isCompleted shouldBe false
                    after(1.milliseconds)
                    call.isCompleted shouldBe true
                    sessions.single().aborted shouldBe true
                    pool.stats().cancels[CancelClass.TIMEOUT] shouldBe 1
                    when (handle) {
                        is StorageConn<*> -> {
                            handle.status shouldBe ConnStatus.BROKEN
                            shouldThrow<StorageException.ConnBroken> { handle.use { } }
                        }

                        is StorageTxn -> {
                            handle.status shouldBe TxnStatus.ROLLED_BACK
                            shouldThrow<StorageException.TxnFinished> { handle.commit() }.end shouldBe TxnEnd.PLATFORM
                        }

                        else -> leased shouldBe 0
                    }
                    end(handle)
                    pool.use { it.id } shouldBe 2
                }
            }

            test("operation finished just before the cancellation: its effect stays, on ${mode.name}") {
                storageTest(capacity = 1) {
                    val handle = handle(mode)
                    val gate = CompletableDeferred<Unit>()
                    val call = launchIn(this) { handle.use { it.run("done", gate) } }
                    now()
                    gate.complete(Unit)
                    // Both are there before the caller runs again.
                    call.cancel()
                    now()
                    call.isCompleted shouldBe true
                    driver.cancels shouldBe 0
                    sessions.single().log shouldContain "done"
                    handle.use { it.id } shouldBe 1
                    end(handle)
                }
            }

            test("rows open, being read: the cursor is closed and the session is free, on ${mode.name}") {
                storageTest(capacity = 1) {
                    val handle = handle(mode)
                    val reader = launchIn(this) {
                        val hold = handle.hold(OpOptions.READ)
                        hold.onEnd { it.log += "cursor closed" }
                        try {
                            hold.call { it.run("page") }
                        } finally {
                            hold.end()
                        }
                    }
                    now()
                    reader.cancel()
                    now()
                    reader.isCompleted shouldBe true
                    sessions.single().log.takeLast(2) shouldContainExactly listOf("cancel", "cursor closed")
                    handle.use { it.id } shouldBe 1
                    end(handle)
                }
            }

            test("rows open, consumer not reading, owner cancelled: the rows are closed, on ${mode.name}") {
                storageTest(capacity = 1) {
                    val handle = handle(mode)
                    val opened = CompletableDeferred<SessionHold<FakeSession>>()
                    val owner = launchIn(this) {
                        opened.complete(
                            handle.hold(OpOptions.READ).also { hold ->
                                hold.onEnd {
                                    it.log +=
                                        "cursor closed"
                                }
                            },
                        )
                        awaitCancellation()
                    }
                    now()
                    owner.cancel()
                    now()
                    opened.await().isEnded shouldBe true
                    sessions.single().log shouldContain "cursor closed"
                    handle.use { it.id } shouldBe 1
                    end(handle)
                }
            }

            test("second cancellation while cleaning up has no effect, on ${mode.name}") {
                storageTest(capacity = 1) {
                    val handle = handle(mode)
                    val gate = CompletableDeferred<Unit>()
                    driver.onCancel = {}
                    val call = launchIn(this) { handle.use { it.run("slow to stop", gate) } }
                    now()
                    call.cancel()
                    now()
                    call.cancel()
                    after(100.milliseconds)
                    call.isCompleted shouldBe false
                    gate.completeExceptionally(FakeError(ErrorCategory.CANCELLED))
                    now()
                    call.isCompleted shouldBe true
                    handle.use { it.id } shouldBe 1
                    end(handle)
                }
            }
        }

        test("waiting for a session: removed, and the session released next goes to the next one") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val first = launchIn(this) { pool.use { it.id } }
                now()
                val second = test.async { pool.use { "second" } }
                now()
                pool.stats().waiting shouldBe 2
                first.cancel()
                now()
                pool.stats().waiting shouldBe 1
                conn.close()
                second.await() shouldBe "second"
                leased shouldBe 0
            }
        }

        test("waiting for a session, delivered in the same instant: it is not lost") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val first = launchIn(this) { pool.use { it.id } }
                now()
                val second = test.async { pool.use { "second" } }
                now()
                conn.close()
                first.cancel()
                second.await() shouldBe "second"
                leased shouldBe 0
            }
        }

        test("waiting for a session with conn() and with beginTxn(): no connection, no transaction") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val a = launchIn(this) { pool.conn() }
                val b = launchIn(this) { pool.beginTxn() }
                now()
                a.cancel()
                b.cancel()
                now()
                pool.stats().waiting shouldBe 0
                conn.close()
                leased shouldBe 0
                log.shouldBeEmpty()
            }
        }

        test("session being reset for this waiter: the work belongs to the pool, and the next one gets it") {
            storageTest(capacity = 1) {
                val gate = CompletableDeferred<Unit>()
                driver.onReset = { gate.await() }
                pool.use { it.dirty = true }
                val waiter = launchIn(this) { pool.use { } }
                now()
                waiter.cancel()
                now()
                waiter.isCompleted shouldBe true
                gate.complete(Unit)
                pool.use { it.id } shouldBe 1
            }
        }

        test("queued behind another operation: removed, nothing sent, the connection OPEN") {
            storageTest {
                val conn = pool.conn()
                val gate = CompletableDeferred<Unit>()
                val first = launchIn(this) { conn.use { it.run("first", gate) } }
                now()
                val queued = launchIn(this) { conn.use { it.run("queued") } }
                now()
                queued.cancel()
                now()
                queued.isCompleted shouldBe true
                gate.complete(Unit)
                first.join()
                log shouldContainExactly listOf("first")
                conn.status shouldBe ConnStatus.OPEN
                conn.close()
            }
        }

        test("queued behind another operation: removed, nothing sent, the transaction ACTIVE") {
            storageTest {
                val txn = pool.beginTxn(TxnPolicy(concurrentUse = ConcurrentUse.QUEUE))
                val gate = CompletableDeferred<Unit>()
                val first = launchIn(this) { txn.use { it.run("first", gate) } }
                now()
                val queued = launchIn(this) { txn.use { it.run("queued") } }
                now()
                queued.cancel()
                gate.complete(Unit)
                first.join()
                txn.status shouldBe TxnStatus.ACTIVE
                txn.commit()
                log shouldContainExactly listOf("begin", "first", "commit")
            }
        }

        test("RUNNING operation in a transaction that the platform fails: FAILED, and the commit is a rollback") {
            storageTest {
                val txn = pool.beginTxn()
                driver.onCancel = {
                    it.txn = SessionTxn.FAILED
                    it.running?.completeExceptionally(FakeError(ErrorCategory.CANCELLED))
                }
                val call = launchIn(this) { txn.use { it.run("long") } }
                now()
                call.cancel()
                now()
                txn.status shouldBe TxnStatus.FAILED
                shouldThrow<StorageException.TxnFailed> { txn.use { } }
                shouldThrow<StorageException.TxnFailed> { txn.commit() }
                txn.status shouldBe TxnStatus.ROLLED_BACK
                log shouldContainExactly listOf("begin", "long", "cancel", "rollback")
            }
        }

        test("RUNNING operation in a transaction that the platform ends: ROLLED_BACK by the platform") {
            storageTest {
                val txn = pool.beginTxn()
                driver.onCancel = {
                    it.txn = SessionTxn.IDLE
                    it.running?.completeExceptionally(FakeError(ErrorCategory.CANCELLED))
                }
                val call = launchIn(this) { txn.use { it.run("write") } }
                now()
                call.cancel()
                now()
                txn.status shouldBe TxnStatus.ROLLED_BACK
                leased shouldBe 0
                shouldThrow<StorageException.TxnFinished> { txn.commit() }.end shouldBe TxnEnd.PLATFORM
            }
        }

        test(
            "BEGIN in flight on a connection: if it turns out to have worked, it is rolled back before the queue moves on",
        ) {
            storageTest {
                val conn = pool.conn()
                val gate = CompletableDeferred<Unit>()
                driver.onBegin = { session ->
                    session.run("begin sent", gate)
                }
                driver.onCancel = {}
                val begin = launchIn(this) { conn.beginTxn() }
                now()
                val next = launchIn(this) { conn.use { it.log += "next" } }
                now()
                begin.cancel()
                now()
                gate.complete(Unit)
                next.join()
                sessions.single().log shouldContainExactly listOf("begin", "begin sent", "cancel", "rollback", "next")
                conn.status shouldBe ConnStatus.OPEN
                conn.close()
            }
        }

        test("BEGIN in flight on the pool: nothing is left of it, and the lease is returned") {
            storageTest(capacity = 1) {
                driver.onBegin = { it.run("begin sent") }
                val begin = launchIn(this) { pool.beginTxn() }
                now()
                begin.cancel()
                now()
                begin.isCompleted shouldBe true
                leased shouldBe 0
                sessions.single().txn shouldBe SessionTxn.IDLE
            }
        }

        test("transaction open, idle, owner cancelled: rolled back, the lease returned") {
            storageTest(capacity = 1) {
                val begun = CompletableDeferred<TxnCore<FakeSession>>()
                val owner = launchIn(this) {
                    begun.complete(pool.beginTxn())
                    awaitCancellation()
                }
                now()
                owner.cancel()
                now()
                begun.await().status shouldBe TxnStatus.ROLLED_BACK
                leased shouldBe 0
                shouldThrow<StorageException.TxnFinished> { begun.await().commit() }.end shouldBe TxnEnd.OWNER_CANCELLED
            }
        }

        test("transaction open, idle, owner cancelled, on a connection: rolled back, the connection OPEN") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val owner = launchIn(this) {
                    conn.beginTxn()
                    awaitCancellation()
                }
                now()
                owner.cancel()
                now()
                log shouldContainExactly listOf("begin", "rollback")
                conn.status shouldBe ConnStatus.OPEN
                conn.use { "usable" } shouldBe "usable"
                conn.close()
            }
        }

        test("transaction open, idle, in conn { } that is cancelled: rolled back, closed and returned") {
            storageTest(capacity = 1) {
                val owner = launchIn(this) {
                    pool.conn { conn ->
                        conn.beginTxn()
                        awaitCancellation()
                    }
                }
                now()
                owner.cancel()
                now()
                owner.isCompleted shouldBe true
                log shouldContainExactly listOf("begin", "rollback")
                leased shouldBe 0
            }
        }

        test("transaction open, operation running, owner cancelled: settled first, then rolled back") {
            storageTest(capacity = 1) {
                val owner = launchIn(this) {
                    val txn = pool.beginTxn()
                    txn.use { it.run("long") }
                }
                now()
                owner.cancel()
                now()
                owner.isCompleted shouldBe true
                log shouldContainExactly listOf("begin", "long", "cancel", "rollback")
                leased shouldBe 0
            }
        }

        test("transaction open, operation running in conn { }, cancelled: settled, rolled back, closed") {
            storageTest(capacity = 1) {
                val owner = launchIn(this) { pool.conn { conn -> conn.txn { it.use { s -> s.run("long") } } } }
                now()
                owner.cancel()
                now()
                log shouldContainExactly listOf("begin", "long", "cancel", "rollback")
                leased shouldBe 0
            }
        }

        test("connection idle, owner cancelled: closed and returned, nothing sent") {
            storageTest(capacity = 1) {
                val owner = launchIn(this) { pool.conn { awaitCancellation() } }
                now()
                leased shouldBe 1
                owner.cancel()
                now()
                leased shouldBe 0
                log.shouldBeEmpty()
            }
        }

        test("commit, not yet sent: no commit is sent; rolled back; C") {
            storageTest(capacity = 1) {
                val failure = CompletableDeferred<Throwable?>()
                launchIn(this) {
                    val txn = pool.beginTxn(TxnPolicy(owned = false))
                    currentCoroutineContext().job.cancel()
                    failure.complete(failureOf { txn.commit() })
                }
                now()
                failure.await().shouldBeInstanceOf<CancellationException>()
                log shouldContainExactly listOf("begin", "rollback")
                leased shouldBe 0
            }
        }

        test("commit, waiting behind an operation: no commit is sent; rolled back; C") {
            storageTest(capacity = 1) {
                val txn = pool.beginTxn(TxnPolicy(concurrentUse = ConcurrentUse.QUEUE))
                launchIn(this) { failureOf { txn.use { it.run("long") } } }
                now()
                val failure = CompletableDeferred<Throwable?>()
                val commit = launchIn(this) { failure.complete(failureOf { txn.commit() }) }
                now()
                txn.status shouldBe TxnStatus.COMMITTING
                commit.cancel()
                now()
                failure.await().shouldBeInstanceOf<CancellationException>()
                log shouldContainExactly listOf("begin", "long", "cancel", "rollback")
                txn.status shouldBe TxnStatus.ROLLED_BACK
            }
        }

        test("commit, sent: shielded; committed, the value is returned, hooks run, the next suspension throws C") {
            storageTest(capacity = 1) {
                val gate = CompletableDeferred<Unit>()
                driver.onCommit = { gate.await() }
                var value = 0
                var hook = false
                var after: Throwable? = null
                val caller = launchIn(this) {
                    value = pool.txn { txn ->
                        txn.hooks.afterCommit { hook = true }
                        42
                    }
                    after = failureOf { yield() }
                }
                now()
                caller.cancel()
                now()
                caller.isCompleted shouldBe false
                gate.complete(Unit)
                now()
                value shouldBe 42
                hook shouldBe true
                after.shouldBeInstanceOf<CancellationException>()
                driver.cancels shouldBe 0
            }
        }

        test("commit, sent, and the platform says rolled back: its error, not C") {
            storageTest(capacity = 1) {
                val gate = CompletableDeferred<Unit>()
                driver.onCommit = {
                    gate.await()
                    it.txn = SessionTxn.IDLE
                    throw FakeError(ErrorCategory.SERIALIZATION)
                }
                var failure: Throwable? = null
                val caller = launchIn(this) { failure = failureOf { pool.txn { } } }
                now()
                caller.cancel()
                gate.complete(Unit)
                now()
                failure.shouldBeInstanceOf<StorageException.Platform>().category shouldBe ErrorCategory.SERIALIZATION
                log shouldContainExactly listOf("begin", "commit")
                leased shouldBe 0
            }
        }

        test("commit, sent, no answer: UNKNOWN after commitTimeout, whatever cancellation does") {
            storageTest(capacity = 1) {
                driver.onCommit = { awaitCancellation() }
                var failure: Throwable? = null
                val caller = launchIn(this) { failure = failureOf { pool.txn { } } }
                now()
                caller.cancel()
                after(29_999.milliseconds)
                caller.isCompleted shouldBe false
                after(1.milliseconds)
                failure.shouldBeInstanceOf<StorageException.CommitOutcomeUnknown>()
                sessions.single().aborted shouldBe true
                sessions.single().disposed shouldBe true
            }
        }

        test("rollback in flight: shielded up to rollbackTimeout, then destroyed; C afterwards") {
            storageTest(capacity = 1) {
                driver.onRollback = { awaitCancellation() }
                var failure: Throwable? = null
                val caller = launchIn(this) {
                    val txn = pool.beginTxn(TxnPolicy(owned = false))
                    failure = failureOf { txn.rollback() }
                }
                now()
                caller.cancel()
                after(4_999.milliseconds)
                caller.isCompleted shouldBe false
                after(1.milliseconds)
                caller.isCompleted shouldBe true
                failure.shouldBeInstanceOf<StorageException.OpTimeout>()
                sessions.single().disposed shouldBe true
                leased shouldBe 0
            }
        }

        test("rollback in flight that succeeds: rolled back; C afterwards") {
            storageTest(capacity = 1) {
                val gate = CompletableDeferred<Unit>()
                driver.onRollback = { gate.await() }
                var failure: Throwable? = null
                val caller = launchIn(this) {
                    val txn = pool.beginTxn(TxnPolicy(owned = false))
                    failure = failureOf { txn.rollback() }
                }
                now()
                caller.cancel()
                gate.complete(Unit)
                now()
                failure.shouldBeInstanceOf<CancellationException>()
                sessions.single().disposed shouldBe false
                leased shouldBe 0
            }
        }

        test("close() of the pool in flight: only the waiting is cancelled, draining goes on") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val closer = launchIn(this) { pool.close() }
                now()
                closer.cancel()
                now()
                closer.isCompleted shouldBe true
                shouldThrow<StorageException.PoolClosed> { pool.conn() }
                conn.use { "still usable" } shouldBe "still usable"
                conn.close()
                now()
                sessions.single().disposed shouldBe true
            }
        }

        test("close() of a connection in flight: the release completes, C afterwards") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val gate = CompletableDeferred<Unit>()
                val op = launchIn(this) { conn.use { it.run("op", gate) } }
                now()
                val closer = launchIn(this) { conn.close() }
                now()
                closer.cancel()
                now()
                closer.isCompleted shouldBe true
                gate.complete(Unit)
                op.join()
                now()
                conn.status shouldBe ConnStatus.CLOSED
                leased shouldBe 0
            }
        }

        test(
            "nested transaction, operation running, only the inner scope cancelled: back to the savepoint, outer ACTIVE",
        ) {
            storageTest(capacity = 1) {
                pool.txn { outer ->
                    withTimeoutOrNull(1.seconds) {
                        outer.txn { inner -> inner.use { it.run("long") } }
                    }.shouldBeNull()
                    outer.status shouldBe TxnStatus.ACTIVE
                    outer.use { it.log += "outer goes on" }
                }
                log shouldContainExactly
                    listOf("begin", "savepoint", "long", "cancel", "rollback to", "outer goes on", "commit")
            }
        }

        test("nested transaction whose savepoint is lost: the outer one is over too") {
            storageTest(capacity = 1) {
                driver.onSavepoint = { throw FakeError(ErrorCategory.CONNECTION, broken = true) }
                val outer = pool.beginTxn()
                shouldThrow<StorageException.Platform> { outer.txn { } }
                outer.status shouldBe TxnStatus.ROLLED_BACK
                sessions.single().log shouldNotContain "commit"
            }
        }
    })

/** A coroutine of the test that may fail or be cancelled without ending the test. */
fun launchIn(world: StorageWorld, block: suspend CoroutineScope.() -> Unit): Job {
    val scope =
        CoroutineScope(world.test.coroutineContext + kotlinx.coroutines.SupervisorJob(world.test.coroutineContext[Job]))
    return scope.launch {
        try {
            coroutineScope(block)
        } finally {
            scope.coroutineContext[Job]!!.let { (it as kotlinx.coroutines.CompletableJob).complete() }
        }
    }
}
