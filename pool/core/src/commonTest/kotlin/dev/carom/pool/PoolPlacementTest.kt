package dev.carom.pool

import app.cash.turbine.test
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.doubles.shouldBeBetween
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class PoolPlacementTest :
    FunSpec({
        fun zoned(name: String, zone: String) = Backend(name, "10.0.0.$name", 1000, metadata = mapOf("zone" to zone))
        val here = List(3) { zoned("h$it", "here") }
        val there = List(3) { zoned("t$it", "there") }
        val zones = PlacementPolicy(zone = "here", spillBelow = 0.5, hold = 10.seconds)
        val twelve = PoolPolicy(spares = 12, maxSlots = 12, placement = zones)

        /** Kills [backends], or brings them back. */
        fun PoolWorld.set(backends: List<Backend>, up: Boolean) {
            for (backend in backends) {
                network.set(backend, if (up) FakeNetwork.Mode.Up else FakeNetwork.Mode.Refusing)
                if (!up) network.live.filter { it.backend == backend }.forEach { it.hangUp(Refused("killed")) }
            }
        }

        suspend fun PoolWorld.share(local: Collection<Backend>, claims: Int = 1_200): Double {
            var mine = 0
            val held = ArrayDeque<Claim<FakeConnection>>()
            repeat(claims) {
                val claim = pool.claim()
                if (claim.backend in local) mine++
                held += claim
                if (held.size > 5) held.removeFirst().close()
            }
            held.forEach { it.close() }
            return mine.toDouble() / claims
        }

        test("all claims stay in the zone while it is well (AT-19)") {
            poolTest((here + there).toSet(), twelve) {
                after(1.seconds)
                share(here) shouldBe 1.0
                now.backends.filter { it.backend in there }.sumOf { it.connected } shouldBeLessThanOrEqual 3
            }
        }

        test("with one of three left, a third of the load goes elsewhere, and comes back when it is well (AT-19)") {
            poolTest((here + there).toSet(), twelve) {
                after(30.seconds)
                set(here.drop(1), up = false)
                after(12.seconds)
                share(here).shouldBeBetween(0.5, 0.85, 0.0)
                set(here, up = true)
                after(60.seconds)
                share(here) shouldBe 1.0
            }
        }

        test("the tiers in use change at most once in the hold time (AT-19)") {
            poolTest((here + there).toSet(), twelve) {
                after(30.seconds)
                val changes = ArrayList<Long>()
                var elsewhere = false
                repeat(600) { i ->
                    // Two of the zone's three go up and down every second.
                    set(here.drop(1), up = i / 10 % 2 == 0)
                    after(100.milliseconds)
                    val used = now.backends.any { it.active && it.backend in there }
                    if (used != elsewhere) changes += test.currentTime
                    elsewhere = used
                }
                for ((one, next) in changes.zipWithNext()) (next - one >= 9_900) shouldBe true
            }
        }

        test("SRV priorities spill the same way (AT-19)") {
            val first = List(3) { backend("p$it", priority = 10) }
            val second = List(3) { backend("q$it", priority = 20) }
            val placement = PlacementPolicy(spillBelow = 0.5)
            poolTest((first + second).toSet(), PoolPolicy(spares = 12, maxSlots = 12, placement = placement)) {
                after(1.seconds)
                share(first) shouldBe 1.0
                set(first.drop(1), up = false)
                after(12.seconds)
                share(first).shouldBeBetween(0.5, 0.85, 0.0)
            }
        }

        test("the zone's last going down moves everything at once, whatever the hold time") {
            poolTest((here + there).toSet(), twelve) {
                after(1.seconds)
                set(here, up = false)
                after(1.seconds)
                share(there) shouldBe 1.0
            }
        }

        test("of 200 backends a subset is used; a dead one is replaced by the next (cueball's preference list)") {
            val many = List(200) { backend("m$it") }
            val placement = PlacementPolicy(subset = 5)
            poolTest(many.toSet(), PoolPolicy(spares = 10, maxSlots = 20, placement = placement)) {
                after(1.seconds)
                val used = now.backends.filter { it.connected > 0 }.map { it.backend }
                used.size shouldBe 5
                set(used.take(1), up = false)
                after(1.seconds)
                now.backends.count { it.connected > 0 } shouldBe 5
                now.backends.count { it.slots > 0 } shouldBe 6
                share(used.drop(1)).shouldBeBetween(0.5, 0.95, 0.0)
            }
        }

        test("with more backends than slots each is tried once, and who has a connection keeps it") {
            val many = List(50) { backend("m$it") }
            for ((spares, max) in listOf(0 to 8, 8 to 8, 30 to 40, 50 to 60, 60 to 60, 60 to 200)) {
                poolTest(many.toSet(), PoolPolicy(spares = spares, maxSlots = max)) {
                    after(1.minutes)
                    network.opened shouldBeLessThanOrEqual 2 * maxOf(max, 50) + 10
                    val settled = network.opened
                    repeat(20) { pool.claim().close() }
                    after(10.minutes)
                    network.opened - settled shouldBeLessThanOrEqual 10
                }
            }
        }

        test("decoherence moves the subset by one at a time, and fails no claim") {
            val many = List(8) { backend("m$it") }
            val placement = PlacementPolicy(subset = 6, decoherence = 10.seconds)
            poolTest(many.toSet(), PoolPolicy(spares = 12, maxSlots = 12, placement = placement)) {
                after(1.seconds)
                fun used() = now.backends.filter { it.active }.map { it.backend }.toSet()
                var before = used()
                var moves = 0
                repeat(60) {
                    after(10.seconds)
                    val after = used()
                    (after - before).size shouldBeLessThanOrEqual 1
                    moves += (after - before).size
                    before = after
                    pool.claim().close()
                }
                moves shouldBeInRange 10..60
                now.refused shouldBe 0
            }
        }

        test("24 over 2, 3, 4 and 3 backends: equal to one, no loan closed, no claim failed (AT-07)") {
            val all = List(4) { backend("n$it") }
            val policy = PoolPolicy(spares = 24, maxSlots = 24, rebalanceInterval = 10.seconds)
            poolTest(all.take(2).toSet(), policy) {
                after(1.seconds)
                val held = List(4) { pool.claim() }
                for (n in listOf(2, 3, 4, 3)) {
                    listed.value = all.take(n).toSet()
                    after(20.seconds)
                    held.none { it.connection.isClosed } shouldBe true
                    if (n == 4) for (backend in now.backends) backend.connected shouldBeInRange 24 / n - 1..24 / n + 1
                    pool.claim().close()
                }
                held.forEach { it.close() }
                after(20.seconds)
                for (backend in now.backends) backend.connected shouldBe 8
            }
        }

        test("under a load that never lets a connection rest, new backends get theirs all the same (AT-01b)") {
            val all = List(4) { backend("n$it") }
            poolTest(setOf(all[0]), PoolPolicy(spares = 8, maxSlots = 16)) {
                after(1.seconds)
                val users = List(40) { test.launch { while (true) pool.use { delay(3.milliseconds) } } }
                after(1.seconds)
                now.claimed shouldBe 16
                listed.value = all.toSet()
                after(1.seconds)
                for (backend in now.backends) backend.connected shouldBeInRange 3..5
                users.forEach { it.cancel() }
                now.refused shouldBe 0
            }
        }

        test("weights 1, 2 and 5 get their shares of 10,000 claims, to ten percent (AT-07)") {
            val weighted = listOf(1, 2, 5).map { backend("w$it", weight = it) }
            poolTest(weighted.toSet(), PoolPolicy(spares = 24, maxSlots = 24)) {
                after(1.seconds)
                val counts = HashMap<Backend, Int>()
                val random = Random(1)
                val held = ArrayList<Claim<FakeConnection>>()
                repeat(10_000) {
                    val claim = pool.claim()
                    counts[claim.backend] = (counts[claim.backend] ?: 0) + 1
                    held += claim
                    if (held.size > 12) held.removeAt(random.nextInt(held.size)).close()
                }
                held.forEach { it.close() }
                for (backend in weighted) {
                    val expected = 10_000 * backend.weight / 8
                    counts.getValue(backend) shouldBeInRange expected * 9 / 10..expected * 11 / 10
                }
            }
        }

        test("a backend that has come up grows to its share slowly") {
            val placement = PlacementPolicy(slowStart = 60.seconds)
            val pair = setOf(backend("a"), backend("b"))
            val policy = PoolPolicy(spares = 20, maxSlots = 20, placement = placement)
            poolTest(setOf(backend("a")), policy) {
                after(2.minutes)
                listed.value = pair
                after(2.seconds)
                on(backend("b")).slots shouldBeInRange 1..3
                after(90.seconds)
                on(backend("b")).slots shouldBe 10
            }
        }

        test("a demoted primary gets no further writes; when another is primary it gets them (AT-03)") {
            val network = RoleNetwork()
            val p = backend("p")
            val r = backend("r")
            network.roles[p] = Role.Primary
            network.roles[r] = Role.Replica
            val write = ClaimOptions(role = Role.Primary, timeout = 5.seconds)
            val policy = PoolPolicy(spares = 8, maxSlots = 16, roleInterval = 1.seconds)
            poolTest(setOf(p, r), policy, network) {
                after(1.seconds)
                val leased = List(4) { pool.claim(write) }
                leased.all { it.backend == p } shouldBe true
                network.roles[p] = Role.Replica
                pool.notices.filter { it is PoolNotice.RoleChanged }.test {
                    // At most one failure per connection already leased.
                    leased[0].report(RoleNetwork.ReadOnly()) shouldBe Fault.Demoted
                    val writer = test.async { pool.claim(write) }
                    test.runCurrent()
                    "${awaitItem()}" shouldContain "Primary -> Replica: a caller was told so"
                    writer.isCompleted shouldBe false
                    leased.forEach { it.close() }
                    after(1.seconds)
                    writer.isCompleted shouldBe false
                    // Reads go on, on both.
                    val reads = List(8) { pool.claim(ClaimOptions(role = Role.Replica)) }
                    reads.map { it.backend.name }.toSet() shouldBe setOf("p", "r")
                    reads.forEach { it.close() }
                    val promoted = test.currentTime
                    network.roles[r] = Role.Primary
                    writer.await().use { it.backend shouldBe r }
                    (test.currentTime - promoted <= 1_000) shouldBe true
                    "${awaitItem()}" shouldContain "role of r"
                    cancel()
                }
            }
        }

        test("a role nobody has: the refusal says what each backend is") {
            val network = RoleNetwork()
            val r = backend("r")
            network.roles[r] = Role.Replica
            poolTest(setOf(r), network = network) {
                after(1.seconds)
                val options = ClaimOptions(role = Role.Primary, timeout = 1.seconds)
                val refusal = shouldThrow<PoolException.NoneSuitable> { pool.claim(options) }
                refusal.message shouldContain "no backend was Primary for 1s: r (10.0.0.r:1000) is Replica"
            }
        }

        test("roles cost nothing to connectors without them") {
            poolTest(setOf(backend("a"))) {
                after(1.minutes)
                now.backends.map { it.role } shouldContainExactly listOf(Role.Unknown)
            }
        }
    })

/** Backends with roles, as a replicated database has them. */
private class RoleNetwork : FakeNetwork() {
    class ReadOnly : RuntimeException("cannot execute UPDATE in a read-only transaction")

    val roles = HashMap<Backend, Role>()

    override suspend fun probeRole(connection: FakeConnection): Role = roles.getValue(connection.backend)

    override fun classify(cause: Throwable): Fault = if (cause is ReadOnly) Fault.Demoted else super.classify(cause)
}
