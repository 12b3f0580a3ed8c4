package dev.carom.pool

import app.cash.turbine.test
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.delay
import kotlinx.coroutines.test.currentTime
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Connections that fail, and the number that is wanted all the same. */
class ConnectionSetFailureTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")

        test("a connection that its user says is broken is closed at once and opened again after a backoff") {
            setTest(setOf(a)) {
                set.awaitReady()
                val lease = set.lease()
                lease.source.fail(Refused("garbage"))
                set.tryLease().shouldBeNull()
                after(Duration.ZERO)
                network.live(a) shouldBe 0
                after(100.milliseconds)
                set.use { it.id shouldBe 2 }
                lease.close()
            }
        }

        test("a backend that refuses is tried again with growing pauses, by one attempt at a time") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.Refusing) }
            setTest(setOf(a), network = network) {
                after(120.seconds)
                network.attempts.getValue("a") shouldBeLessThanOrEqual 22
                network.mostConnecting shouldBe 1
                network.set(a, FakeNetwork.Mode.Up)
                after(30.seconds)
                live shouldContainExactly listOf(a)
            }
        }

        test("a lease that gets nothing ends in time, with the backend's error; one that nobody listed says so") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.Refusing) }
            setTest(setOf(a), SetPolicy(leaseTimeout = 3.seconds), network) {
                val failure = shouldThrow<PoolException.NoneOnline> { set.lease() }
                test.currentTime shouldBeInRange 3_000L..3_001L
                failure.message!! shouldContain "connection refused by a"
                shouldThrow<PoolException.NotReady> { set.awaitReady() }.ready shouldBe 0
                listed.value = emptySet()
                shouldThrow<PoolException.NoBackends> { set.lease() }
            }
        }

        test("a check that fails closes the connection; nobody is given it meanwhile") {
            val network = FakeNetwork().apply {
                valid = {
                    delay(1.seconds)
                    it.id > 1
                }
            }
            setTest(setOf(a), SetPolicy(checkInterval = 10.seconds), network) {
                set.awaitReady()
                while (set.tryLease()?.close() != null) after(10.milliseconds)
                network.live(a) shouldBe 1
                set.use { it.id shouldBe 2 }
                network.opened shouldBe 2
                // The next check passes, and who waits for it gets the connection.
                while (set.tryLease()?.close() != null) after(10.milliseconds)
                set.use { it.id shouldBe 2 }
            }
        }

        test("a connect that hangs is cut off, and one that is cancelled leaves nothing open") {
            val network = FakeNetwork().apply { set(a, FakeNetwork.Mode.Hanging) }
            setTest(setOf(a), SetPolicy(connectTimeout = 2.seconds), network) {
                after(2_001.milliseconds)
                set.snapshot.value.backends.single().lastError!!.message!! shouldContain "connect did not end within 2s"
            }
        }

        test("few of many backends: as many as wanted, and another at once when one is down") {
            val many = (0 until 20).map { backend("b$it") }
            setTest(many.toSet(), SetPolicy(target = 3, maximum = 4)) {
                set.awaitReady(3)
                network.opened shouldBe 3
                val victim = live.first()
                network.set(victim, FakeNetwork.Mode.Refusing)
                on(victim).fail(Refused("reset"))
                after(1.milliseconds)
                live.shouldHaveSize(3)
                after(60.seconds)
                network.live.size shouldBeLessThanOrEqual 5
            }
        }
    })
