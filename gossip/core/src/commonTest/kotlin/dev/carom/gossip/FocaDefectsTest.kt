package dev.carom.gossip

import dev.carom.gossip.conformance.VersionedHandler
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What foca 1.0.0 gets wrong, B1 to B13, and this does not. */
class FocaDefectsTest :
    FunSpec({
        theDead()
        queues()
        limits()
        policies()
    })

private fun List<Sent>.of(kind: PacketKind) = filter { it.kind == kind }

private fun FunSpec.theDead() {
    test("B1: a member that refuted is not told that it is dead") {
        val rig = Rig(policy = simple(notifyDown = true))
        rig.learn(alive(2))
        rig.pass(3.seconds)
        rig.swim.memberAt(2)?.state shouldBe MemberState.Suspect
        rig.receive(PacketKind.Gossip, id(2), incarnation = 1)
        // Its time is over in three seconds; it answers every ping until then.
        val sent = ArrayList<Sent>()
        repeat(40) {
            rig.sent(rig.pass(100.milliseconds)).forEach { packet ->
                sent += packet
                if (packet.kind == PacketKind.Ping) {
                    rig.receive(PacketKind.Ack, id(2), incarnation = 1, number = packet.header.number)
                }
            }
        }
        sent.of(PacketKind.TurnUndead).shouldBeEmpty()
        rig.swim.memberAt(2)?.state shouldBe MemberState.Alive
    }

    test("B2: two dead nodes that cannot come back do not answer each other for ever") {
        val one = Rig(1, simple(notifyDown = true))
        val two = Rig(2, simple(notifyDown = true))
        one.learn(down(2))
        two.learn(down(1))
        var packets = one.announce(id(2)).sends()
        var exchanged = 0
        var from = one
        while (packets.isNotEmpty() && exchanged < 1_000) {
            exchanged += packets.size
            from = if (from === one) two else one
            packets = packets.flatMap { from.packet(it).sends() }
        }
        exchanged shouldBeLessThan 4
    }

    test("B2: a dead node that goes on talking is answered once in a probe period") {
        val rig = Rig(policy = simple(notifyDown = true))
        rig.learn(down(2))
        (1..100).sumOf { rig.receive(PacketKind.Ping, id(2), number = it).sends().size } shouldBe 1
        rig.swim.counters().answersLimited shouldBe 99
        rig.skip(1_500.milliseconds)
        rig.receive(PacketKind.Ping, id(2), number = 1).sends().size shouldBe 1
    }

    test("B2: who cannot come back does not answer a word to the dead with another, ever") {
        val rig = Rig(policy = simple(notifyDown = true))
        rig.learn(down(2))
        repeat(5) {
            rig.receive(PacketKind.TurnUndead, id(2)).sends().shouldBeEmpty()
            rig.skip(10.seconds)
        }
        rig.swim.status shouldBe SwimStatus.Defunct
    }

    test("B3: a defunct node does not refute") {
        val rig = Rig()
        rig.learn(alive(2), down(1))
        rig.swim.status shouldBe SwimStatus.Defunct
        rig.learn(suspect(1, 0), suspect(1, 5)).sends().shouldBeEmpty()
        rig.swim.incarnation shouldBe 0
    }

    test("B4: a node does not announce to itself, nor keep itself, when it hears of its earlier life") {
        val rig = Rig(policy = simple(announceToDown = PeriodicPolicy(1.seconds, 3), notifyDown = true))
        rig.on(SwimEvent.IdentityChangeRequested(id(1, 1)))
        rig.learn(alive(2), alive(1), suspect(1), down(1))
        rig.swim.knowledge().map { it.id } shouldBe listOf(id(2))
        rig.sent(rig.pass(10.seconds)).none { it.to.addr == 1 } shouldBe true
        // The others still hear that the earlier life is over.
        val other = Rig()
        other.on(SwimEvent.IdentityChangeRequested(id(1, 1)))
        other.learn(alive(2))
        while (other.swim.updatesBacklog > 0) other.gossip()
        other.learn(alive(1))
        other.sent(other.gossip()).single().updates shouldContainExactly listOf(down(1))
    }

    test("B6: death is told once, and the last member's end after a new identity is told too") {
        val rig = Rig()
        rig.learn(alive(2))
        rig.learn(down(1)).notices() shouldBe listOf("defunct")
        rig.learn(down(1)).notices().shouldBeEmpty()
        rig.leave().notices().shouldBeEmpty()

        val other = Rig()
        other.learn(alive(2))
        other.on(SwimEvent.IdentityChangeRequested(id(1, 1)))
        other.learn(down(2)).notices() shouldBe listOf("down 2/0", "idle")
    }
}

private fun List<SwimEffect<TestId>>.sends() = filterIsInstance<SwimEffect.Send<TestId>>().map { it.packet }

