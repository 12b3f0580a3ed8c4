package dev.carom.gossip.conformance

import dev.carom.gossip.PacketKind
import dev.carom.gossip.Rejection
import dev.carom.gossip.Rig
import dev.carom.gossip.TestId
import dev.carom.gossip.alive
import dev.carom.gossip.id
import dev.carom.gossip.rejections
import io.kotest.matchers.shouldBe

/** What 1 sends when 2 sends it [kind] about 3. */
private fun answer(kind: PacketKind, about: TestId?): List<Any?> {
    val rig = Rig()
    rig.learn(alive(3))
    val sent = rig.sent(rig.receive(kind, id(2), about = about, number = 7)).single()
    sent.header.number shouldBe 7
    return listOf(sent.kind, sent.to, sent.header.about)
}

internal fun Cases.ofRelays() {
    case(55, name = "a ping is answered by an ack with its number") {
        answer(PacketKind.Ping, null) shouldBe listOf(PacketKind.Ack, id(2), null)
    }

    case(56, name = "a request to probe becomes an indirect ping of the target that names who asked") {
        answer(PacketKind.PingReq, id(3)) shouldBe listOf(PacketKind.IndirectPing, id(3), id(2))
    }

    case(57, name = "an indirect ping is answered to the relay, naming who asked") {
        answer(PacketKind.IndirectPing, id(3)) shouldBe listOf(PacketKind.IndirectAck, id(2), id(3))
    }

    case(58, name = "an indirect ack is forwarded to who asked, naming who answered") {
        answer(PacketKind.IndirectAck, id(3)) shouldBe listOf(PacketKind.ForwardedAck, id(3), id(2))
    }

    case(59, name = "a relayed probe that has us at both ends is rejected") {
        val kinds = PacketKind.entries.filter { it.about }
        kinds.size shouldBe 4
        for (kind in kinds) {
            Rig().receive(kind, id(2), about = id(1), number = 7).rejections() shouldBe
                listOf(Rejection.IndirectForOurselves)
        }
    }
}
