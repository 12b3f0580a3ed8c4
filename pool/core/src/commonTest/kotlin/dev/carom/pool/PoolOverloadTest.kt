package dev.carom.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class PoolOverloadTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")
        val two = PoolPolicy(spares = 2, maxSlots = 2)

        test("32 claimers over 16 connections: nobody waits longer than three times the median (AT-12)") {
            poolTest(setOf(a), PoolPolicy(spares = 16, maxSlots = 16)) {
                after(1.seconds)
                val waits = ArrayList<Long>()
                val claimers = List(32) {
                    test.launch {
                        while (test.currentTime < 21_000) {
                            val asked = test.currentTime
                            pool.use { _ ->
                                waits += test.currentTime - asked
                                delay(10.milliseconds)
                            }
                        }
                    }
                }
                claimers.joinAll()
                waits.sort()
                waits.last() shouldBeLessThanOrEqualTo 3 * waits[waits.size / 2]
                waits.size shouldBeGreaterThanOrEqual 16 * 20 * 100 * 99 / 100
            }
        }

        test("at twice the load ControlledDelay keeps accepted claims quick and connections busy (AT-12)") {
            val queue = QueuePolicy.ControlledDelay(target = 50.milliseconds)
            poolTest(setOf(a), PoolPolicy(spares = 16, maxSlots = 16, queue = queue)) {
                after(1.seconds)
                val waits = ArrayList<Long>()
                var shed = 0
                // 3,200 claims per second for 1,600 served: arrivals that do not slow down when they are refused.
                val end = test.currentTime + 10_000
                while (test.currentTime < end) {
                    repeat(16) {
                        test.launch {
                            val asked = test.currentTime
                            try {
                                pool.use { _ ->
                                    waits += test.currentTime - asked
                                    delay(10.milliseconds)
                                }
                            } catch (_: PoolException.Shed) {
                                shed++
                            }
                        }
                    }
                    delay(5.milliseconds)
                }
                after(1.seconds)
                waits.sort()
                waits[waits.size * 99 / 100] shouldBeLessThanOrEqualTo 100L
                waits.size shouldBeGreaterThanOrEqual 16_000 * 95 / 100
                (waits.size + shed) shouldBe 32_000
            }
        }

        test("ControlledDelay leaves a short burst alone") {
            val queue = QueuePolicy.ControlledDelay(target = 50.milliseconds, interval = 100.milliseconds)
            poolTest(setOf(a), two.with(queue)) {
                after(1.seconds)
                // Twenty claims of 10 ms over two connections: the last waits 90 ms.
                List(20) { test.launch { pool.use { delay(10.milliseconds) } } }.joinAll()
                now.refused shouldBe 0
            }
        }

        test("FailFast refuses at once when every connection is on loan, and says who has them") {
            poolTest(setOf(a), two.with(QueuePolicy.FailFast)) {
                after(1.seconds)
                val held = List(2) { pool.claim("holder $it") }
                val asked = test.currentTime
                val refusal = shouldThrow<PoolException.AllClaimed> { pool.claim() }
                test.currentTime shouldBe asked
                refusal.holders.map { it.name } shouldContainExactly listOf("holder 0", "holder 1")
                held.forEach { it.close() }
                pool.claim().close()
            }
        }

        test("FailFast refuses at once when all backends are down, and waits for the first answer and connect") {
            val network = FakeNetwork().apply { connectDelay = 1.seconds }
            poolTest(emptySet(), two.with(QueuePolicy.FailFast), network) {
                shouldThrow<PoolException.NoBackends> { pool.claim() }
                listed.value = setOf(a)
                test.runCurrent()
                pool.claim().close()
                network.set(a, FakeNetwork.Mode.Refusing)
                network.live.forEach { it.hangUp(Refused("restart")) }
                after(1.5.seconds)
                shouldThrow<PoolException.NoneOnline> { pool.claim() }.lastErrors.keys shouldBe setOf(a)
            }
        }

        test("more waiters than maxWaiters are refused, with the numbers") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1, maxWaiters = 2)) {
                after(1.seconds)
                val held = pool.claim()
                val waiters = List(2) { test.async { pool.claim() } }
                test.runCurrent()
                val refusal = shouldThrow<PoolException.Shed> { pool.claim() }
                refusal.waiting shouldBe 2
                refusal.message shouldContain "2 callers waiting, of at most 2"
                // The reserved lane is not bounded by it.
                val admin = test.async { pool.claim(ClaimOptions(reserved = true)) }
                test.runCurrent()
                held.close()
                admin.await().close()
                waiters.forEach { it.await().close() }
                after(1.seconds)
                now.refused shouldBe 1
            }
        }

        test("a claim has its own deadline, earlier or later than the policy's and than those before it") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1, claimTimeout = 10.seconds)) {
                after(1.seconds)
                val held = pool.claim()
                val patient = test.async { pool.claim(ClaimOptions(timeout = 1.minutes)) }
                test.runCurrent()
                val asked = test.currentTime
                val hasty =
                    shouldThrow<PoolException.AllClaimed> { pool.claim(ClaimOptions(timeout = 200.milliseconds)) }
                test.currentTime - asked shouldBe 200
                hasty.message shouldContain "for 200ms"
                shouldThrow<PoolException.AllClaimed> { pool.claim() }
                test.currentTime - asked shouldBe 10_200
                held.close()
                patient.await().close()
            }
        }

        test("the reserved lane has connections of its own and goes first") {
            poolTest(setOf(a), PoolPolicy(spares = 2, maxSlots = 3, reserved = 1)) {
                after(1.seconds)
                now.connected shouldBe 3
                val held = List(2) { pool.claim() }
                pool.tryClaim() shouldBe null
                val admin = pool.claim(ClaimOptions(reserved = true))
                val order = ArrayList<String>()
                val normal = test.launch { pool.claim().use { order += "normal" } }
                val second = test.launch { pool.claim(ClaimOptions(reserved = true)).use { order += "reserved" } }
                test.runCurrent()
                held[0].close()
                joinAll(normal, second)
                order shouldContainExactly listOf("reserved", "normal")
                held[1].close()
                admin.close()
            }
        }

        test("a claim takes only the backends it accepts; others pass it by") {
            poolTest(setOf(a, b), PoolPolicy(spares = 2, maxSlots = 2)) {
                after(1.seconds)
                val first = pool.claim(ClaimOptions(accepts = { it == a }))
                first.backend shouldBe a
                val picky = test.async { pool.claim(ClaimOptions(accepts = { it == a })) }
                test.runCurrent()
                // A connection to b is free, and goes to whoever takes it, though somebody waits.
                pool.claim().use { it.backend shouldBe b }
                pool.tryClaim() shouldBe null
                first.close()
                picky.await().use { it.backend shouldBe a }
            }
        }

        test("a predicate that throws accepts nothing and harms nobody") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1)) {
                after(1.seconds)
                val options = ClaimOptions(timeout = 100.milliseconds, accepts = { throw Refused("mine") })
                shouldThrow<PoolException.NoneSuitable> { pool.claim(options) }
                pool.claim().close()
            }
        }

        test("paused, claims wait and the reserved lane goes on; resumed, they are served in order") {
            poolTest(setOf(a), two) {
                after(1.seconds)
                pool.pause()
                test.runCurrent()
                now.paused shouldBe true
                pool.tryClaim() shouldBe null
                val order = ArrayList<Int>()
                val waiters = List(4) { i -> test.launch { pool.claim().use { order += i } } }
                after(1.seconds)
                order.shouldBeEmpty()
                pool.claim(ClaimOptions(reserved = true)).close()
                pool.resume()
                waiters.joinAll()
                order shouldContainExactly listOf(0, 1, 2, 3)
                now.paused shouldBe false
            }
        }

        test("a pause does not stop deadlines") {
            poolTest(setOf(a), PoolPolicy(spares = 2, maxSlots = 2, claimTimeout = 1.seconds)) {
                after(1.seconds)
                pool.pause()
                test.runCurrent()
                shouldThrow<PoolException.AllClaimed> { pool.claim() }
            }
        }

        test("who is refused in the turn of a pause finds it in the snapshot, whatever thread it is on") {
            poolTest(setOf(a), PoolPolicy(spares = 2, maxSlots = 2, claimTimeout = 1.seconds)) {
                after(1.seconds)
                val held = List(2) { pool.claim() }
                test.launch {
                    delay(1.seconds)
                    pool.pause()
                }
                test.runCurrent()
                val seen = test.async(Dispatchers.Unconfined) {
                    shouldThrow<PoolException.AllClaimed> { pool.claim() }
                    now.paused
                }
                after(2.seconds)
                seen.await() shouldBe true
                held.forEach { it.close() }
            }
        }

        test("a refusal explains each backend, each holder and the whole") {
            val network = FakeNetwork()
            network.set(b, FakeNetwork.Mode.Refusing)
            poolTest(setOf(a, b), PoolPolicy(spares = 2, maxSlots = 3, claimTimeout = 200.milliseconds), network) {
                after(1.seconds)
                val held = List(2) { i -> test.async(CoroutineName("job $i")) { pool.claim() }.await() }
                after(5.seconds)
                val refusal = shouldThrow<PoolException.AllClaimed> { pool.claim() }
                val why = checkNotNull(refusal.explanation)
                val (first, second) = why.backends
                first.reason shouldBe "2 of 2 connections on loan"
                second.reason shouldContain "down: Refused: connection refused by b"
                why.holders.map { it.name } shouldContainExactly listOf("job 0", "job 1")
                why.holders[0].ageMillis / 100 shouldBe 52
                "$why" shouldContain "held by \"job 0\" on a"
                held.forEach { it.close() }
            }
        }

        test("explain says what a claim may expect now, and who waits how") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1)) {
                after(1.seconds)
                pool.explain().summary shouldBe "a claim would be served at once"
                pool.explain().backends.single().usable shouldBe true
                val held = pool.claim("report")
                val waiter = test.async(CoroutineName("checkout"), CoroutineStart.UNDISPATCHED) {
                    pool.claim(ClaimOptions(tags = mapOf("tenant" to "7"), role = Role.Primary, timeout = 5.seconds))
                }
                after(2.seconds)
                val seen = pool.explain()
                seen.summary shouldBe "a claim would wait: 1 of 1 connections claimed, 1 waiting"
                "${seen.waiters.single()}" shouldBe "\"checkout\" for 2000 ms, certain backends only, {tenant=7}"
                seen.waiters.single().leftMillis shouldBe 3000
                val mine = pool.explain(held)
                mine.holders.first().name shouldBe "report"
                mine.summary shouldContain "by \"report\" for 2s"
                held.close()
                pool.explain(held).summary shouldContain "has ended"
                waiter.cancel()
            }
        }
    })

private fun PoolPolicy.with(queue: QueuePolicy) = PoolPolicy(spares = spares, maxSlots = maxSlots, queue = queue)