private fun FunSpec.queues() {
    test("B5: a broadcast that can never fit is refused, whatever sizes the members' identities have") {
        val rig = Rig(handler = VersionedHandler())
        rig.learn(alive(2))
        fun add(size: Int) = rig.on(SwimEvent.BroadcastAdded(ByteArray(size) { if (it == 0) 65 else 49 }))
        val limit = (1_300..1_400).last { add(it).refusals().none { r -> r == Refusal.Reason.BroadcastTooBig } }
        // Header of 6 bytes, a count and a length of 2 bytes each.
        limit shouldBe 1_400 - 6 - 2 - 2
        val fresh = Rig(handler = VersionedHandler())
        fresh.learn(alive(2), disseminate = false)
        fresh.on(SwimEvent.BroadcastAdded(ByteArray(limit) { if (it == 0) 65 else 49 }))
        fresh.swim.broadcastsBacklog shouldBe 1
        fresh.sent(fresh.gossip()).single().items.single().length shouldBe limit
    }

    test("B5: a broadcast nobody may have grows old, and gossip falls silent") {
        val policy =
            simple(gossip = PeriodicPolicy(1.seconds, 3), broadcastLifetime = 10.seconds, probePeriod = 1.hours)
        val rig = Rig(policy = policy, handler = VersionedHandler(excluded = setOf(2)))
        rig.learn(alive(2), disseminate = false)
        rig.on(SwimEvent.BroadcastAdded("a1".encodeToByteArray()))
        rig.sent(rig.pass(9.seconds)).of(PacketKind.Gossip).size shouldBe 9
        rig.pass(2.seconds)
        rig.swim.broadcastsBacklog shouldBe 0
        rig.swim.counters().broadcastsDropped shouldBe 1
        rig.sent(rig.pass(5.seconds)).of(PacketKind.Gossip).shouldBeEmpty()
    }

    test("B7: another packet size takes effect with the next packet") {
        val rig = Rig()
        rig.learn(*(2..255).map { alive(it) }.toTypedArray())
        for (size in listOf(2_000, 100, 1_400)) {
            rig.on(SwimEvent.PolicyChangeRequested(simple(maxPacketSize = size)))
            val feed = rig.receive(PacketKind.Announce, id(0)).sends().single()
            feed.size shouldBeLessThanOrEqual size
            (size - feed.size) shouldBeLessThan if (size < 1_000) 4 else 2_000
        }
    }

    test("B11: a node that restarts a thousand times is one record and one memory of the dead") {
        val rig = Rig(policy = simple(forgetDownAfter = 24.hours))
        for (life in 0..999) {
            rig.learn(MemberUpdate(TestId(2, life), 0, MemberState.Alive))
            rig.learn(MemberUpdate(TestId(2, life), 0, MemberState.Down))
            rig.swim.knowledge().size shouldBe 1
        }
        rig.swim.updatesBacklog shouldBe 1
        rig.sleep(24.hours)
        rig.swim.knowledge().shouldBeEmpty()
        rig.swim.nextDeadlineNanos shouldBe Long.MAX_VALUE
    }
}

