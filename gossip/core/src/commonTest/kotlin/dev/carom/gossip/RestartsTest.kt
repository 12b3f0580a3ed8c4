package dev.carom.gossip

import dev.carom.gossip.conformance.VersionedHandler
import dev.carom.gossip.internal.MemberTable
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class RestartsTest :
    FunSpec({
        test("in whatever order news about one identity arrives, every node ends with the same state") {
            val random = Random(15)
            repeat(20_000) {
                val news = List(random.nextInt(1, 8)) {
                    MemberUpdate(id(2), random.nextLong(4), MemberState.entries.random(random))
                }
                val ends = List(3) {
                    val table = MemberTable<TestId>(random, { it.address() }, { one, other -> one.bump > other.bump })
                    news.shuffled(random).forEach { table.apply(it) }
                    val end = table.find(2)!!
                    // How old a death is says nothing.
                    end.state to if (end.active) end.incarnation else 0
                }
                check(ends.toSet().size == 1) { "$news ends as $ends" }
            }
        }

        test("a node whose clock went back outlives its earlier life with one renewal") {
            val other = Rig(2, simple(notifyDown = true))
            other.learn(alive(1, bump = 90))
            val rig = Rig(1, simple(notifyDown = true), rejoins = true)
            val packets = ArrayDeque(rig.announce(id(2)).filterIsInstance<SwimEffect.Send<TestId>>())
            while (packets.isNotEmpty()) {
                val next = packets.removeFirst()
                val effects = if (next.to.addr == 1) rig.packet(next.packet) else other.packet(next.packet)
                packets += effects.filterIsInstance<SwimEffect.Send<TestId>>()
            }
            // It was told that it is dead, and by whom; renewals are a probe period apart.
            rig.skip(1_500.milliseconds)
            other.skip(1_500.milliseconds)
            rig.receive(PacketKind.Gossip, id(2), alive(1, bump = 90))
            rig.self shouldBe id(1, 91)
            other.packet(rig.announce(id(2)).filterIsInstance<SwimEffect.Send<TestId>>().single().packet)
            other.swim.memberAt(1)?.id shouldBe id(1, 91)
        }

        test("renewals forced from outside are a probe period apart") {
            val rig = Rig(1, rejoins = true)
            rig.learn(alive(2))
            repeat(100) { rig.receive(PacketKind.TurnUndead, id(2)) }
            rig.self shouldBe id(1, 1)
            rig.skip(1_500.milliseconds)
            repeat(100) { rig.receive(PacketKind.TurnUndead, id(2)) }
            rig.self shouldBe id(1, 2)
            rig.swim.status shouldBe SwimStatus.Connected
        }

        test("who left on purpose does not come back because it is said to be dead") {
            val rig = Rig(1, rejoins = true)
            rig.learn(alive(2))
            rig.leave().notices() shouldBe listOf("defunct")
            rig.learn(down(1)).notices().shouldBeEmpty()
            rig.self shouldBe id(1)
        }

        test("a later life that is dead too is remembered from its own death on, and holds up nobody else's oblivion") {
            val rig = Rig(policy = simple(forgetDownAfter = 100.seconds))
            rig.learn(down(2))
            rig.skip(30.seconds)
            rig.learn(down(3))
            rig.skip(30.seconds)
            rig.learn(down(2, bump = 1))
            rig.sleep(70.seconds)
            rig.swim.knowledge().map { it.id } shouldBe listOf(id(2, 1))
            rig.sleep(30.seconds)
            rig.swim.knowledge().shouldBeEmpty()
        }

        test("a table that is full takes no newcomers, counts them, and still hears of its members") {
            val rig = Rig(policy = simple(maxMembers = 3))
            rig.learn(alive(2), alive(3), down(4), alive(5), alive(6))
            rig.swim.knowledge().size shouldBe 3
            rig.swim.counters().membersRefused shouldBe 2
            rig.learn(down(3)).notices() shouldContain "down 3/0"
        }

        test("a full queue of broadcasts drops the one sent most") {
            val handler = VersionedHandler()
            val rig = Rig(policy = simple(maxBroadcasts = 2), handler = handler)
            rig.learn(alive(2), disseminate = false)
            fun add(item: String) = rig.on(SwimEvent.BroadcastAdded(item.encodeToByteArray()))
            add("a1")
            rig.gossip()
            add("b1")
            add("c1")
            rig.sent(rig.gossip()).single().items.toSet() shouldBe setOf("b1", "c1")
        }

        test("time that goes back stands still") {
            val swim = Swim(id(1), simple(), PostcardCodec(TestIdCodec), Random(1))
            swim.on(SwimEvent.UpdatesLearned(listOf(alive(2)), false), 5_000_000_000)
            val due = swim.nextDeadlineNanos
            swim.on(SwimEvent.Tick(), 1.seconds.inWholeNanoseconds).shouldBeEmpty()
            swim.nextDeadlineNanos shouldBe due
        }
    })
