package dev.carom.storage

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.withTimeout
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PoolAndConnTest :
    FunSpec({
        test("two operations in a row on a pool of one do not wait for each other's return") {
            storageTest(capacity = 1) {
                pool.use { it.dirty = true }
                pool.use { it.id } shouldBe 1
                log shouldContainExactly listOf("reset")
            }
        }

        test("a failed operation gives its session back, and the exception of the block is not wrapped") {
            storageTest(capacity = 1) {
                shouldThrow<IllegalStateException> { pool.use { error("mine") } }
                val failure =
                    shouldThrow<StorageException.Platform> { pool.use { throw FakeError(ErrorCategory.UNIQUE) } }
                failure.message!! shouldContain "db: UNIQUE F0007 7"
                pool.use { it.id } shouldBe 1
            }
        }

        test("a session lost in an operation is destroyed, and the next operation gets another one") {
            storageTest(capacity = 1) {
                shouldThrow<StorageException.Platform> {
                    pool.use { throw FakeError(ErrorCategory.CONNECTION, broken = true) }
                }.isTransient shouldBe true
                pool.use { it.id } shouldBe 2
                pool.stats().destroyed[DestroyReason.BROKEN] shouldBe 1
            }
        }

        test("waiting for a session is served in order") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val order = mutableListOf<Int>()
                repeat(5) { n ->
                    launchIn(this) { pool.use { order += n } }
                    now()
                }
                conn.close()
                now()
                order shouldContainExactly (0..4).toList()
            }
        }

        test("our timeout of waiting names the holders, and an outer withTimeout is a different thing") {
            storageTest(capacity = 1, StoragePolicy(acquireTimeout = 3.seconds)) {
                val conn = pool.conn()
                val failure = shouldThrow<StorageException.AcquireTimeout> { pool.use { } }
                test.currentTime shouldBe 3_000
                failure.holders shouldHaveSize 1
                failureOf { withTimeout(1.seconds) { pool.use { } } }.shouldBeInstanceOf<TimeoutCancellationException>()
                pool.stats().timeouts shouldBe 1
                conn.close()
                leased shouldBe 0
            }
        }

        test("more waiters than the policy allows are refused at once") {
            storageTest(capacity = 1, StoragePolicy(maxWaiters = 1)) {
                val conn = pool.conn()
                launchIn(this) { pool.use { } }
                now()
                shouldThrow<StorageException.AcquireRejected> { pool.use { } }.waiting shouldBe 1
                conn.close()
                now()
            }
        }

        test("everybody who has a session waits for another one: the youngest is told, at once") {
            storageTest(capacity = 2) {
                val failures = mutableListOf<Throwable?>()
                repeat(2) { n ->
                    launchIn(this) {
                        failures += failureOf {
                            pool.conn {
                                delay((n + 1).milliseconds)
                                pool.use { }
                            }
                        }
                    }
                }
                after(1.milliseconds)
                failures.shouldBeEmpty()
                after(1.milliseconds)
                val deadlock = failures.filterNotNull().single().shouldBeInstanceOf<StorageException.PoolDeadlock>()
                deadlock.holders shouldHaveSize 2
                failures shouldHaveSize 2
            }
        }

        test("who has a session and finds another one free gets it; who waits for somebody who can return waits") {
            storageTest(capacity = 2) {
                pool.conn { pool.use { it.id } shouldBe 2 }
                val other = pool.conn()
                launchIn(this) { pool.conn { pool.use { it.log += "late" } } }
                now()
                other.close()
                now()
                log shouldContainExactly listOf("late")
            }
        }

        test("an operation's own timeout is settled like a cancellation and is none") {
            storageTest(capacity = 1) {
                shouldThrow<StorageException.OpTimeout> { pool.use(OpOptions(timeout = 1.seconds)) { it.run("long") } }
                test.currentTime shouldBe 1_000
                pool.use { it.id } shouldBe 1
                log shouldContainExactly listOf("long", "cancel")
            }
        }

        test("behind a proxy, a session whose operation ended despite a cancel request is destroyed; else it is not") {
            for (route in CancelRoute.entries) {
                storageTest(capacity = 1, StoragePolicy(cancelRoute = route)) {
                    val gate = CompletableDeferred<Unit>()
                    driver.onCancel = { gate.complete(Unit) }
                    val call = launchIn(this) { pool.use { it.run("ended all the same", gate) } }
                    now()
                    call.cancel()
                    now()
                    pool.stats().cancels[CancelClass.COMPLETED] shouldBe 1
                    pool.use { it.id } shouldBe if (route == CancelRoute.PROXY) 2 else 1
                }
            }
        }

        test("a session is not lent again before a cancel request has been dealt with") {
            storageTest(capacity = 1) {
                val answer = CompletableDeferred<Unit>()
                driver.onCancel = {
                    it.running?.completeExceptionally(FakeError(ErrorCategory.CANCELLED))
                    answer.await()
                }
                val call = launchIn(this) { pool.use { it.run("long") } }
                now()
                call.cancel()
                val next = launchIn(this) { pool.use { it.log += "next" } }
                after(1.seconds)
                next.isCompleted shouldBe false
                answer.complete(Unit)
                now()
                next.isCompleted shouldBe true
            }
        }

        test("a cancel request that throws or hangs: the end of the operation decides, else the grace") {
            storageTest(capacity = 1) {
                driver.onCancel = { throw FakeError(ErrorCategory.CONNECTION) }
                val gate = CompletableDeferred<Unit>()
                val call = launchIn(this) { pool.use { it.run("a", gate) } }
                now()
                call.cancel()
                now()
                gate.complete(Unit)
                now()
                call.isCompleted shouldBe true
                driver.onCancel = { awaitCancellation() }
                val hung = launchIn(this) { pool.use { it.run("b") } }
                now()
                hung.cancel()
                after(2.seconds)
                hung.isCompleted shouldBe true
                pool.stats().destroyed[DestroyReason.CANCEL_TIMEOUT] shouldBe 1
            }
        }

        test("operations of several coroutines on one connection run one after the other, in order") {
            storageTest {
                val conn = pool.conn()
                coroutineScope {
                    (1..5).map { n ->
                        async {
                            conn.use { s ->
                                s.log += "$n+"
                                delay(5)
                                s.log += "$n-"
                            }
                        }
                    }.awaitAll()
                }
                conn.close()
                log shouldContainExactly (1..5).flatMap { listOf("$it+", "$it-") }
            }
        }

        test(
            "close of a connection waits for what runs and what waits, refuses new operations, and is the same twice",
        ) {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val gate = CompletableDeferred<Unit>()
                launchIn(this) { conn.use { it.run("running", gate) } }
                now()
                launchIn(this) { conn.use { it.log += "queued" } }
                now()
                val a = launchIn(this) { conn.close() }
                val b = launchIn(this) { conn.close() }
                now()
                conn.status shouldBe ConnStatus.CLOSING
                shouldThrow<StorageException.ConnClosed> { conn.use { } }
                a.isCompleted shouldBe false
                gate.complete(Unit)
                now()
                (a.isCompleted && b.isCompleted) shouldBe true
                log shouldContainExactly listOf("running", "queued")
                conn.close()
                leased shouldBe 0
                shouldThrow<StorageException.ConnClosed> { conn.beginTxn() }
            }
        }

        test("close with rows or a transaction of one's own ends them: nobody else would") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val rows = conn.hold(OpOptions.READ)
                shouldThrow<StorageException.CursorOpen> { conn.use { } }
                conn.close()
                rows.isEnded shouldBe true
                val second = pool.conn()
                val txn = second.beginTxn()
                shouldThrow<StorageException.WouldWaitForSelf> { second.use { } }
                shouldThrow<StorageException.WouldWaitForSelf> { second.beginTxn() }
                second.close()
                txn.status shouldBe TxnStatus.ROLLED_BACK
                leased shouldBe 0
            }
        }

        test("closeNow cancels what runs and refuses what waits") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val failures = mutableListOf<Throwable?>()
                launchIn(this) { failures += failureOf { conn.use { it.run("long") } } }
                now()
                launchIn(this) { failures += failureOf { conn.use { it.run("queued") } } }
                now()
                conn.closeNow()
                now()
                failures.map { it!!::class } shouldContainExactly
                    listOf(StorageException.ConnClosed::class, StorageException.ConnClosed::class)
                log shouldContainExactly listOf("long", "cancel")
                leased shouldBe 0
            }
        }

        test("a call whose connection is closed by force just before it begins is told that, and is never made") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                var closing = false
                driver.onThreads = {
                    if (!closing) {
                        closing = true
                        test.launch(start = CoroutineStart.UNDISPATCHED) { conn.closeNow() }
                    }
                }
                failureOf { conn.use { it.run("never") } }.shouldBeInstanceOf<StorageException.ConnClosed>()
                closing shouldBe true
                log.shouldBeEmpty()
                now()
                leased shouldBe 0
            }
        }

        test("a session that comes back when its source has closed is disposed of") {
            val disposed = mutableListOf<Int>()
            val source = LocalSessions(2, { disposed += it }) { 1 }
            val lease = source.tryLease()!!
            source.close()
            lease.giveBack()
            disposed shouldContainExactly listOf(1)
        }

        test("a connection marked broken refuses operations, and close destroys its session") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                conn.markBroken(IllegalStateException("odd"))
                shouldThrow<StorageException.ConnBroken> { conn.use { } }.cause!!.message shouldBe "odd"
                conn.close()
                pool.use { it.id } shouldBe 2
            }
        }

        test(
            "operations on a connection while another coroutine's transaction is open wait, or fail, as the policy says",
        ) {
            storageTest {
                val conn = pool.conn()
                val txn = conn.beginTxn()
                val other = launchIn(this) { conn.use { it.log += "other" } }
                now()
                txn.commit()
                other.join()
                log shouldContainExactly listOf("begin", "commit", "other")
                conn.close()
            }
            storageTest(policy = StoragePolicy(opsDuringTxn = OpsDuringTxn.FAIL)) {
                val conn = pool.conn()
                val txn = conn.beginTxn()
                var failure: Throwable? = null
                launchIn(this) { failure = failureOf { conn.use { } } }
                now()
                failure.shouldBeInstanceOf<StorageException.ConcurrentTxnUse>()
                txn.rollback()
                conn.close()
            }
        }

        test("conn { } returns the session after a value, an exception and a cancellation") {
            storageTest(capacity = 1) {
                pool.conn { 42 } shouldBe 42
                shouldThrow<IllegalStateException> { pool.conn { error("mine") } }
                failureOf { withTimeout(1.seconds) { pool.conn { awaitCancellation() } } }
                leased shouldBe 0
                sessions shouldHaveSize 1
            }
        }

        test("conn { } that leaves a transaction open: rolled back and told; with an exception, told along with it") {
            storageTest(capacity = 1) {
                shouldThrow<StorageException.UnfinishedTxn> { pool.conn { it.beginTxn(TxnPolicy(owned = false)) } }
                val mine = shouldThrow<IllegalStateException> {
                    pool.conn {
                        it.beginTxn(TxnPolicy(owned = false))
                        error("mine")
                    }
                }
                mine.suppressed.single().shouldBeInstanceOf<StorageException.UnfinishedTxn>()
                log shouldContainExactly listOf("begin", "rollback", "begin", "rollback")
            }
        }

        test("an unscoped connection outlives the coroutine that took it") {
            storageTest {
                var conn: ConnCore<FakeSession>? = null
                launchIn(this) { conn = pool.conn() }
                now()
                conn!!.status shouldBe ConnStatus.OPEN
                conn.close()
            }
        }

        test("a stream gives its session back on every exit, before the collector's exception goes on") {
            storageTest(capacity = 1) {
                val numbers = pool.stream { session ->
                    session.log += "open"
                    onEnd { it.log += "closed" }
                    for (n in 1..1_000) emit(call { n })
                }
                numbers.take(3).toList() shouldContainExactly listOf(1, 2, 3)
                leased shouldBe 0
                shouldThrow<IllegalStateException> {
                    numbers.collect {
                        leased shouldBe 1
                        error("mine")
                    }
                }
                leased shouldBe 0
                numbers.buffer(2).toList() shouldHaveSize 1_000
                log shouldContainExactly listOf("open", "closed", "open", "closed", "open", "closed")
            }
        }

        test("a reset that fails or hangs destroys the session, and whoever returned it sees nothing of that") {
            storageTest(capacity = 1) {
                driver.onReset = { throw FakeError(ErrorCategory.OTHER) }
                pool.use { it.dirty = true }
                pool.use { it.id } shouldBe 2
                driver.onReset = { awaitCancellation() }
                val conn = pool.conn()
                conn.use { it.dirty = true }
                conn.close()
                test.currentTime shouldBe 5_000
                pool.use { it.id } shouldBe 3
                pool.stats().destroyed[DestroyReason.RESET_FAILED] shouldBe 2
            }
        }

        test("a transaction left open by hand is rolled back before somebody else gets the session") {
            storageTest(capacity = 1) {
                pool.use { it.txn = SessionTxn.OPEN }
                pool.use { it.txn } shouldBe SessionTxn.IDLE
            }
        }

        test("closing refuses and fails what waits, in order, and lets what is lent be used") {
            storageTest(capacity = 1) {
                val conn = pool.conn()
                val failed = mutableListOf<Int>()
                repeat(3) { n ->
                    launchIn(this) { if (failureOf { pool.use { } } is StorageException.PoolClosed) failed += n }
                    now()
                }
                val closer = launchIn(this) { pool.close() }
                now()
                failed shouldContainExactly listOf(0, 1, 2)
                shouldThrow<StorageException.PoolClosed> { pool.use { } }
                shouldThrow<StorageException.PoolClosed> { pool.beginTxn() }
                conn.txn { it.use { s -> s.log += "in a new transaction" } }
                closer.isCompleted shouldBe false
                conn.close()
                now()
                closer.isCompleted shouldBe true
                sessions.single().disposed shouldBe true
                pool.close()
                pool.toString() shouldContain "0 of 1 leased"
            }
        }

        test("when the drain is over: cancelled, rolled back, destroyed") {
            storageTest(capacity = 3) {
                val txn = pool.beginTxn()
                var inTxn: Throwable? = null
                var onPool: Throwable? = null
                launchIn(this) { inTxn = failureOf { txn.use { it.run("in txn") } } }
                launchIn(this) { onPool = failureOf { pool.use { it.run("on pool") } } }
                val conn = pool.conn()
                now()
                pool.close(1_000)
                test.currentTime shouldBe 1_000
                now()
                inTxn.shouldBeInstanceOf<StorageException.TxnFinished>().end shouldBe TxnEnd.POOL_CLOSED
                onPool.shouldBeInstanceOf<StorageException.PoolClosed>()
                shouldThrow<StorageException.PoolClosed> { conn.use { } }
                sessions.all { it.disposed } shouldBe true
            }
        }

        test("a second close with an earlier deadline wins") {
            storageTest {
                val conn = pool.conn()
                val first = launchIn(this) { pool.close(60_000) }
                now()
                pool.close(1_000)
                test.currentTime shouldBe 1_000
                first.join()
                conn.status shouldBe ConnStatus.CLOSED
            }
        }

        test("a close for ever by somebody who has a session is refused; with a limit it is not") {
            storageTest {
                shouldThrow<StorageException.WouldWaitForSelf> { pool.conn { pool.close() } }
                shouldThrow<IllegalArgumentException> { pool.close(-1) }
                pool.conn { pool.close(10) }
            }
        }

        test("a pool that never lent anything closes at once") {
            storageTest {
                pool.close()
                sessions.shouldBeEmpty()
            }
        }

        test("cancelling the scope of a pool cuts everything off") {
            storageTest {
                val txn = pool.beginTxn()
                var failure: Throwable? = null
                launchIn(this) { failure = failureOf { txn.use { it.run("long") } } }
                now()
                pool.engine.scope.coroutineContext.job.cancel()
                after(3.seconds)
                (failure is StorageException) shouldBe true
                txn.status shouldBe TxnStatus.ROLLED_BACK
                leased shouldBe 0
            }
        }

        test("a thousand coroutines, four sessions, random cancellations: nothing is lost") {
            val seed = 4711
            storageTest(capacity = 4) {
                val random = Random(seed)
                val jobs = List(1_000) {
                    launchIn(this) {
                        delay(random.nextInt(2_000).milliseconds)
                        when (random.nextInt(4)) {
                            0 -> pool.use { s -> failingRun(s, random) }
                            1 -> pool.conn { c -> c.use { s -> failingRun(s, random) } }
                            2 -> pool.txn { t -> t.use { s -> failingRun(s, random) } }
                            else -> pool.stream { s -> repeat(3) { emit(call { failingRun(s, random) }) } }.collect { }
                        }
                    } to random.nextInt(3_000).milliseconds
                }
                jobs.forEach { (job, at) ->
                    launchIn(this) {
                        delay(at)
                        job.cancel()
                    }
                }
                jobs.forEach { it.first.join() }
                now()
                leased shouldBe 0
                pool.stats().waiting shouldBe 0
                List(4) { test.async { pool.use { it.id } } }.awaitAll().size shouldBe 4
                sessions.filterNot { it.disposed }.all { it.txn == SessionTxn.IDLE } shouldBe true
            }
        }
    })

/** A statement that takes its time, and fails with a cancel code only if it was cancelled itself. */
private suspend fun failingRun(session: FakeSession, random: Random) {
    val gate = CompletableDeferred<Unit>()
    val time = random.nextInt(20)
    coroutineScope {
        val timer = launch {
            delay(time.milliseconds)
            gate.complete(Unit)
        }
        session.run("random", gate)
        timer.cancel()
    }
}
