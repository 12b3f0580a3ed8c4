package dev.carom.gossip

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private val codec = NativeCodec(TestIdCodec)

private fun policy(syncInterval: Duration = Duration.INFINITE, probePeriod: Duration = 1_000.hours) = simple(
    probePeriod = probePeriod,
    lifeguard = LifeguardPolicy(),
    syncInterval = syncInterval,
    notifyDown = true,
)

private fun rig(addr: Int, syncInterval: Duration = Duration.INFINITE, rejoins: Boolean = false) =
    Rig(addr, policy(syncInterval), codec, rejoins)

private fun List<SwimEffect<TestId>>.opened() = filterIsInstance<SwimEffect.OpenStream<TestId>>()

/** Carries out what [from] wants of streams to [to], and what follows from it; says how many bytes went each way. */
private fun converse(
    effects: List<SwimEffect<TestId>>,
    from: Rig,
    to: Rig,
): List<Int> = effects.opened().flatMap { open ->
    open.to.addr shouldBe to.self.addr
    val answer = to.on(SwimEvent.StreamRequested(open.stream, open.request))
        .filterIsInstance<SwimEffect.AnswerStream<TestId>>().single().answer
    if (answer == null) {
        from.on(SwimEvent.StreamFailed(open.stream))
        listOf(open.request.size, 0)
    } else {
        val after = from.on(SwimEvent.StreamAnswered(open.stream, answer))
        listOf(open.request.size, answer.size) + converse(after, from, to)
    }
}

class StreamsTest :
    FunSpec({
        syncs()
        metadata()
        probes()
    })

private fun FunSpec.syncs() {
    test("a newcomer learns a thousand members from one, in one conversation") {
        val big = Rig(0, policy(), NativeCodec(WideIds))
        big.learn(*(2..1_001).map { alive(it) }.toTypedArray(), disseminate = false)
        val newcomer = Rig(1, policy(30.seconds), NativeCodec(WideIds))
        val joined = newcomer.learn(alive(0))
        joined.opened().shouldBeEmpty()
        converse(newcomer.tick(), newcomer, big)
        newcomer.swim.memberCount shouldBe 1_001
        big.swim.memberCount shouldBe 1_001
    }

    test("two that agree find out with a few bytes; two that differ in one member exchange one bucket") {
        val one = Rig(0, policy(30.seconds), NativeCodec(WideIds))
        val two = Rig(1, policy(), NativeCodec(WideIds))
        val all = (2..1_001).map { alive(it) }.toTypedArray()
        one.learn(alive(1), *all, disseminate = false)
        two.learn(alive(0), *all, disseminate = false)
        one.tick().opened().forEach { one.on(SwimEvent.StreamFailed(it.stream)) }

        fun sync(): List<Int> {
            while (true) {
                val open = one.pass(30.seconds).opened()
                open.forEach { if (it.to.addr != 1) one.on(SwimEvent.StreamFailed(it.stream)) }
                val ours = open.filter { it.to.addr == 1 }
                if (ours.isNotEmpty()) return converse(ours.take(1), one, two)
            }
        }
        // 128 hashes there, nothing back. To meet the one partner among a thousand may take long.
        val (asked, answered) = sync()
        asked shouldBeLessThan 1_100
        answered shouldBeLessThan 40
        two.learn(MemberUpdate(TestId(500, 1)), alive(5_000), disseminate = false)
        sync().drop(1).sum() shouldBeLessThan 500
        one.swim.memberAt(500)?.id shouldBe TestId(500, 1)
        one.swim.memberAt(5_000)?.state shouldBe MemberState.Alive
    }

    test("the dead are not taught to those who forgot them, but to those who believe them alive") {
        val one = rig(1, 30.seconds)
        val two = rig(2)
        one.learn(alive(2), alive(3), disseminate = false)
        two.learn(alive(1), alive(3), down(3), down(4), alive(5), disseminate = false)
        val effects = ArrayList<SwimEffect<TestId>>()
        while (effects.none { it is SwimEffect.OpenStream && it.to == id(2) }) effects += one.pass(10.seconds)
        converse(effects.filter { it is SwimEffect.OpenStream && it.to == id(2) }.takeLast(1), one, two)
        one.swim.knowledge().map { it.id.addr to it.state } shouldContainExactlyInAnyOrder listOf(
            2 to MemberState.Alive,
            3 to MemberState.Down,
            5 to MemberState.Alive,
        )
        // Their deaths' own clocks go on: nothing is passed to and fro for ever.
        two.swim.knowledge().size shouldBe 4
    }

    test("one who is believed dead hears so from a sync, and comes back") {
        val one = rig(1, 30.seconds, rejoins = true)
        val two = rig(2)
        two.learn(down(1), disseminate = false)
        converse(one.learn(alive(2)) + one.tick(), one, two)
        one.self shouldBe id(1, 1)
    }

    test("a stream to an earlier life of ours is not answered, nor one that says it is us") {
        val two = rig(2)
        val one = rig(1, 30.seconds)
        one.learn(alive(2))
        val request = one.tick().opened().single().request
        val later = Rig(2, policy(), codec)
        later.on(SwimEvent.IdentityChangeRequested(id(2, 7)))
        later.on(SwimEvent.StreamRequested(1, request)).filterIsInstance<SwimEffect.AnswerStream<TestId>>()
            .single().answer.let { (it == null) shouldBe false }
        val self = rig(1)
        self.on(SwimEvent.StreamRequested(1, request)).rejections() shouldBe listOf(Rejection.FromOurselves)
        two.on(SwimEvent.StreamRequested(1, ByteArray(SwimPolicy.MAX_STREAM + 1))).rejections() shouldBe
            listOf(Rejection.TooBig)
    }
}

