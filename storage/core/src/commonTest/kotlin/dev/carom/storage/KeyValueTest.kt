package dev.carom.storage

import dev.carom.storage.keyvalue.KeyCondition
import dev.carom.storage.keyvalue.KeyValuePool
import dev.carom.storage.memory.MemoryKeyValue
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withTimeoutOrNull

private fun keyValueTest(sessions: Int = 2, block: suspend TestScope.(KeyValuePool, MemoryKeyValue) -> Unit) = runTest {
    val storage = MemoryKeyValue(testScheduler.timeSource)
    val pool = storage.open(this, "memory", sessions, StoragePolicy(), testScheduler.timeSource)
    block(pool, storage)
    pool.stats().leased shouldBe 0
    pool.close(0)
}

class KeyValueTest :
    FunSpec({
        test("set, get, delete on the pool, on a connection and in a transaction") {
            keyValueTest(sessions = 1) { pool, storage ->
                pool.set("a", "1")
                pool.conn { it.set("b", "2") }
                pool.txn { it.set("c", "3") }
                storage.toMap() shouldBe mapOf("a" to "1", "b" to "2", "c" to "3")
                pool.get("b") shouldBe "2"
                pool.getAll(listOf("a", "c", "x")) shouldBe mapOf("a" to "1", "c" to "3")
                pool.delete("a") shouldBe true
                pool.delete("a") shouldBe false
                pool.get("a").shouldBeNull()
            }
        }

        test("conditions, compare and set, increment") {
            keyValueTest { pool, _ ->
                pool.set("a", "1", 0, KeyCondition.PRESENT) shouldBe false
                pool.set("a", "1", 0, KeyCondition.ABSENT) shouldBe true
                pool.set("a", "2", 0, KeyCondition.ABSENT) shouldBe false
                pool.compareAndSet("a", "9", "2") shouldBe false
                pool.compareAndSet("a", "1", "2") shouldBe true
                pool.compareAndSet("b", null, "new") shouldBe true
                pool.increment("a", 40) shouldBe 42
                pool.increment("n", -1) shouldBe -1
                shouldThrow<StorageException.Platform> { pool.increment("b", 1) }.category shouldBe ErrorCategory.CHECK
                pool.set("max", Long.MAX_VALUE.toString())
                shouldThrow<StorageException.Platform> { pool.increment("max", 1) }
                shouldThrow<IllegalArgumentException> { pool.get("") }
                shouldThrow<IllegalArgumentException> { pool.set("a", "", -1, KeyCondition.ALWAYS) }
            }
        }

        test("values expire; expire changes when; increment keeps it") {
            keyValueTest { pool, storage ->
                pool.set("a", "1", 1_000, KeyCondition.ALWAYS)
                delay(999)
                pool.increment("a", 1) shouldBe 2
                pool.expire("a", 500) shouldBe true
                delay(499)
                pool.get("a") shouldBe "2"
                delay(1)
                pool.get("a").shouldBeNull()
                pool.expire("a", 500) shouldBe false
                storage.toMap() shouldBe emptyMap()
                pool.set("b", "1", 10, KeyCondition.ALWAYS)
                pool.expire("b", 0) shouldBe true
                delay(1_000)
                pool.get("b") shouldBe "1"
            }
        }

        test("a scan gives the keys with a prefix, page by page") {
            keyValueTest { pool, _ ->
                pool.txn { txn -> for (n in 1..600) txn.set("k$n", "x") }
                pool.set("other", "x")
                pool.scan("k").toList() shouldContainExactlyInAnyOrder (1..600).map { "k$it" }
            }
        }

        test("a waiting operation is served when the connection closes, and goes away when its time is up") {
            keyValueTest(sessions = 1) { pool, storage ->
                pool.set("a", "b")
                val conn = pool.conn()
                val get = async { pool.get("a") }
                runCurrent()
                withTimeoutOrNull(5) { pool.set("x", "y") }.shouldBeNull()
                conn.set("a", "c")
                conn.close()
                get.await() shouldBe "c"
                storage.toMap() shouldBe mapOf("a" to "c")
            }
        }

        test("a transaction sees a snapshot and what it did itself; a deleted key is null in it") {
            keyValueTest { pool, _ ->
                pool.set("a", "1")
                pool.set("b", "1")
                pool.txn { txn ->
                    txn.get("b") shouldBe "1"
                    pool.set("b", "2")
                    txn.get("b") shouldBe "1"
                    txn.delete("a")
                    txn.get("a").shouldBeNull()
                    pool.get("a") shouldBe "1"
                }
                pool.get("a").shouldBeNull()
                pool.txn(TxnPolicy(Isolation.READ_COMMITTED)) { txn ->
                    txn.get("b") shouldBe "2"
                    pool.set("b", "3")
                    txn.get("b") shouldBe "3"
                }
            }
        }

        test("of two transactions that write a key the first wins; at SERIALIZABLE also about what was only read") {
            keyValueTest { pool, _ ->
                pool.set("a", "1")
                pool.set("b", "1")
                shouldThrow<StorageException.Platform> {
                    pool.txn { txn ->
                        txn.set("a", "mine")
                        pool.set("a", "theirs")
                    }
                }.category shouldBe ErrorCategory.SERIALIZATION
                for (isolation in listOf(Isolation.SNAPSHOT, Isolation.SERIALIZABLE)) {
                    val failure = failureOf {
                        pool.txn(TxnPolicy(isolation)) { txn ->
                            txn.get("a")
                            txn.set("b", "from a")
                            pool.set("a", "changed at $isolation")
                        }
                    }
                    (failure != null) shouldBe (isolation == Isolation.SERIALIZABLE)
                }
            }
        }

        test("a nested transaction is undone alone") {
            keyValueTest { pool, storage ->
                pool.txn { outer ->
                    outer.set("outer", "1")
                    failureOf {
                        outer.txn { inner ->
                            inner.set("inner", "1")
                            inner.get("outer") shouldBe "1"
                            error("inner")
                        }
                    }
                    outer.get("inner").shouldBeNull()
                }
                storage.toMap() shouldBe mapOf("outer" to "1")
            }
        }

        test("a read-only transaction refuses to write") {
            keyValueTest { pool, _ ->
                pool.txn(TxnPolicy(readOnly = true)) { txn ->
                    shouldThrow<StorageException.ReadOnlyViolation> { txn.set("a", "1") }
                    txn.get("a").shouldBeNull()
                }
            }
        }

        test("many at once: each increment counts") {
            keyValueTest(sessions = 4) { pool, _ ->
                coroutineScope { repeat(100) { launch { pool.increment("n", 1) } } }
                pool.get("n") shouldBe "100"
                val policy = TxnPolicy(retry = RetryPolicy(attempts = 100))
                coroutineScope {
                    (1..20).map {
                        async { pool.txn(policy) { it.set("n", "${it.get("n")!!.toInt() + 1}") } }
                    }.awaitAll()
                }
                pool.get("n") shouldBe "120"
            }
        }
    })
