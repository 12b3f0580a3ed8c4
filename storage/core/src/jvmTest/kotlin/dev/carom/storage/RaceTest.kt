package dev.carom.storage

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.isActive
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.util.concurrent.atomic.AtomicInteger

/** Races between real threads. */
class RaceTest :
    FunSpec({
        test("B167 a loan that ends exactly while closing starts: its session is destroyed once, and close returns") {
            repeat(2_000) {
                val disposed = AtomicInteger()
                val owner = Job()
                val source = LocalSessions(1, { disposed.incrementAndGet() }) { FakeSession(1) }
                val pool = CoroutineScope(Dispatchers.Default + owner).openStorage("race", FakeDriver(), source)
                val conn = pool.conn()
                val go = CompletableDeferred<Unit>()
                coroutineScope {
                    listOf(
                        launch(Dispatchers.Default) {
                            go.await()
                            conn.close()
                        },
                        launch(Dispatchers.Default) {
                            go.await()
                            pool.close()
                        },
                    ).also { go.complete(Unit) }.joinAll()
                }
                disposed.get() shouldBe 1
                pool.stats().leased shouldBe 0
                owner.cancel()
            }
        }

        test("B89 cancelled while the commit runs on another thread: the value is returned all the same") {
            val driver = FakeDriver()
            val owner = Job()
            val pool = CoroutineScope(Dispatchers.Default + owner)
                .openStorage("commit", driver, LocalSessions(1) { FakeSession(1) })
            repeat(500) { n ->
                val value = CompletableDeferred<Int>()
                val caller = CoroutineScope(Dispatchers.Default)
                val sent = CompletableDeferred<Unit>()
                val cancelled = CompletableDeferred<Unit>()
                driver.onCommit = {
                    withContext(Dispatchers.IO) {
                        sent.complete(Unit)
                        cancelled.await()
                    }
                }
                val call = caller.launch {
                    value.complete(pool.txn { n })
                    currentCoroutineContext().isActive shouldBe false
                }
                sent.await()
                call.cancel()
                cancelled.complete(Unit)
                call.join()
                value.isCompleted shouldBe true
                value.await() shouldBe n
            }
            pool.close(0)
            owner.cancel()
        }
    })
