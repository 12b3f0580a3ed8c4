package dev.carom.storage

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class LeakTest :
    FunSpec({
        suspend fun StorageWorld.leaks(block: suspend (List<StorageNotice.LeakSuspected>) -> Unit) {
            val told = mutableListOf<StorageNotice.LeakSuspected>()
            val listener = test.backgroundScope.launch(start = CoroutineStart.UNDISPATCHED) {
                pool.notices.collect { if (it is StorageNotice.LeakSuspected) told += it }
            }
            block(told)
            listener.cancel()
        }

        test("B185 B51 a connection nobody uses is told once, with who has it; activity counts, not age") {
            storageTest(policy = StoragePolicy(leakAfter = 60.seconds, traceLeases = true)) {
                leaks { told ->
                    val conn = withContext(CoroutineName("checkout")) { pool.conn() }
                    after(50.seconds)
                    conn.use { }
                    after(50.seconds)
                    told.shouldBeEmpty()
                    after(40.seconds)
                    told shouldHaveSize 1
                    told[0].toString() shouldContain "checkout"
                    told[0].lease.trace.shouldNotBeNull()
                    after(300.seconds)
                    told shouldHaveSize 1
                    conn.use { }
                    after(100.seconds)
                    told shouldHaveSize 2
                    pool.stats().leaks shouldBe 2
                    conn.close()
                }
            }
        }

        test("B185 a long operation is no leak, nor is what was given back; a forgotten transaction is") {
            storageTest(policy = StoragePolicy(leakAfter = 1.seconds)) {
                leaks { told ->
                    val gate = CompletableDeferred<Unit>()
                    val call = test.launch { pool.use { it.run("long", gate) } }
                    after(100.seconds)
                    gate.complete(Unit)
                    call.join()
                    pool.conn().close()
                    after(100.seconds)
                    told.shouldBeEmpty()
                    val txn = pool.beginTxn(TxnPolicy(owned = false))
                    after(2.seconds)
                    told shouldHaveSize 1
                    txn.rollback()
                }
            }
        }

        test("a transaction that nobody uses for its idle time is rolled back, and says so; one in use is not") {
            storageTest {
                val gate = CompletableDeferred<Unit>()
                val busy = pool.beginTxn(TxnPolicy(idleTimeout = 100.milliseconds))
                val idle = pool.beginTxn(TxnPolicy(idleTimeout = 100.milliseconds))
                val call = test.launch { busy.use { it.run("long", gate) } }
                after(101.milliseconds)
                idle.status shouldBe TxnStatus.ROLLED_BACK
                failureOf { idle.use { } }.shouldBeInstanceOf<StorageException.TxnFinished>().end shouldBe
                    TxnEnd.OWNER_IDLE
                busy.status shouldBe TxnStatus.ACTIVE
                gate.complete(Unit)
                call.join()
                after(99.milliseconds)
                busy.status shouldBe TxnStatus.ACTIVE
                after(2.milliseconds)
                busy.status shouldBe TxnStatus.ROLLED_BACK
                leased shouldBe 0
            }
        }
    })
