package dev.carom.gossip.resolver

import dev.carom.gossip.MemberState
import dev.carom.pool.Backend
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

private class Told(val sets: MutableList<Set<Backend>> = ArrayList()) {
    var completed = false
    val last get() = sets.last()
    val ports get() = sets.last().map { it.port }
}

private fun TestScope.told(gossip: FakeGossip, policy: GossipResolverPolicy): Told {
    val told = Told()
    backgroundScope.launch {
        GossipResolver(gossip, OfferReader.nodes(), policy).backends().collect { told.sets += it }
        told.completed = true
    }
    runCurrent()
    return told
}

private fun TestScope.see(gossip: FakeGossip, vararg members: dev.carom.gossip.Member<dev.carom.gossip.NodeId>) {
    gossip.see(*members)
    runCurrent()
}

class GossipResolverTest :
    FunSpec({
        val everything = GossipResolverPolicy()

        test("live members are listed with what they offer, whole, and again with each change") {
            runTest {
                val gossip = FakeGossip()
                val told = told(gossip, everything)
                told.sets.shouldBeEmpty()
                val web = Offer("web", 80, zone = "a", priority = 2, weight = 3, tags = mapOf("v" to "1"))
                see(gossip, member(2, web), member(3, Offer("db", 5432, host = "192.0.2.9")), member(4))
                told.last shouldBe setOf(
                    Backend(
                        "10.0.0.2:7946",
                        "10.0.0.2",
                        80,
                        2,
                        3,
                        "10.0.0.2:7946",
                        mapOf("v" to "1", "role" to "web", "zone" to "a"),
                    ),
                    Backend("10.0.0.3:7946", "192.0.2.9", 5432, metadata = mapOf("role" to "db")),
                )
                see(gossip, member(2, web))
                told.ports shouldBe listOf(80)
                told.sets.size shouldBe 2
            }
        }

        test("only the role and the zone that were asked for") {
            runTest {
                val gossip = FakeGossip()
                val told = told(gossip, GossipResolverPolicy(role = "web", zone = "a"))
                val offers = listOf("web" to "a", "web" to "b", "web" to null, "db" to "a")
                    .mapIndexed { i, (role, zone) -> Offer(role, i + 1, zone = zone) }
                see(gossip, member(2, *offers.toTypedArray()))
                told.ports shouldBe listOf(1)
            }
        }

        test("a member that drains is not listed any more; one that comes back at its address is the same backend") {
            runTest {
                val gossip = FakeGossip()
                val told = told(gossip, everything)
                val offer = Offer("web", 80)
                see(gossip, member(2, offer), member(3, offer))
                see(gossip, member(2, offer.copy(draining = true)), member(3, offer))
                told.last.single().name shouldBe "10.0.0.3:7946"
                see(gossip, member(3, offer, started = 9))
                told.sets.size shouldBe 2
            }
        }

        test("a suspect keeps the share of its weight that the policy leaves it") {
            suspend fun weights(perCent: Int) = buildList {
                runTest {
                    val gossip = FakeGossip()
                    val told = told(gossip, GossipResolverPolicy(suspectWeight = perCent))
                    val others = member(9, Offer("web", 9))
                    for (state in listOf(MemberState.Alive, MemberState.Suspect, MemberState.Alive)) {
                        see(gossip, member(2, Offer("web", 80, weight = 10), state = state), others)
                        add(told.last.firstOrNull { it.port == 80 }?.weight)
                    }
                }
            }
            weights(100) shouldBe listOf(10, 10, 10)
            weights(30) shouldBe listOf(10, 3, 10)
            weights(1) shouldBe listOf(10, 1, 10)
            weights(0) shouldBe listOf(10, null, 10)
        }

        test("who sees nobody keeps the last backends for a while") {
            runTest {
                val gossip = FakeGossip()
                val told = told(gossip, GossipResolverPolicy(keepWhenAlone = 1.minutes))
                see(gossip, member(2, Offer("web", 80)))
                see(gossip)
                advanceTimeBy(59.seconds)
                see(gossip, member(2, Offer("web", 80)))
                told.sets.size shouldBe 1
                see(gossip)
                advanceTimeBy(61.seconds)
                told.last.shouldBeEmpty()
            }
        }

        test("closing the member completes the flow and takes nothing away") {
            for (keep in listOf(Duration.ZERO, 1.minutes)) {
                runTest {
                    val gossip = FakeGossip()
                    val told = told(gossip, GossipResolverPolicy(keepWhenAlone = keep))
                    see(gossip, member(2, Offer("web", 80)))
                    gossip.close()
                    advanceTimeBy(2.minutes)
                    told.completed shouldBe true
                    told.ports shouldBe listOf(80)
                }
            }
        }

        test("metadata that are no offers, and a reader that throws, offer nothing") {
            runTest {
                val gossip = FakeGossip()
                val told = told(gossip, everything)
                see(gossip, member(id(2), MemberState.Alive, byteArrayOf(1)), member(3, Offer("web", 80)))
                told.ports shouldBe listOf(80)
                val broken = ArrayList<Set<Backend>>()
                backgroundScope.launch {
                    GossipResolver(gossip, { error("broken") }, everything).backends().collect { broken += it }
                }
                runCurrent()
                broken shouldBe listOf(emptySet())
            }
        }

        test("who leaves says that it drains, waits for the work under way, and goes") {
            runTest {
                val gossip = FakeGossip()
                val offering = Offering(gossip)
                offering.offer(listOf(Offer("web", 80)))
                var served = 0L
                offering.leave(DrainPolicy(notice = 2.seconds, grace = 30.seconds)) {
                    gossip.isOpen shouldBe true
                    delay(5.seconds)
                    served = testScheduler.currentTime
                } shouldBe true
                served shouldBe 7_000
                gossip.said.map { it.single().draining } shouldBe listOf(false, true)
                gossip.isOpen shouldBe false
            }
        }

        test("work that takes longer than the grace does not hold it for ever, and this is told") {
            runTest {
                val gossip = FakeGossip()
                val offering = Offering(gossip)
                offering.offer(listOf(Offer("web", 80)))
                offering.leave(DrainPolicy(grace = 1.seconds)) { delay(1.minutes) } shouldBe false
                testScheduler.currentTime shouldBe 3_000
                gossip.isOpen shouldBe false
            }
        }
    })
