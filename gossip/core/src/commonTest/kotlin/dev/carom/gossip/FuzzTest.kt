package dev.carom.gossip

import dev.carom.gossip.conformance.VersionedHandler
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

/** Identities that choke on some values, as a user's constructor would. */
private object PickyCodec : IdentityCodec<TestId> {
    override fun write(identity: TestId, to: PacketWriter): Unit = TestIdCodec.write(identity, to)

    override fun read(from: PacketReader): TestId {
        val id = TestIdCodec.read(from)
        require(id.addr != 250) { "no host has the address 250" }
        return id
    }
}

class FuzzTest :
    FunSpec({
        for ((name, codec) in listOf("foca's" to PostcardCodec(PickyCodec), "Carom's" to NativeCodec(PickyCodec))) {
            test(
                "150,000 packets of $name bytes, mutated, truncated, joined or made up: no exception, nothing out of bounds",
            ) {
                Fuzz(codec, 7).packets(150_000)
            }
        }

        test("100,000 mutated streams: no exception, nothing out of bounds") {
            Fuzz(NativeCodec(PickyCodec), 8).streams(100_000)
        }

        test("what is undecodable changes nothing but a counter") {
            val rig = Rig(codec = NativeCodec(TestIdCodec))
            rig.learn(alive(2), suspect(3), down(4))
            val before = rig.swim.knowledge()
            val random = Random(3)
            repeat(10_000) {
                val bytes = random.nextBytes(random.nextInt(200))
                if (bytes.isNotEmpty()) bytes[0] = 0x11
                rig.packet(bytes).size shouldBe 1
            }
            rig.swim.knowledge() shouldBe before
            rig.swim.counters().rejected(Rejection.Undecodable) shouldBe 10_000
        }

        test("a count or a length beyond what is there allocates nothing") {
            val postcard = PostcardCodec(TestIdCodec)
            val gossip = Rig.write(postcard, Header(id(2), 0, id(1), PacketKind.Gossip))
            gossip[gossip.size - 2] = -1
            gossip[gossip.size - 1] = -1
            val rig = Rig(codec = postcard)
            rig.packet(gossip).rejections() shouldBe listOf(Rejection.Undecodable)
            PacketReader(byteArrayOf(-1, -1, -1, -1, 7)).let {
                it.string(100)
                it.failed shouldBe true
            }
            PacketReader(ByteArray(3)).let {
                it.bytes(Int.MAX_VALUE).size shouldBe 0
                it.bytes(-1).size shouldBe 0
                it.failed shouldBe true
            }
        }
    })

private class Fuzz(private val codec: MemberCodec<TestId>, seed: Int) {
    private val random = Random(seed)
    private val rig = Rig(codec = codec, policy = fuzzed(), rejoins = true, handler = VersionedHandler())
    private val corpus = ArrayList<ByteArray>()

    private fun fuzzed() = SwimPolicy(maxMembers = 200, maxBroadcasts = 16, forgetDownAfter = 30.seconds)

    fun packets(count: Int) {
        repeat(200) { corpus += packet() }
        repeat(count) {
            step { SwimEvent.PacketReceived(mutate(if (random.nextInt(4) == 0) packet() else corpus.random(random))) }
        }
        rig.swim.counters().packetsReceived shouldBe count.toLong()
        rig.swim.counters().rejected shouldBeGreaterThan count / 10L
    }

    /** A peer that asks; what it asks, and what it is answered, goes wrong on the way, more often than not. */
    fun streams(count: Int) {
        val peer = Rig(2, fuzzed(), codec, rejoins = true)
        var done = 0
        while (done < count) {
            val news =
                List(5) { MemberUpdate(anyone(), random.nextLong(5), MemberState.entries.random(random), null, 1) }
            peer.learn(MemberUpdate(rig.self, rig.swim.incarnation), *news.toTypedArray())
            rig.on(SwimEvent.MetadataChangeRequested(random.nextBytes(9)))
            // A member that has become defunct asks nothing.
            peer.on(SwimEvent.ReuseRequested())
            rig.on(SwimEvent.ReuseRequested())
            val asked = peer.pass(20.seconds).filterIsInstance<SwimEffect.OpenStream<TestId>>()
            asked.forEach { keep(it.request) }
            repeat(200) {
                val request = if (asked.isEmpty()) seen() else asked.random(random).request
                val answers = step { SwimEvent.StreamRequested(done.toLong(), mutate(request)) }
                for (open in asked.take(1)) {
                    val answer = answers.filterIsInstance<SwimEffect.AnswerStream<TestId>>().firstOrNull()?.answer
                    peer.on(SwimEvent.StreamAnswered(open.stream, mutate(answer ?: seen())))
                }
                done++
            }
        }
        rig.swim.counters().rejected shouldBeGreaterThan count / 10L
    }

    private fun seen() = corpus.randomOrNull(random) ?: ByteArray(8)

    private var steps = 0

    private fun step(event: () -> SwimEvent<TestId>): List<SwimEffect<TestId>> {
        val effects = rig.on(event())
        for (effect in effects) {
            when (effect) {
                is SwimEffect.Send -> effect.packet.size shouldBeLessThanOrEqual 1_400
                is SwimEffect.OpenStream -> keep(effect.request)
                is SwimEffect.AnswerStream -> effect.answer?.let(::keep)
                is SwimEffect.Notify -> Unit
                is SwimEffect.Refuse -> Unit
            }
        }
        if (random.nextInt(20) == 0) {
            rig.pass((random.nextInt(3)).seconds).filterIsInstance<SwimEffect.OpenStream<TestId>>().forEach {
                keep(it.request)
            }
        }
        if (++steps % 16 == 0) checkBounds()
        return effects
    }

    private fun checkBounds() {
        val swim = rig.swim
        check(swim.knowledge().size <= 200 && swim.broadcastsBacklog <= 16) { "more is kept than the policy allows" }
        check(swim.updatesBacklog <= 202) { "${swim.updatesBacklog} updates queued" }
    }

    private fun keep(bytes: ByteArray) {
        if (corpus.size < 500) corpus += bytes else corpus[random.nextInt(500)] = bytes
    }

    /** A good packet to this node. */
    private fun packet(): ByteArray {
        val kind = PacketKind.entries.filter { codec.extended || it != PacketKind.Nack }.random(random)
        val about = if (kind.about) anyone() else null
        val header = Header(anyone(), random.nextLong(5), rig.self, kind, about, random.nextInt(256))
        val updates =
            List(random.nextInt(6)) { MemberUpdate(anyone(), random.nextLong(5), MemberState.entries.random(random)) }
        val tail =
            List(if (kind.carriesBroadcasts) random.nextInt(3) else 0) {
                "${'a' + random.nextInt(26)}${random.nextInt(10)}"
            }
        return Rig.write(codec, header, updates, tail)
    }

    private fun anyone() = TestId(random.nextInt(256), random.nextInt(4))

    private fun mutate(bytes: ByteArray): ByteArray {
        val changed = bytes.copyOf()
        return when (random.nextInt(7)) {
            0 -> changed

            1 -> changed.copyOf(random.nextInt(changed.size + 1))

            2 -> changed + random.nextBytes(random.nextInt(8))

            3 -> random.nextBytes(random.nextInt(64))

            4 -> changed + seen()

            else -> changed.apply {
                repeat(random.nextInt(1, 5)) {
                    if (isNotEmpty()) this[random.nextInt(size)] = random.nextInt().toByte()
                }
            }
        }
    }
}
