package dev.carom.pool

import app.cash.turbine.test
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class ConnectionSetTest :
    FunSpec({
        val a = backend("a")
        val b = backend("b")
        val c = backend("c")
        val moved = a.copy(host = "10.0.0.99")

        test("opening does nothing yet; then every backend has one connection, shared by all") {
            setTest(setOf(a, b)) {
                network.opened shouldBe 0
                set.awaitReady(2)
                live shouldContainExactlyInAnyOrder listOf(a, b)
                val leases = List(10) { set.lease() }
                leases.count { it.source.backend == a } shouldBe 5
                leases.map { it.connection }.toSet().shouldHaveSize(2)
                leases.forEach { it.close() }
                leases.forEach { it.close() }
                on(a).leases shouldBe 0
                shouldThrow<IllegalStateException> { leases[0].connection }.message!! shouldContain "has ended"
                network.opened shouldBe 2
            }
        }

        test("leases are given by weight") {
            setTest(setOf(backend("a", weight = 3), backend("b", weight = 1))) {
                set.awaitReady(2)
                val leases = List(8) { set.lease() }
                leases.count { it.source.backend.name == "a" } shouldBe 6
                leases.forEach { it.close() }
            }
        }

        test("one user after the other goes to all in turn, by weight; one that came later does not get them all") {
            val (heavy, light, late) = listOf(backend("a", weight = 3), backend("b"), backend("c", weight = 3))
            setTest(setOf(heavy, light)) {
                set.awaitReady(2)
                suspend fun turns(count: Int) = List(count) { set.use { it.backend } }.groupingBy { it }.eachCount()
                turns(400) shouldBe mapOf(heavy to 300, light to 100)
                listed.value = setOf(heavy, light, late)
                set.awaitReady(3)
                turns(70) shouldBe mapOf(heavy to 30, light to 10, late to 30)
            }
        }

        test("a swap is make-before-break, also while the new address takes its time") {
            val network = FakeNetwork().apply { connectDelay = 2.seconds }
            setTest(setOf(a), network = network) {
                set.awaitReady()
                listed.value = setOf(moved)
                repeat(20) {
                    set.connections.value.size shouldBe 1
                    after(100.milliseconds)
                }
                after(1.milliseconds)
                live shouldContainExactly listOf(moved)
                network.live(a) shouldBe 0
            }
        }

        test("changes: all there are first, then each Added before the Removed it makes room for") {
            setTest(setOf(a)) {
                set.awaitReady()
                set.changes.test {
                    awaitItem().shouldBeInstanceOf<SetChange.Added<FakeConnection>>().connection.backend shouldBe a
                    listed.value = setOf(moved)
                    awaitItem().shouldBeInstanceOf<SetChange.Added<FakeConnection>>().connection.backend shouldBe moved
                    val removed = awaitItem().shouldBeInstanceOf<SetChange.Removed<FakeConnection>>()
                    removed.connection.backend shouldBe a
                    removed.reason shouldBe Removal.Unlisted
                    set.close(0)
                    awaitItem().shouldBeInstanceOf<SetChange.Removed<FakeConnection>>().reason shouldBe
                        Removal.SetClosed
                    awaitComplete()
                }
            }
        }

        test("a slow collector of changes misses no Removed, and no Removed comes without its Added") {
            setTest(setOf(a, b, c)) {
                set.awaitReady(3)
                val seen = mutableListOf<SetChange<FakeConnection>>()
                val collecting = test.launch {
                    set.changes.collect {
                        seen += it
                        delay(70.milliseconds)
                    }
                }
                val random = Random(3)
                repeat(100) {
                    after(random.nextInt(100).milliseconds)
                    set.connections.value.randomOrNull(random)?.fail(Refused("reset"))
                    if (it % 7 == 0) listed.value = setOf(a, b, c).filter { random.nextBoolean() }.toSet()
                }
                set.close(0)
                collecting.join()
                val added = seen.filterIsInstance<SetChange.Added<FakeConnection>>().map { it.connection.id }
                val removed = seen.filterIsInstance<SetChange.Removed<FakeConnection>>().map { it.connection.id }
                added.toSet().size shouldBe added.size
                removed.toSet() shouldBe added.toSet()
                removed.size shouldBe added.size
                seen.forEachIndexed { i, change ->
                    if (change is SetChange.Removed) {
                        (seen.take(i).any { it is SetChange.Added && it.connection === change.connection }) shouldBe
                            true
                    }
                }
                added.size shouldBeGreaterThan 5
            }
        }

        test("a connection that was never in the set gets no removed") {
            val network = FakeNetwork().apply { connectDelay = 1.seconds }
            setTest(setOf(a), network = network) {
                set.awaitReady()
                val notices = test.async { set.notices.toList() }
                val changes = test.async { set.changes.toList() }
                after(1.milliseconds)
                listed.value = setOf(a, b)
                after(500.milliseconds)
                listed.value = setOf(a)
                after(10.seconds)
                set.close(0)
                changes.await().shouldHaveSize(2)
                notices.await().filterIsInstance<SetNotice.Removed>().map { it.backend } shouldContainExactly listOf(a)
                network.attempts["b"] shouldBe 1
            }
        }

        test("a removed connection stays open for its holders until the last lets go, and takes no more") {
            setTest(setOf(a, b)) {
                set.awaitReady(2)
                val source = on(a)
                val leases = List(3) { source.lease().shouldNotBeNull() }
                val told = test.async { source.awaitRemoved() }
                listed.value = setOf(b)
                after(1.seconds)
                told.isCompleted shouldBe true
                source.isRemoved shouldBe true
                source.lease().shouldBeNull()
                leases.dropLast(1).forEach { it.close() }
                after(10.seconds)
                network.live(a) shouldBe 1
                leases.last().close()
                after(1.milliseconds)
                network.live(a) shouldBe 0
            }
        }

        test("holders that do not let go are cut off after the drain timeout") {
            setTest(setOf(a, b), SetPolicy(drainTimeout = 5.seconds)) {
                set.awaitReady(2)
                val notices = test.async { set.notices.toList() }
                val lease = on(a).lease().shouldNotBeNull()
                listed.value = setOf(b)
                after(4_999.milliseconds)
                network.live(a) shouldBe 1
                after(2.milliseconds)
                network.live(a) shouldBe 0
                lease.close()
                set.close(0)
                notices.await().filterIsInstance<SetNotice.Drained>().first().forced shouldBe 1
            }
        }

        test("the last connection that works survives an empty answer, and a resolver that fails or completes") {
            val answers = { listed: MutableStateFlow<Set<Backend>> ->
                var asked = 0
                Resolver {
                    flow {
                        if (asked++ == 0) emit(listed.value)
                        delay(1.seconds)
                        if (asked == 1) throw Refused("no name server")
                        emit(emptySet())
                    }
                }
            }
            setTest(setOf(a), resolver = answers) {
                set.awaitReady()
                val notices = test.async { set.notices.toList() }
                after(600.seconds)
                live shouldContainExactly listOf(a)
                set.use { it.isClosed shouldBe false }
                set.close(0)
                notices.await().map { it::class.simpleName } shouldContainExactly
                    listOf(
                        "ResolverFailed",
                        "BackendRemoved",
                        "ResolverCompleted",
                        "Kept",
                        "Removed",
                        "Drained",
                        "SetClosed",
                    )
            }
        }

        test("a slow collector of notices loses the oldest, is told how many, and slows nobody") {
            setTest(setOf(a), SetPolicy(noticeBuffer = 4)) {
                set.awaitReady()
                val seen = mutableListOf<SetNotice>()
                val collecting = test.launch {
                    set.notices.collect {
                        seen += it
                        delay(100.seconds)
                    }
                }
                after(1.milliseconds)
                repeat(20) {
                    on(a).fail(null)
                    after(30.seconds)
                }
                set.close(0)
                collecting.join()
                val missed = seen.filterIsInstance<SetNotice.Missed>().sumOf { it.count }
                // Every failure is a Removed and a Connected; the last three are those of closing.
                missed + seen.count { it !is SetNotice.Missed } shouldBe 43
                (missed > 0) shouldBe true
                seen.last().shouldBeInstanceOf<SetNotice.SetClosed>()
            }
        }
    })
