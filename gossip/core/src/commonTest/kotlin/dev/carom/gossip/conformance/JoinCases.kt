package dev.carom.gossip.conformance

import dev.carom.gossip.Header
import dev.carom.gossip.MemberState
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.PacketKind
import dev.carom.gossip.PostcardCodec
import dev.carom.gossip.Rejection
import dev.carom.gossip.Rig
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.TestId
import dev.carom.gossip.TestIdCodec
import dev.carom.gossip.alive
import dev.carom.gossip.down
import dev.carom.gossip.id
import dev.carom.gossip.notices
import dev.carom.gossip.rejections
import dev.carom.gossip.simple
import dev.carom.gossip.suspect
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe

private fun List<SwimEffect<TestId>>.packets() = filterIsInstance<SwimEffect.Send<TestId>>().map { it.packet }

internal fun Cases.ofJoining() {
    case(36, name = "two members find each other by an announce and its feed") {
        val one = Rig(1)
        val two = Rig(2)
        val announce = one.announce(id(2)).packets().single()
        one.swim.memberCount shouldBe 0

        val answer = two.packet(announce)
        two.swim.memberCount shouldBe 1
        answer.notices() shouldBe listOf("up 1/0", "active")
        two.swim.nextDeadlineNanos shouldBe simple().probePeriod.inWholeNanoseconds
        two.sent(answer).single().let { it.kind to it.to } shouldBe (PacketKind.Feed to id(1))

        one.packet(answer.packets().single()).notices() shouldBe listOf("up 2/0", "active")
    }

    case(37, name = "a feed has the active members only") {
        val rig = Rig(2)
        rig.learn(alive(3), suspect(4), down(5))
        val feed = rig.sent(rig.receive(PacketKind.Announce, id(1))).single()
        feed.updates.map { it.id to it.state } shouldContainExactlyInAnyOrder
            listOf(id(3) to MemberState.Alive, id(4) to MemberState.Suspect)
    }

    case(38, name = "a feed without room for a single member is a clean packet") {
        // A policy has 64 bytes at least: the identities grow instead until two bytes are left behind the count.
        val codec = PostcardCodec(PaddedIds(29))
        val rig = Rig(2, simple(maxPacketSize = 64), codec)
        rig.learn(alive(3))
        val joiner = Rig(1, simple(maxPacketSize = 64), codec)
        val feed = rig.packet(joiner.announce(id(2)).packets().single())
        rig.sent(feed).single().updates.shouldBeEmpty()
        feed.packets().single().size shouldBe 62
        joiner.packet(feed.packets().single()).let {
            it.rejections().shouldBeEmpty()
            it.notices() shouldBe listOf("up 2/0", "active")
        }
    }

    case(39, name = "a feed has as many members as fit") {
        val rig = Rig(1)
        rig.learn(*(2..255).map { alive(it) }.toTypedArray())
        rig.sent(rig.receive(PacketKind.Announce, id(0))).single().updates.size shouldBeGreaterThan 200
    }

    case(40, name = "an announce to another life of ours is accepted, one to another address is not ours") {
        val rig = Rig(1)
        rig.receive(PacketKind.Announce, id(2), to = id(7)).shouldBeEmpty()
        rig.swim.counters().packetsMisdirected shouldBe 1
        rig.receive(PacketKind.Announce, id(2), to = id(1, 99)).notices() shouldBe listOf("up 2/0", "active")
    }

    case(41, name = "nothing may follow an announce") {
        val announce = Rig.write(PostcardCodec(TestIdCodec), Header(id(2), 0, id(1), PacketKind.Announce))
        Rig().packet(announce + 0).rejections() shouldBe listOf(Rejection.Malformed)
        Rig().packet(announce + ByteArray(4)).rejections() shouldBe listOf(Rejection.Malformed)
    }

    case(42, name = "a packet from this very identity is rejected") {
        Rig().receive(PacketKind.Gossip, id(1)).rejections() shouldBe listOf(Rejection.FromOurselves)
    }

    case(43, name = "a packet from another life of ours is rejected") {
        Rig().receive(PacketKind.Gossip, id(1, 5)).rejections() shouldBe listOf(Rejection.FromOurselves)
    }

    case(44, name = "what an earlier life of a member says is ignored") {
        val rig = Rig()
        rig.learn(alive(2, bump = 1))
        val feed = arrayOf<MemberUpdate<TestId>>(alive(3))
        rig.receive(PacketKind.Feed, id(2), *feed).let {
            it.rejections().shouldBeEmpty()
            it.notices().shouldBeEmpty()
        }
        rig.receive(PacketKind.Feed, id(2, 1), *feed).notices() shouldBe listOf("up 3/0")
    }
}
