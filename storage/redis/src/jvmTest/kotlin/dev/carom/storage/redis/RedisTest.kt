package dev.carom.storage.redis

import dev.carom.pool.PoolPolicy
import dev.carom.pool.asResolver
import dev.carom.storage.DestroyReason
import dev.carom.storage.ErrorCategory
import dev.carom.storage.Isolation
import dev.carom.storage.RetryPolicy
import dev.carom.storage.StorageException
import dev.carom.storage.StoragePolicy
import dev.carom.storage.TxnPolicy
import dev.carom.storage.TxnStatus
import dev.carom.storage.keyvalue.KeyCondition
import dev.carom.storage.txn
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.lettuce.core.ScriptOutputType
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private val SERIALIZABLE = TxnPolicy(Isolation.SERIALIZABLE)

/** How many clients block on the server right now. */
private suspend fun RedisPool.blocked(): Int = call { it.info("clients") }.lines()
    .first { it.startsWith("blocked_clients:") }.substringAfter(':').trim().toInt()

private suspend fun RedisPool.awaitBlocked(count: Int) = withTimeout(20.seconds) { while (blocked() != count) delay(1) }

class RedisTest :
    FunSpec(
        withRedis { server ->
            test("set, get, delete, conditions, expiry, increment on the pool, on a connection and in a transaction") {
                redisTest(server) { pool ->
                    suspend fun tryAll(on: dev.carom.storage.keyvalue.KeyValueOps) {
                        on.set("a", "1")
                        on.get("a") shouldBe "1"
                        on.set("a", "2", 0, KeyCondition.ABSENT) shouldBe false
                        on.set("b", "2", 0, KeyCondition.PRESENT) shouldBe false
                        on.set("b", "2", 60_000, KeyCondition.ABSENT) shouldBe true
                        on.getAll(listOf("a", "b", "c")) shouldBe mapOf("a" to "1", "b" to "2")
                        on.getAll(emptyList()).shouldBeEmpty()
                        on.compareAndSet("a", "9", "3") shouldBe false
                        on.compareAndSet("a", "1", "3") shouldBe true
                        on.compareAndSet("n", null, "7") shouldBe true
                        on.increment("n", 5) shouldBe 12
                        on.increment("m", -5) shouldBe -5
                        on.expire("a", 60_000) shouldBe true
                        on.expire("a", 0) shouldBe true
                        on.expire("none", 60_000) shouldBe false
                        on.expire("none", 0) shouldBe false
                        on.delete("a") shouldBe true
                        on.delete("a") shouldBe false
                        on.get("a").shouldBeNull()
                        on.scan("").toList().toSet() shouldContainExactlyInAnyOrder setOf("b", "n", "m")
                    }
                    tryAll(pool)
                    pool.call { it.pttl("b") } shouldBeInRange 1L..60_000L
                    pool.call { it.flushdb() }
                    pool.conn { tryAll(it) }
                    pool.call { it.flushdb() }
                    pool.txn { tryAll(it) }
                    pool.call { it.pttl("b") } shouldBeInRange 1L..60_000L
                    pool.get("n") shouldBe "12"
                    pool.txn { it.increment("b", 1) }
                    pool.call { it.pttl("b") } shouldBeInRange 1L..60_000L
                }
            }

            test("a scan finds a thousand keys with a prefix that looks like a pattern, and no others") {
                redisTest(server) { pool ->
                    repeat(1_000) { pool.set("[a]*?$it", "v") }
                    repeat(100) { pool.set("xa$it", "v") }
                    pool.scan("[a]*?").toList().toSet().size shouldBe 1_000
                }
            }

            test("a transaction sees what it wrote, nobody else does before its commit, and it is one MULTI") {
                redisTest(server) { pool ->
                    pool.set("a", "before")
                    pool.txn { txn ->
                        txn.set("a", "inside")
                        txn.get("a") shouldBe "inside"
                        pool.get("a") shouldBe "before"
                        txn.delete("a")
                        txn.get("a").shouldBeNull()
                        txn.set("b", "1")
                    }
                    pool.getAll(listOf("a", "b")) shouldBe mapOf("b" to "1")
                }
            }

            test("what a write depends on is watched; what was only read at SERIALIZABLE alone") {
                redisTest(server) { pool ->
                    pool.set("n", "1")
                    shouldThrow<StorageException.Platform> {
                        pool.txn { txn ->
                            txn.increment("n", 1)
                            pool.set("n", "10")
                        }
                    }.category shouldBe ErrorCategory.SERIALIZATION
                    pool.get("n") shouldBe "10"
                    pool.txn { txn ->
                        txn.get("n")
                        pool.set("n", "11")
                        txn.set("other", "1")
                    }
                    shouldThrow<StorageException.Platform> {
                        pool.txn(SERIALIZABLE) { txn ->
                            txn.get("n")
                            pool.set("n", "12")
                            txn.set("other", "2")
                        }
                    }.category shouldBe ErrorCategory.SERIALIZATION
                    pool.get("other") shouldBe "1"
                }
            }

            test("AT-28 fifty workers on ten counters: the sums are exact, hooks are commits") {
                redisTest(server, sessions = 8) { pool ->
                    val hooks = java.util.concurrent.atomic.AtomicInteger()
                    val policy = TxnPolicy(
                        Isolation.SERIALIZABLE,
                        retry = RetryPolicy(100, start = 1.milliseconds, max = 20.milliseconds),
                    )
                    coroutineScope {
                        (0 until 50).map { worker ->
                            async(Dispatchers.Default) {
                                repeat(4) { n ->
                                    pool.txn(policy) { txn ->
                                        val key = "c${(worker + n) % 10}"
                                        val now = txn.get(key)?.toLong() ?: 0
                                        txn.set(key, "${now + 1}")
                                        txn.hooks.afterCommit { hooks.incrementAndGet() }
                                    }
                                }
                            }
                        }.awaitAll()
                    }
                    pool.getAll((0 until 10).map { "c$it" }).values.sumOf { it.toLong() } shouldBe 200
                    hooks.get() shouldBe 200
                }
            }

            test("B194 a cancelled pop ends on the server, and what is pushed later is not lost to it") {
                redisTest(server, sessions = 3) { pool ->
                    repeat(20) { n ->
                        val pop = launch(Dispatchers.Default) { pool.blockingPop("jobs", 0) }
                        pool.awaitBlocked(1)
                        pop.cancelAndJoin()
                        pool.awaitBlocked(0)
                        pool.push("jobs", "$n")
                        pool.blockingPop("jobs", 1_000) shouldBe "$n"
                    }
                    pool.stats().destroyed.values.sum() shouldBe 0
                }
            }

            test("B194 pops cancelled at random against pushes: each element is taken once or still there") {
                redisTest(server, sessions = 4) { pool ->
                    val random = Random(194)
                    val taken = java.util.concurrent.CopyOnWriteArrayList<String>()
                    repeat(300) { n ->
                        val pop = launch(Dispatchers.Default) { pool.blockingPop("jobs", 0)?.let { taken += it } }
                        delay(random.nextInt(3).milliseconds)
                        val push = launch(Dispatchers.Default) { pool.push("jobs", "$n") }
                        pop.cancel()
                        push.join()
                        pop.join()
                    }
                    val left = pool.call { it.lrange("jobs", 0, -1) }
                    (taken + left) shouldContainExactlyInAnyOrder (0 until 300).map { "$it" }
                }
            }

            test("B195 a transaction that is open does not hold up a plain get") {
                redisTest(server) { pool ->
                    pool.set("a", "1")
                    val txn = pool.beginTxn()
                    txn.set("a", "2")
                    withTimeout(10.seconds) { pool.get("a") } shouldBe "1"
                    txn.rollback()
                }
            }

            test("B196 a connection that left a WATCH, another database and an open MULTI: the next has none of it") {
                redisTest(server, sessions = 1) { pool ->
                    pool.set("a", "1")
                    pool.conn { conn ->
                        conn.call { it.watch("a") }
                        conn.call { it.select(15) }
                        conn.call { it.multi() }
                    }
                    pool.get("a") shouldBe "1"
                    pool.set("a", "2")
                    pool.txn { it.set("b", "1") }
                    pool.get("b") shouldBe "1"
                    pool.stats().destroyed.values.sum() shouldBe 0
                }
            }

            test("errors have their category, and a script that cannot be stopped costs its connection") {
                redisTest(server, policy = StoragePolicy(cancelGrace = 200.milliseconds)) { pool ->
                    pool.push("list", "x")
                    shouldThrow<StorageException.Platform> { pool.get("list") }.state shouldBe "WRONGTYPE"
                    shouldThrow<StorageException.Platform> { pool.increment("list", 1) }
                    val script = "local t = redis.call('time') local e = t[1] * 1000 + t[2] / 1000 + 3000 " +
                        "while true do t = redis.call('time') if t[1] * 1000 + t[2] / 1000 > e then return 1 end end"
                    val sent = CompletableDeferred<Unit>()
                    val call = launch(Dispatchers.Default) {
                        pool.call<Long> { redis ->
                            redis.eval<Long>(script, ScriptOutputType.INTEGER).also { sent.complete(Unit) }
                        }
                    }
                    // With no session ready it would wait for one, and there would be nothing to stop.
                    sent.await()
                    call.cancelAndJoin()
                    pool.stats().destroyed[DestroyReason.CANCEL_TIMEOUT] shouldBe 1
                    withTimeout(20.seconds) { pool.get("none") }.shouldBeNull()
                }
            }

            test(
                "a server that goes away: operations fail as a lost connection, the transaction is over, the pool goes on",
            ) {
                val mortal = RedisServer.start()!!
                redisTest(mortal, policy = StoragePolicy(acquireTimeout = 10.seconds)) { pool ->
                    val txn = pool.beginTxn()
                    txn.get("a")
                    mortal.stop()
                    val lost = shouldThrow<StorageException.Platform> { txn.get("b") }
                    lost.category shouldBe ErrorCategory.CONNECTION
                    txn.status shouldBe TxnStatus.ROLLED_BACK
                    shouldThrow<StorageException> { pool.get("a") }
                    pool.stats().leased shouldBe 0
                }
            }
        },
    )
