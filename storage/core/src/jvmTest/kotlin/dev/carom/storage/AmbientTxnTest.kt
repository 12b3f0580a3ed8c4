package dev.carom.storage

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.ThreadContextElement
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** The transaction in the coroutine's context, on real threads. */
class AmbientTxnTest :
    FunSpec({
        /** A pool on the system's clock; everything ends with it. */
        suspend fun real(
            capacity: Int,
            driver: FakeDriver = FakeDriver(),
            block: suspend (PoolCore<FakeSession>) -> Unit,
        ) =
            coroutineScope {
                val made = java.util.concurrent.atomic.AtomicInteger()
                val source = LocalSessions(capacity) { FakeSession(made.incrementAndGet()) }
                val policy = StoragePolicy(commitTimeout = 200.milliseconds)
                val pool = openStorage("db", driver, source, policy)
                block(pool)
                pool.close(0)
            }

        test("a thousand changes of dispatcher inside txn { }: the same session every time") {
            val executors = mutableListOf<ExecutorService>(Executors.newFixedThreadPool(2))
            if (Runtime.version().feature() >= 21) {
                executors +=
                    Executors::class.java.getMethod("newVirtualThreadPerTaskExecutor").invoke(null) as ExecutorService
            }
            val dispatchers: List<CoroutineDispatcher> =
                listOf(Dispatchers.Default, Dispatchers.IO, Dispatchers.Unconfined) +
                    executors.map { it.asCoroutineDispatcher() }
            try {
                real(4) { pool ->
                    val near = pool.nearest()
                    pool.txn { txn ->
                        val id = txn.use { it.id }
                        val seen = mutableSetOf<Int>()
                        repeat(1_000) { n ->
                            withContext(dispatchers[n % dispatchers.size]) {
                                seen += near.use { it.id }
                                pool.txn { seen += it.use { s -> s.id } }
                            }
                        }
                        seen shouldBe setOf(id)
                    }
                    pool.stats().acquired shouldBe 1
                }
            } finally {
                executors.forEach { it.shutdown() }
            }
        }

        test(
            "a sibling that uses the transaction at the same time is told ConcurrentTxnUse, and nothing is corrupted",
        ) {
            real(1) { pool ->
                pool.txn { txn ->
                    val started = CompletableDeferred<Unit>()
                    val gate = CompletableDeferred<Unit>()
                    val sibling = async(Dispatchers.Default) {
                        txn.use { session ->
                            started.complete(Unit)
                            session.run("sibling", gate)
                        }
                    }
                    started.await()
                    shouldThrow<StorageException.ConcurrentTxnUse> { txn.use { it.run("me") } }
                    gate.complete(Unit)
                    sibling.await() shouldBe "sibling"
                    txn.use { it.log } shouldContainExactly listOf("begin", "sibling")
                }
            }
        }

        test("a child of an outer scope that outlives the block finds the transaction finished") {
            real(1) { pool ->
                val outer = CoroutineScope(SupervisorJob() + Dispatchers.Default)
                val gate = CompletableDeferred<Unit>()
                val escaped = pool.txn { txn ->
                    outer.async {
                        gate.await()
                        failureOf { txn.use { } }
                    }
                }
                gate.complete(Unit)
                escaped.await().shouldBeInstanceOf<StorageException.TxnFinished>()
                outer.coroutineContext.job.cancelAndJoin()
            }
        }

        test("cancellation during a commit that gets no answer: Unknown; onUnknown runs, never afterCommit") {
            val driver = FakeDriver()
            val sent = CompletableDeferred<Unit>()
            driver.onCommit = {
                sent.complete(Unit)
                awaitCancellation()
            }
            real(1, driver) { pool ->
                val hooks = mutableListOf<String>()
                val outcome = CompletableDeferred<Throwable?>()
                val caller = CoroutineScope(SupervisorJob() + Dispatchers.Default).launch {
                    outcome.complete(
                        failureOf {
                            pool.txn { txn ->
                                txn.hooks.onUnknown { hooks += "unknown" }
                                txn.hooks.afterCommit { hooks += "commit" }
                            }
                        },
                    )
                }
                sent.await()
                caller.cancelAndJoin()
                outcome.await().shouldBeInstanceOf<StorageException.CommitOutcomeUnknown>()
                hooks shouldContainExactly listOf("unknown")
            }
        }

        test("a value that a thread-bound library wants is there after each resume, and gone after each suspension") {
            val local = ThreadLocal<String?>()

            class Bound(val value: String) :
                AbstractCoroutineContextElement(Key),
                ThreadContextElement<String?> {
                override fun updateThreadContext(
                    context: CoroutineContext,
                ): String? = local.get().also { local.set(value) }

                override fun restoreThreadContext(context: CoroutineContext, oldState: String?) = local.set(oldState)
            }
            real(2) { pool ->
                withContext(Bound("request 7")) {
                    pool.txn { txn ->
                        repeat(50) { n ->
                            withContext(if (n % 2 == 0) Dispatchers.Default else Dispatchers.IO) {
                                local.get() shouldBe "request 7"
                                txn.use { local.get() } shouldBe "request 7"
                            }
                        }
                    }
                }
                withContext(Dispatchers.IO) { local.get() } shouldBe null
            }
        }

        test(
            "a hundred coroutines on eight threads, four sessions: no session is used twice at once, nothing is lost",
        ) {
            runTest(timeout = 60.seconds) {
                withContext(Dispatchers.Default.limitedParallelism(8)) {
                    real(4) { pool ->
                        coroutineScope {
                            repeat(100) { n ->
                                launch(Dispatchers.Default) {
                                    repeat(50) {
                                        when ((n + it) % 3) {
                                            0 -> pool.use { s -> s.enterAndLeave() }
                                            1 -> pool.txn { t -> t.use { s -> s.enterAndLeave() } }
                                            else -> pool.conn { c -> c.use { s -> s.enterAndLeave() } }
                                        }
                                    }
                                }
                            }
                        }
                        pool.stats().leased shouldBe 0
                        pool.stats().acquired shouldBe 5_000
                    }
                }
            }
        }
    })

private object Key : CoroutineContext.Key<ThreadContextElement<String?>>

private suspend fun FakeSession.enterAndLeave() {
    check(running == null) { "session $id is used twice at once" }
    running = CompletableDeferred()
    kotlinx.coroutines.yield()
    running = null
}
