package dev.carom.gossip

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

private fun node(last: Int, generation: Long = 1) =
    NodeId(NodeAddress(byteArrayOf(10, 0, 0, last.toByte()), 7946), generation)

private fun codec() = NativeCodec(NodeIdCodec())

private fun swim(own: Int, admission: Admission<NodeId>?) =
    Swim(node(own), SwimPolicy.lan(), codec(), Random(own), null, admission)

private fun packet(from: NodeId, to: NodeId, kind: PacketKind, vararg updates: MemberUpdate<NodeId>): ByteArray {
    val writer = PacketWriter(1_400)
    codec().writeHeader(Header(from, 0, to, kind), writer)
    writer.short(updates.size)
    updates.forEach { codec().writeUpdate(it, writer) }
    return writer.toByteArray()
}

class AdmissionTest :
    FunSpec({
        val admission = Admission<NodeId> { it.at.ip().last() < 100 }

        test("a packet of one who is not admitted is counted and not read") {
            val swim = swim(1, admission)
            val bytes = packet(node(100), node(1), PacketKind.Ping, MemberUpdate(node(2)))
            swim.on(SwimEvent.PacketReceived(bytes), 0).shouldBeEmpty()
            swim.members().shouldBeEmpty()
            swim.counters().notAdmitted shouldBe 1
        }

        test("news about one who is not admitted is dropped, the rest of the packet counts") {
            val swim = swim(1, admission)
            val bytes = packet(
                node(2),
                node(1),
                PacketKind.Gossip,
                MemberUpdate(node(100)),
                MemberUpdate(node(3)),
            )
            swim.on(SwimEvent.PacketReceived(bytes), 0)
            swim.members().map { it.id } shouldContainExactly listOf(node(2), node(3))
            swim.on(SwimEvent.UpdatesLearned(listOf(MemberUpdate(node(101))), true), 0)
            swim.memberCount shouldBe 2
            swim.counters().notAdmitted shouldBe 2
        }

        test("a seed that is not admitted is not knocked at; an admission that throws says no") {
            val swim = swim(1, admission)
            swim.on(SwimEvent.SeedsResolved(listOf(node(100), node(7))), 0)
            val sent = swim.on(SwimEvent.Tick(), 1).filterIsInstance<SwimEffect.Send<NodeId>>()
            sent.map { it.to } shouldContainExactly listOf(node(7))
            val broken = swim(1) { error("broken") }
            broken.on(SwimEvent.PacketReceived(packet(node(2), node(1), PacketKind.Gossip)), 0)
            broken.memberCount shouldBe 0
        }

        test("who never answered a probe gets at most three times as much for a ping as it sent; then all there is") {
            val swim = swim(1, null)
            val crowd = (10..99).map { MemberUpdate(node(it)) }
            swim.on(SwimEvent.UpdatesLearned(crowd, true), 0)
            val ping = packet(node(2), node(1), PacketKind.Ping)
            fun answer(now: Long) = swim.on(SwimEvent.PacketReceived(ping), now)
                .filterIsInstance<SwimEffect.Send<NodeId>>().single { it.to == node(2) }.packet.size
            answer(0) shouldBeLessThanOrEqual 3 * ping.size
            // It answers every probe from now on.
            var now = 0L
            while (swim.memberAt(node(2).at)!!.rttNanos < 0) {
                now = swim.nextDeadlineNanos
                val pings = swim.on(SwimEvent.Tick(), now).filterIsInstance<SwimEffect.Send<NodeId>>()
                    .filter { it.to == node(2) }
                    .mapNotNull { codec().readHeader(PacketReader(it.packet)) }
                    .filter { it.kind == PacketKind.Ping }
                for (asked in pings) {
                    val writer = PacketWriter(1_400)
                    codec().writeHeader(Header(node(2), 0, node(1), PacketKind.Ack, number = asked.number), writer)
                    writer.short(0)
                    swim.on(SwimEvent.PacketReceived(writer.toByteArray()), now + 1_000)
                }
                check(now < 1_000.seconds.inWholeNanoseconds) { "never probed" }
            }
            swim.on(SwimEvent.UpdatesLearned(crowd.map { it.copy(incarnation = 9) }, true), now + 2_000)
            (answer(now + 3_000) > 3 * ping.size) shouldBe true
        }
    })
