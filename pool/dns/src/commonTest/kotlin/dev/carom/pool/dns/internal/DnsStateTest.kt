package dev.carom.pool.dns.internal

import dev.carom.pool.Backend
import dev.carom.pool.dns.BackendHealth
import dev.carom.pool.dns.DnsAddresses
import dev.carom.pool.dns.DnsAnswer
import dev.carom.pool.dns.DnsPolicy
import dev.carom.pool.dns.DnsQuestion
import dev.carom.pool.dns.DnsRecord
import dev.carom.pool.dns.DnsType
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

class DnsStateTest :
    FunSpec({
        test("the first tick asks for the service, then for the addresses of its targets") {
            val world = World()
            world.tick() shouldContainExactly listOf(SRV)
            world.answer(SRV, srv("a.test", "b.test")) shouldContainExactly listOf(a("a.test"), a("b.test"))
            world.answer(a("a.test"), addresses("a.test", "10.0.0.1")).shouldBeEmpty()
            world.answer(a("b.test"), addresses("b.test", "10.0.0.2", "10.0.0.3")).shouldBeEmpty()
            world.set shouldBe setOf(
                Backend("a.test", "10.0.0.1", 5432, priority = 10, weight = 7),
                Backend("b.test", "10.0.0.2", 5432, priority = 10, weight = 7),
                Backend("b.test", "10.0.0.3", 5432, priority = 10, weight = 7),
            )
        }

        test("addresses that came along are not asked for") {
            val world = World()
            world.tick()
            val along = addresses("a.test", "10.0.0.1").records
            world.answer(SRV, srv("a.test", "b.test").copy(additional = along)) shouldContainExactly listOf(a("b.test"))
            world.answer(a("b.test"), FAILED)
            world.hosts shouldBe setOf("10.0.0.1")
        }

        test("the next round starts when the smallest TTL ends") {
            val world = World().up(ttl = 10)
            world.state.nextDeadline shouldBe 10.seconds
        }

        test("a TTL of 0 neither spins nor empties the set") {
            val world = World().up(ttl = 0)
            world.state.nextDeadline shouldBe 1.seconds
            world.hosts shouldBe setOf("10.0.0.1")
        }

        test("a huge TTL is cut to the longest interval") {
            World().up(ttl = Int.MAX_VALUE.toLong()).state.nextDeadline shouldBe 300.seconds
        }

        test("failures keep the set until it has been stale for too long, then it is empty") {
            val world = World(policy(serveStaleFor = 60.seconds)).up(ttl = 10)
            world.runAll(until = 69.seconds) { FAILED }
            world.hosts shouldBe setOf("10.0.0.1")
            world.runAll(until = 71.seconds) { FAILED }
            world.set shouldBe emptySet()
        }

        test("failures keep the set for ever if the policy says so") {
            val world = World(policy(serveStaleFor = Duration.INFINITE)).up(ttl = 10)
            world.runAll(until = 1_000_000.seconds) { FAILED }
            world.hosts shouldBe setOf("10.0.0.1")
        }

        test("a retry waits twice as long each time, up to its limit") {
            val world = World()
            val starts = world.runAll(until = 100.seconds) { FAILED }
            starts shouldContainExactly listOf(0, 1, 3, 7, 15, 31, 61, 91).map { it.seconds }
        }

        test("the third negative answer in a row is believed") {
            val world = World().up(ttl = 1)
            world.round { DnsAnswer.NoName(1) }
            world.round { DnsAnswer.NoName(1) }
            world.hosts shouldBe setOf("10.0.0.1")
            world.round { DnsAnswer.NoName(1) }
            world.set shouldBe emptySet()
        }

        test("a failure between negative answers starts the count anew") {
            val world = World().up(ttl = 1)
            listOf(NONE, NONE, FAILED, NONE, NONE).forEach { answer -> world.round { answer } }
            world.hosts shouldBe setOf("10.0.0.1")
            world.round { NONE }
            world.set shouldBe emptySet()
        }

        test("a target of a single dot is believed like any other denial") {
            val world = World().up(ttl = 1)
            repeat(2) { world.round { srv("") } }
            world.hosts shouldBe setOf("10.0.0.1")
            world.round { srv("") }
            world.set shouldBe emptySet()
        }

        test("nothing known and nothing found is the empty set after the same count") {
            val world = World()
            repeat(2) { world.round { NONE } }
            world.set shouldBe null
            world.round { NONE }
            world.set shouldBe emptySet()
        }

        test("without an SRV record the name itself is looked up, on the default port") {
            val world = World(port = 80)
            world.tick() shouldContainExactly listOf(SRV)
            world.answer(SRV, DnsAnswer.NotImplemented) shouldContainExactly listOf(DnsQuestion("shop.test", DnsType.A))
            world.answer(DnsQuestion("shop.test", DnsType.A), addresses("shop.test", "10.0.0.9"))
            world.set shouldBe setOf(Backend("shop.test", "10.0.0.9", 80))
        }

        test("SRV records that were seen are not given up for plain addresses when the question fails") {
            val world = World(policy(serveStaleFor = Duration.INFINITE), port = 80).up(ttl = 1)
            val asked = mutableSetOf<DnsQuestion>()
            world.runAll(until = 500.seconds) { FAILED.also { _ -> asked += it } }
            asked shouldBe setOf(SRV)
            world.hosts shouldBe setOf("10.0.0.1")
        }

        test("SRV records denied three times give way to plain addresses, without an empty set between") {
            val world = World(port = 80).up(ttl = 1)
            repeat(3) { world.round { if (it == SRV) NONE else addresses("shop.test", "10.0.0.9") } }
            world.set shouldBe setOf(Backend("shop.test", "10.0.0.9", 80))
            world.published.none { it.isEmpty() } shouldBe true
        }

        test("a target whose addresses cannot be asked keeps its former ones") {
            val world = World()
            world.round { if (it == SRV) srv("a.test", "b.test") else addresses(it.name, "10.0.0.${it.name[0].code}") }
            val again = mapOf(SRV to srv("a.test", "b.test"), a("a.test") to FAILED)
            world.round { again[it] ?: addresses(it.name, "10.0.0.5") }
            world.hosts shouldBe setOf("10.0.0.97", "10.0.0.5")
        }

        test("new targets that cannot be asked do not empty the set") {
            val world = World().up(ttl = 1)
            world.round { if (it == SRV) srv("new.test") else FAILED }
            world.hosts shouldBe setOf("10.0.0.1")
        }

        test("a round without an answer ends at its time limit, and late answers are ignored") {
            val world = World()
            world.tick()
            world.state.nextDeadline shouldBe 15.seconds
            world.now = 15.seconds
            world.effects(DnsEvent.Tick).first() shouldBe DnsEffect.Cancel
            world.answer(SRV, srv("a.test")).shouldBeEmpty()
        }

        test("a target that is the plain name is asked as an absolute name") {
            val world = World(port = 80)
            world.tick()
            world.answer(SRV, srv("shop.test")) shouldContainExactly listOf(a("shop.test"))
        }
    }) {
    /** One state, its clock and what it published. */
    private class World(policy: DnsPolicy = policy(), port: Int = 0, health: BackendHealth = BackendHealth { true }) {
        val state = DnsState(DnsService("shop.test", "_db._tcp", port), policy, Random(1), health)
        val published = mutableListOf<Set<Backend>>()
        val set get() = published.lastOrNull()
        val hosts get() = set?.map { it.host }?.toSet()
        var now = Duration.ZERO
        private var round = 0

        fun effects(event: DnsEvent) = state.on(event, now).onEach {
            if (it is DnsEffect.Publish) published += it.backends
            if (it is DnsEffect.Ask) round = it.round
        }

        fun tick() = effects(DnsEvent.Tick).asked()

        fun answer(question: DnsQuestion, answer: DnsAnswer) =
            effects(DnsEvent.Answered(round, question, answer)).asked()

        fun round(answers: (DnsQuestion) -> DnsAnswer) {
            now = maxOf(now, state.nextDeadline)
            val open = ArrayDeque(tick())
            while (open.isNotEmpty()) open.removeFirst().let { open += answer(it, answers(it)) }
        }

        fun runAll(until: Duration, answers: (DnsQuestion) -> DnsAnswer): List<Duration> = buildList {
            while (state.nextDeadline <= until) {
                val before = round
                round(answers)
                if (round != before) add(now)
            }
        }

        fun up(ttl: Long) = apply {
            round { if (it == SRV) srv("a.test", ttl = ttl) else addresses("a.test", "10.0.0.1", ttl = ttl) }
        }

        private fun List<DnsEffect>.asked() = filterIsInstance<DnsEffect.Ask>().map { it.question }
    }

    private companion object {
        val SRV = DnsQuestion("_db._tcp.shop.test", DnsType.SRV)
        val FAILED = DnsAnswer.Failed("nobody home")
        val NONE = DnsAnswer.NoData(0)

        fun policy(serveStaleFor: Duration = 3_600.seconds) =
            DnsPolicy(jitter = 0.0, serveStaleFor = serveStaleFor, addresses = DnsAddresses.IPV4)

        fun a(host: String) = DnsQuestion("$host.", DnsType.A)

        fun srv(vararg targets: String, ttl: Long = 10) =
            DnsAnswer.Records(targets.map { DnsRecord.Service("_db._tcp.shop.test", ttl, 10, 7, 5432, it) })

        fun addresses(host: String, vararg addresses: String, ttl: Long = 10) =
            DnsAnswer.Records(addresses.map { DnsRecord.Address(host, ttl, DnsType.A, it) })
    }
}