private fun FunSpec.limits() {
    test("B8: a forged suspicion far ahead is ignored, and an old one does no harm at the end of the numbers") {
        val rig = Rig(policy = simple(maxIncarnationJump = 1_024))
        rig.learn(suspect(1, 65_534), suspect(1, 65_535), suspect(1, 1_025))
        rig.swim.incarnation shouldBe 0
        rig.swim.counters().incarnationJumps shouldBe 3
        rig.learn(suspect(1, 1_024))
        rig.swim.incarnation shouldBe 1_025

        val last = Rig(policy = simple(maxIncarnationJump = 65_535))
        last.learn(suspect(1, 65_534))
        last.swim.incarnation shouldBe 65_535
        last.learn(suspect(1, 0), suspect(1, 65_534)).notices().shouldBeEmpty()
        last.swim.status shouldBe SwimStatus.Alone
    }

    test("B8: Carom's own bytes have incarnations of 63 bits") {
        val rig = Rig(codec = NativeCodec(TestIdCodec), policy = simple(maxIncarnationJump = Long.MAX_VALUE))
        rig.learn(suspect(1, 1L shl 40))
        rig.swim.incarnation shouldBe (1L shl 40) + 1
        rig.learn(suspect(1, Long.MAX_VALUE)).notices() shouldBe listOf("defunct")
    }

    test("B9: nothing is relayed to strangers or the dead, and only so much per second") {
        val rig = Rig(policy = simple(relaysPerSecond = 10))
        rig.learn(alive(3), down(4))
        for (kind in listOf(PacketKind.PingReq, PacketKind.IndirectAck)) {
            for (stranger in listOf(id(4), id(9), id(3, 1))) {
                rig.receive(kind, id(2), about = stranger, number = 1).sends().shouldBeEmpty()
            }
        }
        rig.swim.counters().relaysRefused shouldBe 6
        (1..100).sumOf { rig.receive(PacketKind.PingReq, id(2), about = id(3), number = it).sends().size } shouldBe 10
        rig.skip(1.seconds)
        (1..100).sumOf { rig.receive(PacketKind.PingReq, id(2), about = id(3), number = it).sends().size } shouldBe 10
    }

    test("B9: a feed is at most three times as long as the announce, and comes only so often") {
        val codec = NativeCodec(TestIdCodec)
        val rig = Rig(codec = codec, policy = simple(feedsPerSecond = 5))
        rig.learn(*(2..255).map { alive(it) }.toTypedArray())
        val short = rig.receive(PacketKind.Announce, id(0)).sends().single()
        short.size shouldBeLessThanOrEqual
            3 * Rig.write(codec, Header(id(0), 0, id(1), PacketKind.Announce)).size
        // A member's own announce is padded, so that it gets a whole packet.
        val announce = Rig(0, codec = codec).announce(id(1)).sends().single()
        announce.size shouldBe 467
        rig.sent(rig.packet(announce)).single().updates.size shouldBeGreaterThan 200
        (1..50).sumOf { rig.packet(announce).sends().size } shouldBe 3
        rig.swim.counters().answersLimited shouldBe 47
    }

    test("B9: a forwarded ack about somebody else is no answer") {
        val rig = Rig()
        rig.learn(alive(2), alive(3), alive(4))
        val ping = rig.sent(rig.tick()).single()
        val request = rig.sent(rig.tick()).first()
        val other = (2..4).map { id(it) }.first { it != ping.to }
        rig.receive(PacketKind.ForwardedAck, request.to, about = other, number = ping.header.number)
        rig.pass(1.seconds).told<GossipNotice.ProbeFailed<TestId>>().map { it.member } shouldBe listOf(ping.to)
    }

    test("B10: a suspicion is timed by all who hear of it, also across being alone, and the suspect is told") {
        val policy = simple(lifeguard = LifeguardPolicy(), notifyDown = true, suspicionTimeout = 3.seconds)
        val rig = Rig(policy = policy)
        rig.learn(alive(2), suspect(3))
        rig.sent(rig.receive(PacketKind.Ping, id(3))).single().updates.first() shouldBe suspect(3)
        rig.on(SwimEvent.IdentityChangeRequested(id(1, 1)))
        rig.pass(3.seconds).notices() shouldContain "down 3/0"
    }
}

private fun FunSpec.policies() {
    fun refused(build: () -> SwimPolicy) = runCatching { build() }.exceptionOrNull()?.message ?: "accepted"

    test("B12: numbers that cannot work are refused, with the value and the bound") {
        refused { SwimPolicy(probePeriod = 1.seconds, probeTimeout = 1.seconds) } shouldContain
            "probeTimeout must be positive and below probePeriod 1s, was 1s"
        refused { SwimPolicy(relays = 0) } shouldBe "relays must be in 1..255, was 0"
        refused { SwimPolicy(maxPacketSize = 10) } shouldBe "maxPacketSize must be in 64..65507, was 10"
        refused { SwimPolicy(forgetDownAfter = 0.seconds) } shouldBe "forgetDownAfter must be positive, was 0s"
    }

    test("B12: suspicion follows the cluster's live size by itself") {
        fun death(members: Int): Long {
            val rig = Rig(policy = SwimPolicy(probePeriod = 1.seconds, gossip = null, announce = null))
            rig.learn(*(2..members).map { alive(it) }.toTypedArray(), disseminate = false)
            rig.learn(suspect(2))
            while (rig.swim.memberAt(2)?.state != MemberState.Down) {
                rig.sent(rig.tick()).of(PacketKind.Ping).forEach {
                    if (it.to != id(2)) rig.receive(PacketKind.Ack, it.to, number = it.header.number)
                }
            }
            return rig.now
        }
        death(5) shouldBe 4.seconds.inWholeNanoseconds
        death(100) shouldBe 8.seconds.inWholeNanoseconds
    }

    test("B13: of two identities at one address every node keeps the same, whatever it heard first") {
        val random = Random(13)
        repeat(1_000) {
            // Same generation, something else different: a comparison of the user's would have to be right here.
            val lives = List(4) { Life(7, random.nextInt(3).toLong(), random.nextInt(100)) }.distinct()
            val kept = List(10) {
                val swim = Swim(Life(1, 0, 0), simple(), PostcardCodec(Life.Codec), Random(it))
                for (life in lives.shuffled(random)) {
                    swim.on(SwimEvent.UpdatesLearned(listOf(MemberUpdate(life)), false), 0)
                }
                swim.members().single().id
            }
            kept.toSet().size shouldBe 1
        }
    }
}

/** An identity with more than an address and a generation. */
private data class Life(val at: Int, val since: Long, val label: Int) : Identity<Life> {
    override fun address(): Any = at

    override fun generation(): Long = since

    override fun renewed(above: Long): Life? = null

    object Codec : IdentityCodec<Life> {
        override fun write(identity: Life, to: PacketWriter) {
            to.byte(identity.at)
            to.varint(identity.since)
            to.byte(identity.label)
        }

        override fun read(from: PacketReader) = Life(from.byte(), from.varint(63), from.byte())
    }
}
