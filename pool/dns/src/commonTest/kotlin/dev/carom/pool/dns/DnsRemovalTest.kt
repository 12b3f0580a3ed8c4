package dev.carom.pool.dns

import dev.carom.pool.Backend
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class DnsRemovalTest :
    FunSpec({
        test("of a server that tells a random 8 of 50, all 50 become known and no healthy one goes in an hour") {
            runTest {
                val all = (1..50).map { "10.0.0.$it" }
                val dice = Random(7)
                world(HEALTH_GATED, health = { true }, answer = { all.shuffled(dice).take(8) }) {
                    after(1.hours)
                    hosts shouldBe all.toSet()
                    emissions.zipWithNext { before, after -> after shouldContainAll before }
                    kept.size shouldBe 42
                }
            }
        }

        test("of 8 in 50, those that are not healthy go with the first answer that lacks them") {
            runTest {
                val dead = (1..10).map { "10.0.0.$it" }.toSet()
                var dying = emptySet<String>()
                val all = (1..50).map { "10.0.0.$it" }
                val dice = Random(7)
                world(HEALTH_GATED, { it.host !in dying }, { all.filter { it !in dying }.shuffled(dice).take(8) }) {
                    after(1.hours)
                    dying = dead
                    after(10.seconds)
                    hosts shouldBe all.toSet() - dead
                }
            }
        }

        test("gated by health, a name that is denied keeps who is healthy") {
            runTest {
                var answer: List<String>? = listOf("10.0.0.1", "10.0.0.2")
                var healthy = true
                world(HEALTH_GATED, health = { it.host == "10.0.0.1" && healthy }, answer = { answer }) {
                    answer = null
                    after(1.minutes)
                    hosts shouldBe setOf("10.0.0.1")
                    healthy = false
                    after(1.minutes)
                    hosts shouldBe emptySet()
                }
            }
        }

        test("immediately, absent is gone with the first answer") {
            runTest {
                var answer = listOf("10.0.0.1", "10.0.0.2")
                world(RemovalPolicy.Immediate, answer = { answer }) {
                    answer = listOf("10.0.0.2")
                    after(6.seconds)
                    hosts shouldBe setOf("10.0.0.2")
                }
            }
        }

        test("after three misses in a row, absent is gone; present in between starts the count anew") {
            runTest {
                val answers = ArrayDeque(listOf("12", "2", "2", "12", "2", "2", "2", "2"))
                val seen = mutableListOf<Int>()
                val next = { answers.removeFirstOrNull().orEmpty().ifEmpty { "2" }.map { "10.0.0.$it" } }
                val watching = DnsListener { if (it is DnsNotice.Settled) seen += it.backends.size }
                world(RemovalPolicy.AfterMisses(3), answer = next, listener = watching) {
                    after(1.minutes)
                    seen.take(8) shouldContainExactly listOf(2, 2, 2, 2, 2, 2, 1, 1)
                }
            }
        }

        test("never means never, up to the bound: those missing longest go first") {
            runTest {
                var n = 0
                world(RemovalPolicy.Never, maxKept = 5, answer = { listOf("10.0.0.${++n}") }) {
                    after(1.minutes)
                    hosts shouldBe (n - 5..n).map { "10.0.0.$it" }.toSet()
                }
            }
        }

        for ((policy, left) in mapOf(
            RemovalPolicy.Immediate to 0,
            RemovalPolicy.AfterMisses(3) to 0,
            RemovalPolicy.AfterMisses(4) to 2,
            RemovalPolicy.HealthGated to 1,
            RemovalPolicy.Never to 2,
        )) {
            test("a name denied three times, removal $policy: $left of 2 are left") {
                runTest {
                    var denying = false
                    val health = BackendHealth { it.host == "10.0.0.1" }
                    val both = listOf("10.0.0.1", "10.0.0.2")
                    world(policy, health, { if (denying) null else both }) {
                        denying = true
                        settleRounds(3)
                        hosts?.size shouldBe left
                        denied shouldBe 3
                    }
                }
            }
        }

        test(
            "SERVFAIL for ten minutes removes nobody, is told as stale with its age, and asks no more than once a second",
        ) {
            runTest {
                var failing = false
                val lookup: () -> List<String>? = { if (failing) error("SERVFAIL") else listOf("10.0.0.1") }
                world(RemovalPolicy.Immediate, answer = lookup) {
                    failing = true
                    val before = asked.size
                    after(10.minutes)
                    emissions.size shouldBe 1
                    val stale = notices.filterIsInstance<DnsNotice.Stale>().last()
                    stale.reason shouldContain "SERVFAIL"
                    stale.backends.size shouldBe 1
                    stale.ageMillis shouldBeGreaterThan 500_000
                    asked.drop(before).zipWithNext { a, b -> b - a }.filter { it < 1_000 }.shouldBeEmpty()
                    asked.size - before shouldBeLessThanOrEqual 600
                    counter.counts.staleRounds shouldBe stale.rounds
                    counter.counts.ageMillis shouldBe stale.ageMillis
                    counter.counts.failures shouldBe (asked.size - before).toLong()
                    failing = false
                    after(1.minutes)
                    counter.counts.staleRounds shouldBe 0
                }
            }
        }

        test("all addresses changed at once are one emission") {
            runTest {
                var answer = (1..20).map { "10.0.0.$it" }
                world(RemovalPolicy.Immediate, answer = { answer }) {
                    answer = (1..20).map { "10.0.1.$it" }
                    after(10.seconds)
                    emissions.map { it.size } shouldBe listOf(20, 20)
                    hosts shouldBe answer.toSet()
                    notices.filterIsInstance<DnsNotice.Changed>().last().reason shouldContain "the answers of round"
                }
            }
        }

        test("removal gated by health needs somebody who knows it") {
            val policy = DnsPolicy(removal = RemovalPolicy.HealthGated)
            shouldThrow<IllegalArgumentException> {
                DnsResolver({ DnsAnswer.NotImplemented }, "a.test", null, 1, policy)
            }
                .message shouldContain "needs a BackendHealth"
        }
    }) {
    private companion object {
        val HEALTH_GATED = RemovalPolicy.HealthGated

        /** Collects a resolver of plain addresses with a TTL of 5 s; [answer] null denies the name, throwing fails. */
        suspend fun TestScope.world(
            removal: RemovalPolicy,
            health: BackendHealth = BackendHealth { true },
            answer: () -> List<String>?,
            maxKept: Int = 256,
            listener: DnsListener = DnsListener.NONE,
            block: World.() -> Unit,
        ) {
            val world = World(this)
            val lookup = DnsLookup { question ->
                world.asked += currentTime
                val addresses = answer()
                if (addresses == null) {
                    DnsAnswer.NoName(5)
                } else {
                    DnsAnswer.Records(addresses.map { DnsRecord.Address(question.name, 5, DnsType.A, it) })
                }
            }
            val policy = DnsPolicy(addresses = DnsAddresses.IPV4, removal = removal, maxKept = maxKept)
            val listening = DnsListener {
                world.notices += it
                world.counter.on(it)
                listener.on(it)
            }
            val dice = Random(1)
            val resolver =
                DnsResolver(lookup, "shop.test", null, 80, policy, listening, health, testTimeSource, dice)
            val collecting = launch { resolver.backends().collect { world.emissions += it } }
            testScheduler.runCurrent()
            world.block()
            collecting.cancel()
        }
    }

    private class World(private val test: TestScope) {
        val asked = mutableListOf<Long>()
        val emissions = mutableListOf<Set<Backend>>()
        val notices = mutableListOf<DnsNotice>()
        val counter = DnsCounter()
        val hosts: Set<String>? get() = emissions.lastOrNull()?.map { it.host }?.toSet()
        val kept: Set<Backend> get() = notices.filterIsInstance<DnsNotice.Settled>().last().kept
        val denied get() = notices.count { it is DnsNotice.Answered && it.answer is DnsAnswer.NoName }

        fun after(time: Duration) {
            test.testScheduler.advanceTimeBy(time)
            test.testScheduler.runCurrent()
        }

        fun settleRounds(count: Int) {
            val before = notices.count { it is DnsNotice.Settled }
            while (notices.count { it is DnsNotice.Settled } < before + count) after(100.milliseconds)
        }
    }
}