private fun FunSpec.metadata() {
    fun Rig.describe(text: String) = on(SwimEvent.MetadataChangeRequested(text.encodeToByteArray()))

    test("metadata comes from whoever says that it has it, and is then said by the one who got it") {
        val owner = rig(1)
        val relay = rig(2)
        val last = rig(3)
        owner.learn(alive(2))
        owner.describe("zone a")
        val news = owner.gossip().filterIsInstance<SwimEffect.Send<TestId>>().single().packet
        val pull = relay.packet(news)
        relay.learn(alive(3))
        converse(pull, relay, owner)
        relay.swim.memberAt(1)?.metadata?.decodeToString() shouldBe "zone a"

        val passed = relay.gossip().filterIsInstance<SwimEffect.Send<TestId>>().first { it.to == id(3) }.packet
        val asked = last.packet(passed)
        asked.opened().single().to shouldBe id(2)
        converse(asked, last, relay)
        last.swim.memberAt(1)?.let { it.metadataVersion to it.metadata.decodeToString() } shouldBe (1L to "zone a")
    }

    test("a pull that fails is made again when the version is next heard of") {
        val owner = rig(1)
        owner.learn(alive(2))
        owner.describe("x")
        val member = rig(2)
        fun heard() = member.packet(owner.gossip().filterIsInstance<SwimEffect.Send<TestId>>().single().packet).opened()
        val first = heard().single()
        heard().shouldBeEmpty()
        member.on(SwimEvent.StreamFailed(first.stream))
        heard().size shouldBe 1
        // A shell that never reports is not waited for for ever.
        member.pass(11.seconds)
        heard().size shouldBe 1
    }

    test("metadata beyond 8 KiB is refused, and so is any with a codec that cannot carry it") {
        rig(1).on(SwimEvent.MetadataChangeRequested(ByteArray(8_193))).refusals() shouldBe
            listOf(Refusal.Reason.MetadataTooBig)
        rig(1).on(SwimEvent.MetadataChangeRequested(ByteArray(8_192))).refusals().shouldBeEmpty()
        Rig(1).on(SwimEvent.MetadataChangeRequested(ByteArray(1))).refusals() shouldBe
            listOf(Refusal.Reason.MetadataNotCarried)
    }

    test("after a restart under the same identity, a version the others remember is outdone") {
        val rig = rig(1)
        rig.describe("new")
        rig.learn(MemberUpdate(id(1), 0, MemberState.Alive, null, 7))
        rig.swim.metadataVersion shouldBe 8
    }

    test("another life has metadata of its own") {
        val rig = rig(2)
        val owner = rig(1)
        owner.learn(alive(2))
        owner.describe("old")
        converse(rig.packet(owner.gossip().filterIsInstance<SwimEffect.Send<TestId>>().single().packet), rig, owner)
        rig.swim.memberAt(1)?.metadataVersion shouldBe 1
        rig.learn(alive(1, bump = 1))
        rig.swim.memberAt(1)?.let { it.metadataVersion to it.metadata.size } shouldBe (0L to 0)
    }
}

private fun FunSpec.probes() {
    test("a member that answers over a stream only is not suspected, and the loss of packets is told") {
        val rig = Rig(1, policy(probePeriod = 1.seconds), codec)
        val peer = rig(2)
        rig.learn(alive(2))
        rig.tick()
        converse(rig.tick(), rig, peer)
        rig.pass(500.milliseconds).told<GossipNotice.ProbeFailed<TestId>>().shouldBeEmpty()
        rig.swim.localHealth shouldBe 0
        rig.swim.counters().streamsOpened shouldBe 1
    }
}

/** Addresses beyond a byte. */
private object WideIds : IdentityCodec<TestId> {
    override fun write(identity: TestId, to: PacketWriter) {
        to.short(identity.addr)
        to.byte(identity.bump)
    }

    override fun read(from: PacketReader) = TestId(from.short(), from.byte())
}
