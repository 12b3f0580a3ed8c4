package dev.carom.pool

import app.cash.turbine.test
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.doubles.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class PoolOutlierTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")
        val c = backend("c")

        /** One operation: fails on those in [bad]. */
        suspend fun PoolWorld.operate(bad: Set<Backend>, counts: MutableMap<Backend, Int>): Boolean {
            val claim = pool.claim()
            counts[claim.backend] = (counts[claim.backend] ?: 0) + 1
            val fails = claim.backend in bad
            claim.report(if (fails) ClaimOutcome.Failure else ClaimOutcome.Success, 1_000_000)
            claim.close()
            return !fails
        }

        test("a backend that accepts but fails gets k operations, then one per ejection (AT-18)") {
            poolTest(setOf(a, b, c), PoolPolicy(spares = 9, maxSlots = 9)) {
                after(1.seconds)
                val counts = HashMap<Backend, Int>()
                var failedLate = 0
                var late = 0
                // 100 operations a second, for three minutes.
                repeat(18_000) { i ->
                    val ok = operate(setOf(b), counts)
                    if (i >= 500) {
                        late++
                        if (!ok) failedLate++
                    }
                    delay(10.milliseconds)
                }
                // Five to be ejected for 30 s, then one after 30, 60 … s of leave.
                counts.getValue(b) shouldBeInRange 6..9
                failedLate.toDouble() / late shouldBeLessThan 0.01
            }
        }

        test("at most so many are ejected; when all are bad, all but those go on being used (AT-18)") {
            poolTest(setOf(a, b, c), PoolPolicy(spares = 9, maxSlots = 9)) {
                after(1.seconds)
                val counts = HashMap<Backend, Int>()
                repeat(1_000) {
                    operate(setOf(a, b, c), counts)
                    now.backends.count { it.ejected } shouldBeLessThanOrEqual 1
                    delay(10.milliseconds)
                }
                counts.values.sum() shouldBe 1_000
            }
        }

        test("an ejected backend is readmitted when no other is up") {
            poolTest(setOf(a, b), PoolPolicy(spares = 4, maxSlots = 4)) {
                after(1.seconds)
                val counts = HashMap<Backend, Int>()
                while (!on(a).ejected) {
                    operate(setOf(a), counts)
                    test.runCurrent()
                }
                network.set(b, FakeNetwork.Mode.Refusing)
                network.live.filter { it.backend == b }.forEach { it.hangUp(Refused("gone")) }
                after(100.milliseconds)
                on(a).ejected shouldBe false
                pool.claim().use { it.backend shouldBe a }
            }
        }

        test("a share of failures ejects, though none are in a row") {
            val outlier = OutlierPolicy(failureShare = 0.4, minimumReports = 10, interval = 1.seconds)
            poolTest(setOf(a, b), PoolPolicy(spares = 4, maxSlots = 4, outlier = outlier)) {
                after(1.seconds)
                pool.notices.filter { it is PoolNotice.BackendEjected }.test {
                    repeat(400) { i ->
                        val claim = pool.claim()
                        val bad = claim.backend == a && i % 4 < 2
                        claim.report(if (bad) ClaimOutcome.Failure else ClaimOutcome.Success)
                        claim.close()
                        delay(10.milliseconds)
                    }
                    "${awaitItem()}" shouldContain "backend ejected for 30000 ms: a"
                    cancelAndIgnoreRemainingEvents()
                }
            }
        }

        test("by latency: the slower backend gets its share of the time, not of the claims") {
            val placement = PlacementPolicy(choice = BackendChoice.LeastLatency)
            poolTest(setOf(a, b), PoolPolicy(spares = 16, maxSlots = 16, placement = placement)) {
                after(1.seconds)
                val counts = HashMap<Backend, Int>()
                List(6) {
                    test.launch {
                        repeat(200) {
                            val claim = pool.claim()
                            counts[claim.backend] = (counts[claim.backend] ?: 0) + 1
                            val time = if (claim.backend == a) 5.milliseconds else 50.milliseconds
                            delay(time)
                            claim.report(ClaimOutcome.Success, time.inWholeNanoseconds)
                            claim.close()
                        }
                    }
                }.joinAll()
                counts.getValue(b) shouldBeInRange 1..200
                on(a).latencyNanos shouldBe 5_000_000
            }
        }

        test("after one reset the backend's idle siblings are checked before they are lent (AT-20)") {
            val network = FakeNetwork()
            poolTest(setOf(a), PoolPolicy(spares = 50, maxSlots = 50, connectParallelism = 50), network) {
                after(1.seconds)
                now.ready shouldBe 50
                // The server restarted: all are dead, but only one says so.
                val dead = network.live.toSet()
                network.valid = { it !in dead }
                dead.first().hangUp(Refused("reset"))
                test.runCurrent()
                val restarted = test.currentTime
                repeat(1_000) {
                    pool.claim().use { claim -> (claim.connection in dead) shouldBe false }
                    delay(200.milliseconds)
                    if (test.currentTime - restarted > 5_000) network.live.count { it in dead } shouldBe 0
                }
                now.refused shouldBe 0
            }
        }

        test("a backend under test is tried with one connect at a time, which doubles with each success (AT-09)") {
            val network = FakeNetwork().apply { connectDelay = 10.milliseconds }
            val backoff = BackoffPolicy(start = 100.milliseconds, max = 10.seconds)
            val policy = PoolPolicy(
                spares = 16,
                maxSlots = 16,
                claimTimeout = 10.minutes,
                connectParallelism = 16,
                backoff = backoff,
            )
            network.set(a, FakeNetwork.Mode.Refusing)
            poolTest(setOf(a), policy, network) {
                after(1.seconds)
                val waiters = List(100) { test.async { pool.claim().close() } }
                val before = network.attempts.getValue("a")
                repeat(1_200) {
                    after(100.milliseconds)
                    on(a).connecting shouldBeLessThanOrEqual 1
                }
                // Down for 120 s: log2(120 / 0.1) steps up and then one in 5 to 10 s.
                (network.attempts.getValue("a") - before) shouldBeLessThanOrEqual 11 + 24 + 2
                network.set(a, FakeNetwork.Mode.Up)
                waiters.forEach { it.await() }
                after(20.seconds)
                now.connected shouldBe 16
            }
        }

        test(
            "a silent backend's idle connections are not lent after interval and timeout, nor there after another (AT-04)",
        ) {
            val policy = PoolPolicy(
                spares = 16,
                maxSlots = 32,
                healthInterval = 100.milliseconds,
                checkTimeout = 200.milliseconds,
                healthReserve = 0,
            )
            val network = FakeNetwork()
            poolTest(setOf(a, b), policy, network) {
                after(3.seconds)
                network.valid = { if (it.backend == a) awaitCancellation() else true }
                network.set(a, FakeNetwork.Mode.Hanging)
                val dead = network.live.filter { it.backend == a }
                dead shouldHaveSize 8
                // An interval varies by a tenth.
                after(311.milliseconds)
                repeat(100) { pool.claim().use { it.backend shouldBe b } }
                after(200.milliseconds)
                network.live.filter { it in dead } shouldHaveSize 0
            }
        }

        test("50 clients of a backend that was down come back spread out (AT-09)") {
            runTest {
                val backoff = BackoffPolicy(start = 100.milliseconds, max = 10.seconds)
                val policy = PoolPolicy(spares = 4, maxSlots = 8, backoff = backoff)
                val opened = ArrayList<Long>()
                var up = false
                val network = object : FakeNetwork() {
                    override suspend fun connect(backend: Backend): FakeConnection {
                        if (!up) throw Refused("down")
                        return super.connect(backend).also { opened += testScheduler.currentTime }
                    }
                }
                val scope = CoroutineScope(coroutineContext + Job(coroutineContext[Job]))
                val clients = List(50) {
                    scope.openPool("$it", fixedResolver(a), network, policy, testScheduler.timeSource, Random(it))
                }
                delay(120.seconds)
                up = true
                delay(60.seconds)
                clients.sumOf { it.snapshot.value.connected } shouldBe 200
                val seconds = (opened.last() - opened.first()) / 1_000.0
                val busiest = opened.maxOf { from -> opened.count { it in from until from + 1_000 } }
                withClue("$busiest in the busiest second, ${opened.size} in $seconds s") {
                    (busiest <= 3 * opened.size / seconds) shouldBe true
                }
                clients.forEach { it.close(0) }
                scope.coroutineContext[Job]!!.cancelAndJoin()
            }
        }

        test("64 connections opened at once do not expire at once (AT-09)") {
            val lifetime = 100.seconds
            val policy = PoolPolicy(
                spares = 64,
                maxSlots = 64,
                connectParallelism = 64,
                maxLifetime = lifetime,
                lifetimeJitter = 0.2,
            )
            poolTest(setOf(a), policy) {
                after(1.milliseconds)
                now.connected shouldBe 64
                repeat(110) {
                    val before = network.closed
                    after(1.seconds)
                    (network.closed - before) shouldBeLessThanOrEqual 64 / 20 + 6
                }
            }
        }

        test("connects over all backends keep to the rate") {
            val many = (1..20).map { backend("n$it") }.toSet()
            poolTest(many, PoolPolicy(spares = 40, maxSlots = 40, connectRate = 5.0)) {
                after(1.milliseconds)
                network.opened shouldBe 5
                repeat(5) { i ->
                    after(1.seconds)
                    network.opened shouldBe 10 + 5 * i
                }
                after(60.seconds)
                now.connected shouldBe 40
            }
        }

        test("a refused password is not tried again soon: 12 times in an hour, not 1,200 (AT-22)") {
            val network = object : FakeNetwork() {
                var logins = 0

                override suspend fun connect(backend: Backend): FakeConnection {
                    logins++
                    throw AuthenticationFailed("password refused for user app")
                }
            }
            poolTest(setOf(a), PoolPolicy(), network) {
                val waiter = test.async { shouldThrow<PoolException.NoneOnline> { pool.claim() } }
                pool.notices.filter { it is PoolNotice.AuthenticationRefused }.test {
                    after(60.minutes)
                    "${awaitItem()}" shouldContain "credentials refused by a"
                    cancelAndIgnoreRemainingEvents()
                }
                network.logins shouldBeInRange 5..20
                waiter.await().lastErrors.values.map { it.message } shouldHaveSize 1
            }
        }
    })
