package dev.carom.gossip

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class SeedsTest :
    FunSpec({
        fun rig() = Rig(1, simple(seedInterval = 10.seconds))

        fun Rig.seeds(vararg addr: Int) = on(SwimEvent.SeedsResolved(addr.map { id(it) }))

        fun Rig.knocks(effects: List<SwimEffect<TestId>>) =
            sent(effects).filter { it.kind == PacketKind.Announce }.map { it.to.addr }

        test("alone, a node knocks at its seeds at once, then ever more rarely, for ever") {
            val rig = rig()
            rig.seeds(2).shouldBeEmpty()
            rig.knocks(rig.tick()) shouldBe listOf(2)
            rig.knocks(rig.pass(10.seconds)).size shouldBeInRange 2..3
            rig.knocks(rig.pass(10.minutes)).size shouldBeInRange 60..76
        }

        test("it does not knock at itself, nor at seeds that are members") {
            val rig = rig()
            rig.seeds(1, 2, 3)
            rig.learn(alive(2))
            rig.knocks(rig.tick()) shouldBe listOf(3)
        }

        test("it knocks at the dead: that ends a partition") {
            val rig = rig()
            rig.learn(alive(2), down(3))
            rig.seeds(2, 3)
            rig.knocks(rig.tick()) shouldBe listOf(3)
        }

        test("of many seeds three at a time are tried, all in the end") {
            val rig = rig()
            rig.seeds(2, 3, 4, 5, 6)
            rig.knocks(rig.tick()).size shouldBe 3
            rig.knocks(rig.pass(1.minutes)).toSet() shouldContainExactlyInAnyOrder setOf(2, 3, 4, 5, 6)
        }

        test("another set of seeds takes the place of the old one at once; none ends the knocking") {
            val rig = rig()
            rig.seeds(2)
            rig.tick()
            rig.seeds(3)
            rig.knocks(rig.tick()) shouldBe listOf(3)
            rig.seeds()
            rig.swim.nextDeadlineNanos shouldBe Long.MAX_VALUE
        }

        test("who left does not knock") {
            val rig = rig()
            rig.seeds(2)
            rig.leave()
            rig.knocks(rig.pass(1.minutes)).shouldBeEmpty()
        }
    })
