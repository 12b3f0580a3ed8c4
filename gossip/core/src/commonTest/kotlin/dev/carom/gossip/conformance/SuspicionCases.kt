package dev.carom.gossip.conformance

import dev.carom.gossip.MemberState
import dev.carom.gossip.PacketKind
import dev.carom.gossip.Rig
import dev.carom.gossip.SwimEvent
import dev.carom.gossip.SwimStatus
import dev.carom.gossip.alive
import dev.carom.gossip.down
import dev.carom.gossip.id
import dev.carom.gossip.notices
import dev.carom.gossip.simple
import dev.carom.gossip.suspect
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldNotContain
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

internal fun Cases.ofSuspicion() {
    refuting()
    leaving()
}

private fun Cases.refuting() {
    case(66, name = "a suspicion of ours is outlived by a higher incarnation, until there is none") {
        val rig = Rig()
        rig.learn(suspect(1, 0))
        rig.swim.incarnation shouldBe 1
        rig.learn(suspect(1, 65_534))
        rig.swim.incarnation shouldBe 65_535
        rig.learn(suspect(1, 65_535)).notices() shouldBe listOf("defunct")
        rig.swim.status shouldBe SwimStatus.Defunct
    }

    case(67, name = "an old suspicion does not raise the incarnation") {
        val rig = Rig()
        rig.learn(suspect(1, 0))
        rig.learn(suspect(1, 0))
        rig.swim.incarnation shouldBe 1
    }

    case(68, name = "each suspicion of ours, old or not, is answered with gossip") {
        val rig = Rig()
        rig.learn(alive(2))
        repeat(5) {
            rig.sent(rig.learn(suspect(1, 0))).map { sent -> sent.kind to sent.to } shouldBe
                listOf(PacketKind.Gossip to id(2))
        }
    }

    case(69, name = "a suspect that knows refutes with any message; one that does not know dies") {
        val rig = Rig(policy = simple(suspicionTimeout = 10.seconds))
        rig.learn(alive(2), alive(3))
        rig.pass(4_500.milliseconds)
        rig.swim.members().map { it.state }.toSet() shouldBe setOf(MemberState.Suspect)
        rig.receive(PacketKind.Announce, id(2), incarnation = 0)
        rig.receive(PacketKind.Announce, id(3), incarnation = 1)
        rig.swim.memberAt(3)?.state shouldBe MemberState.Alive
        val told = rig.pass(10.seconds).notices()
        told shouldContain "down 2/0"
        told shouldNotContain "down 3/0"
    }

    case(74, name = "declared dead, a node that can come back does so by itself") {
        val rig = Rig(rejoins = true)
        val effects = rig.learn(alive(2), down(1), alive(3))
        effects.notices() shouldContain "rejoined 1/1"
        effects.notices() shouldNotContain "defunct"
        rig.self shouldBe id(1, 1)
        rig.sent(effects).filter { it.kind == PacketKind.Gossip }.size shouldBeGreaterThan 0
    }
}

private fun Cases.leaving() {
    case(70, name = "a new identity starts all timers anew") {
        val rig = Rig()
        rig.learn(alive(2))
        rig.skip(1.seconds)
        rig.on(SwimEvent.IdentityChangeRequested(id(1, 1)))
        rig.swim.nextDeadlineNanos - rig.now shouldBe simple().probePeriod.inWholeNanoseconds
    }

    case(71, name = "a new identity is told at once, with the death of the old one") {
        val rig = Rig()
        rig.learn(alive(2), disseminate = false)
        val sent = rig.sent(rig.on(SwimEvent.IdentityChangeRequested(id(1, 1)))).single()
        sent.kind to sent.to shouldBe (PacketKind.Gossip to id(2))
        sent.header.source shouldBe id(1, 1)
        sent.updates shouldContain down(1)
        rig.swim.updatesBacklog shouldBeGreaterThan 0
    }

    case(72, name = "who leaves says so") {
        val rig = Rig()
        rig.learn(alive(2))
        rig.sent(rig.leave()).single().updates shouldContain down(1)
        rig.swim.status shouldBe SwimStatus.Defunct
    }

    case(73, name = "who leaves tells each member once") {
        val rig = Rig(policy = simple(relays = 5))
        rig.learn(alive(2))
        rig.sent(rig.leave()).map { it.to } shouldBe listOf(id(2))
    }
}
