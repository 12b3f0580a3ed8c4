package dev.carom.pool

import app.cash.turbine.test
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class PoolMotionTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")
        val c = backend("c")

        test("draining a backend ends its idle connections now and its lent ones when they come back") {
            poolTest(setOf(a, b), PoolPolicy(spares = 4, maxSlots = 8)) {
                after(1.seconds)
                val held = pool.claim(ClaimOptions(accepts = { it == a }))
                val drained = test.async { pool.drain(a) }
                after(1.seconds)
                drained.isCompleted shouldBe false
                on(a).slots shouldBe 1
                on(a).drained shouldBe true
                on(b).connected shouldBe 4
                repeat(10) { pool.claim().use { it.backend shouldBe b } }
                held.connection.isClosed shouldBe false
                held.close()
                drained.await() shouldBe 2
                on(a).slots shouldBe 0
                pool.undrain(a)
                after(10.seconds)
                (on(a).connected > 0) shouldBe true
            }
        }

        test("a drain does not end before it has begun, whatever thread its caller is on") {
            poolTest(setOf(a, b), PoolPolicy(spares = 4, maxSlots = 8)) {
                after(1.seconds)
                val held = pool.claim(ClaimOptions(accepts = { it == a }))
                val drained = test.async(Dispatchers.Unconfined) { pool.drain(a) }
                after(1.seconds)
                drained.isCompleted shouldBe false
                held.close()
                drained.await() shouldBe 2
            }
        }

        test("drainTimeout bounds how long a holder may keep a drained or removed backend's connection") {
            poolTest(setOf(a, b), PoolPolicy(spares = 2, maxSlots = 4, drainTimeout = 5.seconds)) {
                after(1.seconds)
                val held = listOf(a, b).map { backend -> pool.claim(ClaimOptions(accepts = { it == backend })) }
                listed.value = setOf(b)
                val started = test.currentTime
                pool.drain(b) shouldBe on(b).connected.coerceAtLeast(1)
                test.currentTime - started shouldBe 5_000
                network.live.size shouldBe 0
                held.forEach { it.close() }
            }
        }

        test("a drain that is cancelled goes on; one that is revoked ends") {
            poolTest(setOf(a, b), PoolPolicy(spares = 2, maxSlots = 4)) {
                after(1.seconds)
                val held = pool.claim(ClaimOptions(accepts = { it == a }))
                val drain = test.async { pool.drain(a) }
                test.runCurrent()
                drain.cancel()
                after(1.seconds)
                on(a).drained shouldBe true
                val again = test.async { pool.drain(a) }
                test.runCurrent()
                pool.undrain(a)
                again.await()
                held.connection.isClosed shouldBe false
                held.close()
                after(1.seconds)
                on(a).drained shouldBe false
            }
        }

        test("a rolling restart of three backends, each drained first, fails nothing at 500 claims a second (AT-13)") {
            val backends = listOf(a, b, c)
            poolTest(backends.toSet(), PoolPolicy(spares = 6, maxSlots = 12)) {
                after(1.seconds)
                var served = 0
                val load = test.launch {
                    while (true) {
                        launch {
                            pool.use { connection ->
                                delay(5.milliseconds)
                                check(!connection.isClosed)
                                served++
                            }
                        }
                        delay(2.milliseconds)
                    }
                }
                for (backend in backends) {
                    pool.drain(backend)
                    network.live(backend) shouldBe 0
                    network.set(backend, FakeNetwork.Mode.Refusing)
                    delay(3.seconds)
                    network.set(backend, FakeNetwork.Mode.Up)
                    pool.undrain(backend)
                    delay(2.seconds)
                }
                load.cancel()
                after(1.seconds)
                now.refused shouldBe 0
                served shouldBeGreaterThan 7_000
            }
        }

        test("five leases and a grace of 2 s: four end well, one is aborted, waiters fail at once (AT-13)") {
            poolTest(setOf(a), PoolPolicy(spares = 5, maxSlots = 5)) {
                after(1.seconds)
                val ends = ArrayList<String>()
                val holders = (1..5).map { i ->
                    test.launch {
                        val claim = pool.claim()
                        delay((i * 500).milliseconds)
                        ends += if (claim.connection.isClosed) "aborted at ${i * 500}" else "fine at ${i * 500}"
                        claim.close()
                    }
                }
                test.runCurrent()
                val waiter = test.async { shouldThrow<PoolException.Closed> { pool.claim() } }
                test.runCurrent()
                val asked = test.currentTime
                val first = test.async { pool.close(1_999) }
                test.runCurrent()
                waiter.isCompleted shouldBe true
                val report = pool.close(1_999)
                test.currentTime - asked shouldBe 1_999
                holders.joinAll()
                ends shouldContainExactlyInAnyOrder
                    listOf("fine at 500", "fine at 1000", "fine at 1500", "aborted at 2000", "aborted at 2500")
                (report === first.await()) shouldBe true
                report.forced shouldBe 2
                report.refused shouldBe 1
            }
        }

        test("evict replaces idle connections now and lent ones when they come back, and fails no claim") {
            poolTest(setOf(a, b), PoolPolicy(spares = 4, maxSlots = 8)) {
                after(1.seconds)
                val old = network.live.toSet()
                val held = pool.claim()
                pool.evict()
                after(1.seconds)
                network.live.filter { it in old } shouldBe listOf(held.connection)
                held.close()
                after(1.seconds)
                network.live.count { it in old } shouldBe 0
                now.connected shouldBeInRange 4..5
                val young = network.live.toSet()
                pool.evict(a)
                after(1.seconds)
                network.live.filter { it in young }.map { it.backend }.toSet() shouldBe setOf(b)
            }
        }

        test("limits change at run time, down without taking anything away, up to the ceiling") {
            poolTest(setOf(a), PoolPolicy(spares = 4, maxSlots = 8, ceiling = 12, shrinkInterval = 100.milliseconds)) {
                after(1.seconds)
                val held = List(8) { pool.claim() }
                pool.limit(2, 4)
                after(1.seconds)
                now.maxSlots shouldBe 4
                held.none { it.connection.isClosed } shouldBe true
                pool.tryClaim() shouldBe null
                held.forEach { it.close() }
                after(10.seconds)
                now.connected shouldBe 2
                pool.limit(12, 12)
                after(1.seconds)
                now.connected shouldBe 12
                shouldThrow<IllegalArgumentException> { pool.limit(0, 13) }.message shouldBe
                    "maxSlots must be in 1..12, was 13"
                shouldThrow<IllegalArgumentException> { pool.limit(5, 4) }.message shouldBe
                    "spares must be in 0..4, was 5"
            }
        }

        test("a connection nobody wants for the idle time is replaced; one in use is not") {
            val policy = PoolPolicy(spares = 2, maxSlots = 2, idleTimeout = 60.seconds)
            poolTest(setOf(a), policy) {
                after(1.seconds)
                val held = pool.claim()
                after(50.seconds)
                network.closed shouldBe 0
                after(15.seconds)
                network.closed shouldBe 1
                now.connected shouldBe 2
                after(10.minutes)
                held.connection.isClosed shouldBe false
                held.close()
            }
        }

        test("a backend that is no longer listed but works is kept, until it goes down") {
            poolTest(setOf(a, b), PoolPolicy(spares = 4, maxSlots = 8, retention = Retention.WhileUp)) {
                after(1.seconds)
                pool.notices.filter { it is PoolNotice.BackendKept || it is PoolNotice.BackendRemoved }.test {
                    listed.value = setOf(b)
                    awaitItem().shouldBeInstanceOf<PoolNotice.BackendKept>()
                    after(1.minutes)
                    on(a).connected shouldBeInRange 1..4
                    network.set(a, FakeNetwork.Mode.Refusing)
                    network.live.filter { it.backend == a }.forEach { it.hangUp(Refused("gone")) }
                    awaitItem().shouldBeInstanceOf<PoolNotice.BackendRemoved>()
                    after(1.seconds)
                    now.backends.map { it.backend } shouldBe listOf(b)
                    cancel()
                }
            }
        }

        test("8 of 50 at random, every 5 s for an hour: all 50 become known, none that works is closed (AT-15)") {
            val all = List(50) { backend("r$it") }
            val random = kotlin.random.Random(7)
            poolTest(emptySet(), PoolPolicy(spares = 50, maxSlots = 64, retention = Retention.WhileUp)) {
                var known = 0
                repeat(720) {
                    listed.value = all.shuffled(random).take(8).toSet()
                    after(5.seconds)
                    (now.backends.size >= known) shouldBe true
                    known = now.backends.size
                }
                known shouldBe 50
                now.backends.count { it.online } shouldBe 50
            }
        }
    })
