package dev.carom.gossip.conformance

import dev.carom.gossip.GossipNotice
import dev.carom.gossip.PacketKind
import dev.carom.gossip.Rig
import dev.carom.gossip.Sent
import dev.carom.gossip.SwimEvent
import dev.carom.gossip.TestId
import dev.carom.gossip.alive
import dev.carom.gossip.down
import dev.carom.gossip.id
import dev.carom.gossip.notices
import dev.carom.gossip.simple
import dev.carom.gossip.told
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.collections.shouldNotContain
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.milliseconds

private fun Rig.startProbe(): Sent = sent(tick()).single { it.kind == PacketKind.Ping }

private fun Rig.failures(): Int = pass(policy.probePeriod).told<GossipNotice.ProbeFailed<TestId>>().size

internal fun Cases.ofProbes() {
    answers()
    interruptions()
}

private fun Cases.answers() {
    case(52, name = "an answer in time ends the probe: no relay is asked, nobody suspected") {
        val rig = Rig()
        rig.learn(alive(2), alive(3))
        val ping = rig.startProbe()
        rig.skip(20.milliseconds)
        rig.receive(PacketKind.Ack, ping.to, number = ping.header.number)
        rig.sent(rig.tick()).shouldBeEmpty()
        rig.failures() shouldBe 0
    }

    case(53, name = "an answer with another number is no answer") {
        val rig = Rig()
        rig.learn(alive(2))
        val ping = rig.startProbe()
        rig.receive(PacketKind.Ack, ping.to, number = ping.header.number + 1)
        rig.failures() shouldBe 1
    }

    case(54, name = "without an answer as many relays are asked as the policy says; only one of them can vouch") {
        fun probed(): Triple<Rig, Sent, List<Sent>> {
            val rig = Rig()
            rig.learn(alive(2), alive(3), alive(4), alive(5), alive(6))
            val ping = rig.startProbe()
            return Triple(rig, ping, rig.sent(rig.tick()))
        }
        probed().let { (rig, ping, requests) ->
            requests.map { it.kind } shouldBe List(3) { PacketKind.PingReq }
            requests.map { it.header.about } shouldBe List(3) { ping.to }
            requests.map { it.to }.toSet().size shouldBe 3
            requests.map { it.to } shouldNotContain ping.to
            val outsider = (2..6).map { id(it) }.first { it != ping.to && it !in requests.map { r -> r.to } }
            rig.receive(PacketKind.ForwardedAck, outsider, about = ping.to, number = ping.header.number)
            rig.failures() shouldBe 1
        }
        for (relay in 0..2) {
            val (rig, ping, requests) = probed()
            rig.receive(PacketKind.ForwardedAck, requests[relay].to, about = ping.to, number = ping.header.number)
            rig.failures() shouldBe 0
        }
    }
}

private fun Cases.interruptions() {
    case(60, name = "a tick that comes too late still asks relays before it judges") {
        val rig = Rig()
        rig.learn(alive(2), alive(3))
        rig.startProbe()
        val effects = rig.sleep(1_500.milliseconds)
        rig.sent(effects).map { it.kind } shouldBe listOf(PacketKind.PingReq, PacketKind.Ping)
        effects.told<GossipNotice.ProbeFailed<TestId>>().single().relays.size shouldBe 1
    }

    case(61, name = "after a late tick the next probe is under way with another number") {
        val rig = Rig()
        rig.learn(alive(2))
        val first = rig.startProbe()
        val second = rig.sent(rig.sleep(1_500.milliseconds)).last()
        second.kind shouldBe PacketKind.Ping
        second.header.number shouldBe first.header.number + 1
        rig.swim.nextDeadlineNanos - rig.now shouldBe simple().probeTimeout.inWholeNanoseconds
        rig.receive(PacketKind.Ack, second.to, number = second.header.number)
        rig.failures() shouldBe 0
    }

    case(62, name = "when the last member dies during a probe, the probe is over too") {
        val rig = Rig()
        rig.learn(alive(2))
        rig.startProbe()
        rig.learn(down(2)).notices() shouldBe listOf("down 2/0", "idle")
        rig.failures() shouldBe 0
        rig.learn(alive(3)).notices() shouldContain "active"
        rig.startProbe().to shouldBe id(3)
    }

    case(63, name = "a new identity during a probe ends the probe and nobody is blamed") {
        val rig = Rig()
        rig.learn(alive(2))
        rig.startProbe()
        rig.on(SwimEvent.IdentityChangeRequested(id(1, 1)))
        rig.pass(1_000.milliseconds).told<GossipNotice.ProbeFailed<TestId>>().shouldBeEmpty()
        rig.startProbe().header.source shouldBe id(1, 1)
    }

    case(64, name = "a member that came back under a later identity does not die of the suspicion of the earlier one") {
        val rig = Rig()
        rig.learn(alive(2))
        rig.startProbe()
        rig.failures() shouldBe 1
        rig.learn(alive(2, bump = 1)).notices() shouldBe listOf("renamed 2/0 2/1")
        // The suspicion of 2/0 would be over by now; the probe of 2/1 has not failed yet.
        val ping = rig.sent(rig.pass(1_500.milliseconds)).last { it.kind == PacketKind.Ping }
        rig.receive(PacketKind.Ack, ping.to, number = ping.header.number)
        rig.pass(1_499.milliseconds).notices().shouldBeEmpty()
        rig.swim.members().single().id shouldBe id(2, 1)
    }

    case(65, name = "no relay is asked about an identity that is gone") {
        val rig = Rig()
        rig.learn(alive(2), alive(3), alive(4))
        val ping = rig.startProbe()
        rig.learn(alive(ping.to.addr, bump = 1))
        rig.sent(rig.tick()).shouldBeEmpty()
        rig.swim.members().map { it.id } shouldContainExactlyInAnyOrder
            listOf(2, 3, 4).map { if (it == ping.to.addr) id(it, 1) else id(it) }
    }
}
