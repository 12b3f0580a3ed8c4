package dev.carom.gossip.conformance

import dev.carom.gossip.GossipNotice
import dev.carom.gossip.Header
import dev.carom.gossip.MemberCodec
import dev.carom.gossip.MemberUpdate
import dev.carom.gossip.PacketKind
import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.PeriodicPolicy
import dev.carom.gossip.PostcardCodec
import dev.carom.gossip.Refusal.Reason
import dev.carom.gossip.Rejection
import dev.carom.gossip.Rig
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.SwimEvent
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.SwimStatus
import dev.carom.gossip.TestId
import dev.carom.gossip.TestIdCodec
import dev.carom.gossip.alive
import dev.carom.gossip.id
import dev.carom.gossip.refusals
import dev.carom.gossip.rejections
import dev.carom.gossip.simple
import dev.carom.gossip.suspect
import dev.carom.gossip.told
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private fun Rig.change(policy: SwimPolicy): List<Reason> = on(SwimEvent.PolicyChangeRequested(policy)).refusals()

private object BrokenCodec : MemberCodec<TestId> {
    override val maxIncarnation get() = 1L
    override val extended get() = false

    override fun writeIdentity(identity: TestId, to: PacketWriter): Unit = error("cannot write")

    override fun readIdentity(from: PacketReader): TestId = error("cannot read")

    override fun writeHeader(header: Header<TestId>, to: PacketWriter): Unit = error("cannot write")

    override fun readHeader(from: PacketReader): Header<TestId> = error("cannot read")

    override fun writeUpdate(update: MemberUpdate<TestId>, to: PacketWriter): Unit = error("cannot write")

    override fun readUpdate(from: PacketReader): MemberUpdate<TestId> = error("cannot read")
}

internal fun Cases.ofInstances() {
    case(25, name = "a new instance is alone, knows nobody, need not be reused, and can change its identity") {
        val rig = Rig()
        rig.swim.status shouldBe SwimStatus.Alone
        rig.swim.memberCount shouldBe 0
        rig.swim.members().shouldBeEmpty()
        rig.on(SwimEvent.ReuseRequested()).refusals() shouldBe listOf(Reason.NotDefunct)
        rig.on(SwimEvent.IdentityChangeRequested(id(1))).refusals() shouldBe listOf(Reason.SameIdentity)
        rig.on(SwimEvent.IdentityChangeRequested(id(9))).refusals().shouldBeEmpty()
        rig.self shouldBe id(9)
    }

    case(26, name = "the probe's times cannot be changed while it runs; the same policy can be set") {
        val rig = Rig()
        rig.change(simple(probeTimeout = 501.milliseconds)) shouldBe listOf(Reason.PolicyChange)
        rig.change(simple(probePeriod = 2.seconds)) shouldBe listOf(Reason.PolicyChange)
        rig.change(simple()).shouldBeEmpty()
    }

    val some = PeriodicPolicy(1.seconds, 2)
    val periodic = listOf(
        Triple(27, "announces", simple(announce = some)),
        Triple(28, "announces to the dead", simple(announceToDown = some)),
        Triple(29, "gossip", simple(gossip = some)),
    )
    for ((number, what, policy) in periodic) {
        case(number, name = "periodic $what cannot be switched on while it runs, but off") {
            Rig().change(policy) shouldBe listOf(Reason.PolicyChange)
            Rig(policy = policy).change(simple()).shouldBeEmpty()
        }
    }

    case(30, name = "while alone nothing is probed and nothing is due") {
        val rig = Rig()
        rig.swim.nextDeadlineNanos shouldBe Long.MAX_VALUE
        rig.sleep(10.seconds).shouldBeEmpty()
    }

    case(31, name = "what a codec throws becomes a notice, in both directions") {
        val rig = Rig(codec = BrokenCodec)
        rig.announce(id(2)).told<GossipNotice.PacketNotSent<TestId>>().size shouldBe 1
        rig.packet(ByteArray(10)).rejections() shouldBe listOf(Rejection.Undecodable)
    }

    case(32, name = "more bytes than a packet may have are refused, from the network and from the application") {
        val rig = Rig(handler = VersionedHandler())
        rig.packet(ByteArray(1_401)).rejections() shouldBe listOf(Rejection.TooBig)
        rig.on(SwimEvent.BroadcastAdded(ByteArray(1_401))).refusals() shouldBe listOf(Reason.BroadcastTooBig)
    }

    case(33, name = "without a handler there are no broadcasts") {
        Rig().on(SwimEvent.BroadcastAdded(ByteArray(3))).refusals() shouldBe listOf(Reason.BroadcastRejected)
    }

    case(34, name = "one byte after the news is malformed") {
        val good = Rig.write(
            PostcardCodec(TestIdCodec),
            Header(id(2), 0, id(1), PacketKind.Ping, null, 1),
            listOf(alive(3), alive(4)),
        )
        Rig().packet(good).rejections().shouldBeEmpty()
        Rig().packet(good + 0).rejections() shouldBe listOf(Rejection.Malformed)
    }

    case(35, name = "a stranger's gossip that suspects us is answered with news") {
        val rig = Rig()
        val effects = rig.receive(PacketKind.Gossip, id(2), suspect(1))
        effects.filterIsInstance<SwimEffect.Send<TestId>>().size shouldBe 1
        rig.swim.incarnation shouldBe 1
    }
}
