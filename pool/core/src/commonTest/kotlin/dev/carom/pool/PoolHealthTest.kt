package dev.carom.pool

import app.cash.turbine.test
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class PoolHealthTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")

        test("health checks are spread over the interval and leave the reserve alone") {
            val network = FakeNetwork()
            var checking = 0
            var checks = 0
            var most = 0
            network.valid = {
                checks++
                most = maxOf(most, ++checking)
                delay(100.milliseconds)
                checking--
                true
            }
            poolTest(
                setOf(a),
                PoolPolicy(spares = 8, maxSlots = 8, healthInterval = 30.seconds, healthReserve = 2),
                network,
            ) {
                repeat(1200) {
                    after(100.milliseconds)
                    now.ready shouldBeInRange 2..8
                }
                most shouldBeInRange 1..2
                checks shouldBeInRange 20..44
            }
        }

        test("the last free connection is never taken for a check") {
            val network = FakeNetwork().apply { valid = { awaitCancellation() } }
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 1, healthInterval = 1.seconds), network) {
                after(1.minutes)
                now.ready shouldBe 1
            }
        }

        test("a check that fails, throws or hangs ends the connection, and another is opened") {
            val network = FakeNetwork()
            var turn = 0
            network.valid = {
                when (turn++ % 3) {
                    0 -> false
                    1 -> throw Refused("check failed")
                    else -> awaitCancellation()
                }
            }
            poolTest(setOf(a), PoolPolicy(spares = 4, maxSlots = 4, healthInterval = 5.seconds), network) {
                after(2.minutes)
                turn shouldBeGreaterThan 20
                network.closed shouldBeGreaterThan 20
                network.valid = { true }
                after(1.minutes)
                on(a).connected shouldBe 4
            }
        }

        test("connections opened together do not end their lifetime together, and loans outlive it") {
            poolTest(setOf(a), PoolPolicy(spares = 16, maxSlots = 16, maxLifetime = 10.minutes)) {
                after(1.seconds)
                val held = pool.claim()
                after(8.minutes)
                var most = 0
                repeat(140) {
                    val before = network.closed
                    after(1.seconds)
                    most = maxOf(most, network.closed - before)
                }
                most shouldBeLessThanOrEqual 4
                network.closed shouldBe 15
                held.connection.isClosed shouldBe false
                held.close()
                after(1.seconds)
                network.closed shouldBe 16
                now.ready shouldBe 16
            }
        }

        test("a backend that accepts and hangs up is not connected to in a loop") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.HangingUp) }
            poolTest(setOf(a), PoolPolicy(), network) {
                after(2.minutes)
                network.attempts.getValue("a") shouldBeInRange 5..60
            }
        }

        test("while a backend is down one slot probes it, ever less often; it is back soon after it is up") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.Refusing) }
            poolTest(setOf(a), PoolPolicy(claimTimeout = 10.minutes), network) {
                val waiters = List(100) { test.launch { pool.use {} } }
                after(2.minutes)
                network.attempts.getValue("a") shouldBeInRange 8..24
                now.slots shouldBe 1
                network.set(a, FakeNetwork.Mode.Up)
                after(31.seconds)
                waiters.forEach { it.join() }
            }
        }

        test("a connect that hangs is cut off by its timeout and does not delay closing") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.Hanging) }
            poolTest(setOf(a, b), PoolPolicy(connectTimeout = 2.seconds), network) {
                after(3.seconds)
                on(a).online shouldBe false
                pool.use { it.backend shouldBe b }
                val begun = test.testScheduler.currentTime
                pool.close(0)
                test.testScheduler.currentTime shouldBe begun
            }
        }

        test("demand grows the pool before it is exhausted, and it shrinks slowly") {
            poolTest(setOf(a), PoolPolicy(spares = 4, maxSlots = 16, shrinkInterval = 5.seconds)) {
                after(1.seconds)
                now.slots shouldBe 4
                val held = List(3) { pool.claim() }
                after(100.milliseconds)
                now.slots shouldBeGreaterThan 4
                val more = List(9) { pool.claim() }
                after(1.seconds)
                now.slots shouldBe 16
                (held + more).forEach { it.close() }
                after(10.seconds)
                now.slots shouldBeInRange 12..16
                after(5.minutes)
                now.slots shouldBe 4
            }
        }

        test("loans spread evenly over equal backends, busy or idle") {
            val all = (1..4).map { backend("$it") }
            poolTest(all.toSet(), PoolPolicy(spares = 16, maxSlots = 16)) {
                after(1.seconds)
                val held = List(8) { pool.claim() }
                held.groupBy { it.backend }.mapValues { it.value.size } shouldBe all.associateWith { 2 }
                held.forEach { it.close() }
                repeat(400) { pool.use {} }
                after(1.seconds)
                all.forEach { on(it).claims.toInt() shouldBeInRange 97..107 }
            }
        }

        test("down, a pool is live but not ready; a claim made before DNS answers is served when it does (AT-14)") {
            val network = FakeNetwork().apply { connectDelay = 100.milliseconds }
            poolTest(emptySet(), PoolPolicy(spares = 16, maxSlots = 16, claimTimeout = 10.seconds), network) {
                "${pool.health()}" shouldBe "live, not ready: no backend is listed"
                val early = test.async { pool.claim().close() }
                after(3.seconds)
                listed.value = setOf(a)
                test.runCurrent()
                val listedAt = test.currentTime
                early.await()
                (test.currentTime - listedAt) shouldBe 100L
                pool.awaitReady(16)
                // 16 connects of 100 ms, four at a time.
                (test.currentTime - listedAt) shouldBeInRange 400L..500L
                pool.health().ready shouldBe true
                network.set(a, FakeNetwork.Mode.Refusing)
                network.live.forEach { it.hangUp(Refused("down")) }
                after(1.seconds)
                pool.health().live shouldBe true
                pool.health().ready shouldBe false
                pool.health().reason shouldContain "no backend is online: Refused"
                pool.close(0)
                "${pool.health()}" shouldBe "dead, not ready: the pool is closed"
            }
        }

        test("connections opened are those closed and those there, at every moment (AT-23)") {
            poolTest(setOf(a, b), PoolPolicy(spares = 4, maxSlots = 8, maxLifetime = 2.seconds)) {
                repeat(200) { i ->
                    after(50.milliseconds)
                    if (i % 10 == 0) network.live.firstOrNull()?.hangUp(Refused("reset"))
                    if (i % 7 == 0) pool.claim().discard()
                    if (i % 40 == 0) listed.value = if (i % 80 == 0) setOf(a) else setOf(a, b)
                    test.runCurrent()
                    now.opened shouldBe now.closed + now.connected
                    // Connects that were called off just as they succeeded are in nobody's books.
                    (network.opened - now.opened) shouldBeInRange 0L..3L
                }
            }
        }

        test("weights act on loans") {
            val heavy = backend("heavy", weight = 3)
            val light = backend("light", weight = 1)
            poolTest(setOf(heavy, light), PoolPolicy(spares = 16, maxSlots = 16)) {
                after(1.seconds)
                repeat(400) { pool.use {} }
                after(1.seconds)
                on(heavy).claims.toInt() shouldBeInRange 290..310
            }
        }

        test("notices tell each change with its reason, and complete when the pool has closed") {
            poolTest(setOf(a), PoolPolicy(spares = 1, maxSlots = 2)) {
                pool.notices.test {
                    after(1.seconds)
                    val told = mutableListOf<String>()
                    network.live.single().hangUp(Refused("reset by peer"))
                    after(1.seconds)
                    listed.value = setOf(b)
                    after(1.seconds)
                    pool.close(0)
                    while (true) {
                        val next = awaitItem()
                        told += next.toString()
                        if (next is PoolNotice.PoolClosed) break
                    }
                    awaitComplete()
                    told shouldContain "backend added: $a"
                    told shouldContain "backend up: $a"
                    told shouldContain "slot 1 of $a: Ready -> Closing: broken: Refused: reset by peer"
                    told shouldContain "backend down: $a: broken: Refused: reset by peer"
                    told shouldContain "backend removed: $a, 1 connections open, 0 on loan"
                    told shouldContain "backend added: $b"
                }
            }
        }

        test("a slow collector of notices does not slow the pool, and learns how much it missed") {
            poolTest(setOf(a), PoolPolicy(spares = 16, maxSlots = 16, noticeBuffer = 4)) {
                pool.notices.test {
                    after(1.seconds)
                    listed.value = setOf(b)
                    after(1.seconds)
                    expectMostRecentItem()
                    cancelAndIgnoreRemainingEvents()
                }
                val seen = mutableListOf<PoolNotice>()
                val slow = test.launch {
                    pool.notices.collect {
                        seen += it
                        delay(1.minutes)
                    }
                }
                after(1.milliseconds)
                listed.value = setOf(a)
                after(10.minutes)
                seen.any { it is PoolNotice.Missed } shouldBe true
                slow.cancel()
            }
        }
    })
