package dev.carom.gossip.conformance

import dev.carom.gossip.MemberState
import dev.carom.gossip.PacketKind
import dev.carom.gossip.Rig
import dev.carom.gossip.SwimEvent
import dev.carom.gossip.alive
import dev.carom.gossip.down
import dev.carom.gossip.id
import dev.carom.gossip.notices
import dev.carom.gossip.simple
import dev.carom.gossip.suspect
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

private fun Rig.knownDown() = swim.knowledge().count { it.state == MemberState.Down }

internal fun Cases.ofUpdates() {
    dissemination()
    notices()
    conflicts()
}

private fun Cases.dissemination() {
    case(45, name = "what is learned is passed on as often as the policy says, three copies at a time") {
        val rig = Rig()
        val effects = rig.receive(PacketKind.Gossip, id(2), alive(3), suspect(4), down(5))
        effects.notices() shouldBe listOf("up 2/0", "up 3/0", "up 4/0", "active")
        rig.swim.memberCount shouldBe 3
        rig.knownDown() shouldBe 1

        repeat(3) {
            rig.swim.updatesBacklog shouldBe 4
            rig.sent(rig.gossip()).map { it.updates.size } shouldBe listOf(4, 4, 4)
        }
        rig.sent(rig.gossip()).map { it.updates.size } shouldBe listOf(4, 0, 0)
        rig.swim.updatesBacklog shouldBe 0
    }

    case(46, name = "every death is remembered for its time, once, and then forgotten") {
        val rig = Rig(policy = simple(forgetDownAfter = 1.hours))
        rig.learn(down(2))
        rig.skip(30.seconds)
        rig.learn(down(2))
        rig.swim.nextDeadlineNanos shouldBe 1.hours.inWholeNanoseconds
        rig.learn(alive(3))
        rig.knownDown() shouldBe 1
        rig.learn(down(3))
        rig.knownDown() shouldBe 2
        rig.sleep(1.hours - 30.seconds)
        rig.swim.knowledge().map { it.id } shouldBe listOf(id(3))
        rig.sleep(30.seconds)
        rig.swim.knowledge().shouldBeEmpty()
    }

    case(48, name = "news learned without dissemination is not queued") {
        val rig = Rig()
        rig.learn(suspect(1), alive(1, bump = 5), alive(2), down(3), disseminate = false)
        rig.swim.updatesBacklog shouldBe 0
    }
}

private fun Cases.notices() {
    case(47, name = "a whole life in notices") {
        val rig = Rig()
        rig.learn(alive(2)).notices() shouldBe listOf("up 2/0", "active")
        rig.learn(alive(2, 1), suspect(2, 1), alive(2, 2)).notices().shouldBeEmpty()
        rig.learn(alive(3)).notices() shouldBe listOf("up 3/0")
        rig.learn(down(3)).notices() shouldBe listOf("down 3/0")
        rig.learn(down(3), down(4)).notices().shouldBeEmpty()
        rig.learn(down(2)).notices() shouldBe listOf("down 2/0", "idle")
        rig.learn(alive(5)).notices() shouldBe listOf("up 5/0", "active")
        rig.learn(down(1)).notices() shouldBe listOf("defunct")
        rig.learn(alive(6)).notices() shouldBe listOf("up 6/0")
        rig.learn(down(6), down(5)).notices() shouldBe listOf("down 6/0", "down 5/0")
        rig.learn(alive(7)).notices() shouldBe listOf("up 7/0")
        rig.on(SwimEvent.ReuseRequested()).notices().shouldBeEmpty()
        rig.learn(alive(7)).notices() shouldBe listOf("active")
    }
}

private fun Cases.conflicts() {
    case(49, name = "a later life takes the place of the earlier one, which nobody can bring back") {
        val rig = Rig()
        rig.learn(alive(2), alive(2, bump = 1))
        rig.swim.memberCount shouldBe 1
        rig.learn(alive(2), suspect(2), down(2), alive(2, 9), down(2, 9)).shouldBeEmpty()
        rig.swim.members().single().id shouldBe id(2, 1)
    }

    case(50, name = "a later life is told as a renaming, and as up or down only if that changed") {
        val rig = Rig()
        rig.learn(alive(2), alive(3))
        rig.learn(alive(2, bump = 1)).notices() shouldBe listOf("renamed 2/0 2/1")
        rig.learn(down(2, bump = 2)).notices() shouldBe listOf("renamed 2/1 2/2", "down 2/2")
        rig.learn(suspect(2, bump = 3)).notices() shouldBe listOf("renamed 2/2 2/3", "up 2/3")
        rig.learn(alive(2), down(2), alive(2, bump = 1), down(2, bump = 2)).shouldBeEmpty()
    }

    case(51, name = "an earlier life of ours is no member") {
        val rig = Rig()
        rig.on(SwimEvent.IdentityChangeRequested(id(1, 1)))
        rig.learn(alive(1))
        rig.swim.memberCount shouldBe 0
    }
}
