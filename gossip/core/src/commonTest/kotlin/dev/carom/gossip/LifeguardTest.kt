package dev.carom.gossip

import dev.carom.gossip.internal.LocalHealth
import dev.carom.gossip.internal.maxTransmissionsFor
import dev.carom.gossip.internal.suspicionNanos
import dev.carom.gossip.internal.syncScale
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

private fun lifeguard(
    suspicionTimeout: Duration = 4.seconds,
    confirmations: Int = 2,
    everyoneTimes: Boolean = true,
    buddy: Boolean = true,
) = simple(
    probePeriod = 1.seconds,
    suspicionTimeout = suspicionTimeout,
    lifeguard = LifeguardPolicy(confirmations = confirmations, everyoneTimes = everyoneTimes, buddy = buddy),
)

private fun native(policy: SwimPolicy, handler: BroadcastHandler<TestId>? = null) =
    Rig(policy = policy, codec = NativeCodec(TestIdCodec), handler = handler)

private fun accused(addr: Int, by: Int, incarnation: Long = 0) =
    MemberUpdate(id(addr), incarnation, MemberState.Suspect, id(by), 0)

class LifeguardTest :
    FunSpec({
        formulas()
        health()
        suspicion()
        buddies()
    })

private fun FunSpec.formulas() {
    test("the numbers that follow from a cluster's size are foca's") {
        val table = listOf(
            listOf(1, 1, 4_000_000_000, 30_000_000_000),
            listOf(2, 1, 4_000_000_000, 30_000_000_000),
            listOf(3, 2, 4_000_000_000, 30_000_000_000),
            listOf(5, 3, 4_000_000_000, 30_000_000_000),
            listOf(9, 4, 4_000_000_000, 30_000_000_000),
            listOf(10, 4, 4_000_000_000, 30_000_000_000),
            listOf(11, 4, 4_165_570_741, 31_241_780_555),
            listOf(32, 6, 6_020_599_913, 45_154_499_350),
            listOf(50, 6, 6_795_880_017, 50_969_100_130),
            listOf(99, 8, 7_982_540_778, 59_869_055_838),
            listOf(100, 8, 8_000_000_000, 60_000_000_000),
            listOf(500, 10, 10_795_880_017, 80_969_100_130),
            listOf(1_000, 12, 12_000_000_000, 90_000_000_000),
            listOf(10_000, 16, 16_000_000_000, 120_000_000_000),
            listOf(1_000_000, 24, 24_000_000_000, 180_000_000_000),
            listOf(4_294_967_295, 38, 38_531_839_445, 288_988_795_834),
        )
        for ((members, transmissions, lan, wan) in table) {
            SwimPolicy.focaLan(members).maxTransmissions shouldBe transmissions.toInt()
            SwimPolicy.focaLan(members).suspicionTimeout shouldBe lan.nanoseconds
            SwimPolicy.focaWan(members).suspicionTimeout shouldBe wan.nanoseconds
        }
    }

    test("the local health score goes up and down within its bounds") {
        val health = LocalHealth()
        val deltas = listOf(0, -1, -10, 1, -1, 10, -1, -1, -1, -1, -1, -1, -1, -1)
        deltas.map { delta ->
            health.adjust(delta, 7)
            health.score
        } shouldBe listOf(0, 0, 0, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0, 0)
        health.adjust(3, 7)
        health.scale(1_000) shouldBe 4_000
    }

    test("confirmations shorten a suspicion on a logarithmic way") {
        fun millis(confirmed: Int, needed: Int, min: Long, max: Long) =
            suspicionNanos(confirmed, needed, min * 1_000_000, max * 1_000_000) / 1_000_000
        // What is left after so many seconds, as memberlist's own table has it.
        millis(0, 3, 2_000, 30_000) - 0 shouldBe 30_000
        millis(1, 3, 2_000, 30_000) - 2_000 shouldBe 14_000
        millis(2, 3, 2_000, 30_000) - 3_000 shouldBe 4_810
        millis(3, 3, 2_000, 30_000) - 4_000 shouldBe -2_000
        (0..3).map { millis(it, 3, 500, 2_000) } shouldBe listOf<Long>(2_000, 1_250, 811, 500)
        (0..4).map { millis(it, 3, 500, 1_000) } shouldBe listOf<Long>(1_000, 750, 603, 500, 500)
        millis(0, 0, 500, 1_000) shouldBe 500
    }

    test("syncs are rarer in big clusters") {
        listOf(1, 32, 33, 64, 65, 128, 129).map(::syncScale) shouldBe listOf(1, 1, 2, 2, 3, 3, 4)
    }

    test("copies of news follow the live size") {
        val rig = Rig(policy = simple(maxTransmissions = 0))
        rig.learn(alive(2))
        rig.sent(rig.gossip()).single().updates.size shouldBe 1
        rig.swim.updatesBacklog shouldBe 0
        rig.learn(*(3..102).map { alive(it) }.toTypedArray())
        maxTransmissionsFor(102) shouldBe 8
        // Three members at a time hear everything that fits: after three rounds of 100 pieces of news, nothing is left.
        repeat(3) { rig.gossip() }
        rig.swim.updatesBacklog shouldBe 0
    }
}

private fun FunSpec.health() {
    test("a node whose probes fail probes more slowly, and recovers with answers") {
        val rig = Rig(policy = lifeguard())
        rig.learn(alive(2))
        rig.pass(2.seconds)
        rig.swim.localHealth shouldBe 1
        val begin = rig.now
        rig.sent(rig.tick()).map { it.kind } shouldBe emptyList()
        rig.now - begin shouldBe 2 * 500.milliseconds.inWholeNanoseconds
        val ping = rig.sent(rig.tick()).single { it.kind == PacketKind.Ping }
        rig.now - begin shouldBe 2.seconds.inWholeNanoseconds
        rig.swim.localHealth shouldBe 2
        rig.receive(PacketKind.Ack, id(2), number = ping.header.number)
        rig.swim.localHealth shouldBe 1
    }

    test("relays that say that they have no answer either speak for our health") {
        val rig = native(lifeguard())
        rig.learn(alive(2), alive(3), alive(4))
        rig.tick()
        val requests = rig.sent(rig.tick())
        requests.map { it.kind } shouldBe List(2) { PacketKind.PingReq }
        rig.receive(PacketKind.Nack, requests[0].to, number = requests[0].header.number)
        rig.receive(PacketKind.Nack, requests[0].to, number = requests[0].header.number)
        rig.tick().told<GossipNotice.ProbeFailed<TestId>>().size shouldBe 1
        // Two asked, one was silent.
        rig.swim.localHealth shouldBe 1
    }

    test("a relay without an answer says so in time, one with an answer forwards it instead") {
        val relay = native(lifeguard())
        relay.learn(alive(2), alive(3))
        relay.receive(PacketKind.PingReq, id(2), about = id(3), number = 9)
        relay.sent(relay.pass(400.milliseconds)).filter { it.kind == PacketKind.Nack }
            .map { it.to to it.header.number } shouldBe listOf(id(2) to 9)

        relay.receive(PacketKind.PingReq, id(2), about = id(3), number = 10)
        relay.receive(PacketKind.IndirectAck, id(3), about = id(2), number = 10)
        relay.sent(relay.pass(400.milliseconds)).filter { it.kind == PacketKind.Nack }.shouldBeEmpty()
    }

    test("a node that slept blames itself and nobody else") {
        val rig = Rig(policy = lifeguard(suspicionTimeout = 3.seconds))
        rig.learn(alive(2), suspect(3))
        rig.tick()
        val effects = rig.sleep(10.seconds)
        effects.told<GossipNotice.Stalled<TestId>>().single().nanos shouldBe 9_500.milliseconds.inWholeNanoseconds
        effects.notices().shouldBeEmpty()
        rig.swim.localHealth shouldBe 1
        rig.swim.memberAt(2)?.state shouldBe MemberState.Alive
    }

    test("round trips are measured, and smoothed as TCP does") {
        val rig = Rig()
        rig.learn(alive(2))
        for ((millis, smoothed) in listOf(20 to 20_000_000L, 100 to 30_000_000L)) {
            val ping = rig.sent(rig.tick()).single { it.kind == PacketKind.Ping }
            rig.skip(millis.milliseconds)
            rig.receive(PacketKind.Ack, id(2), number = ping.header.number)
            // An answer twice is one answer.
            rig.skip(100.milliseconds)
            rig.receive(PacketKind.Ack, id(2), number = ping.header.number)
            rig.swim.memberAt(2)?.rttNanos shouldBe smoothed
            rig.tick()
        }
    }
}

private fun FunSpec.suspicion() {
    fun Rig.deathOf3(): Duration {
        val begin = now
        while (true) if (tick().notices().any { it == "down 3/0" }) return (now - begin).nanoseconds
    }

    test("an accusation that nobody confirms takes long, a confirmed one is short") {
        fun death(vararg confirming: Int): Duration {
            // A period so long that no probe of our own speaks up.
            val policy = SwimPolicy(
                probePeriod = 1_000.seconds,
                suspicionTimeout = 4.seconds,
                gossip = null,
                announce = null,
                syncInterval = Duration.INFINITE,
            )
            val rig = native(policy)
            rig.learn(alive(2), alive(3), alive(4), alive(5), alive(6))
            rig.learn(accused(3, by = 2))
            confirming.forEach { rig.learn(accused(3, by = it)) }
            return rig.deathOf3()
        }
        death() shouldBe 24.seconds
        death(2, 2) shouldBe 24.seconds
        death(4) shouldBe 11_381.milliseconds
        death(4, 5) shouldBe 4.seconds
        death(4, 5, 6) shouldBe 4.seconds
    }

    test("a confirmation is passed on, once, while it counts") {
        val rig = native(lifeguard())
        rig.learn(alive(2), alive(3), alive(4), alive(5), alive(6), disseminate = false)
        fun news() = rig.swim.updatesBacklog.also { while (rig.swim.updatesBacklog > 0) rig.gossip() }
        val counted = listOf(2, 4, 4, 5, 6).map {
            rig.learn(accused(3, by = it))
            news()
        }
        counted shouldBe listOf(1, 1, 0, 1, 0)
    }

    test("every node that hears of a suspicion times it, so the accuser may die") {
        val policy = simple(probePeriod = 1_000.seconds, lifeguard = LifeguardPolicy(), suspicionTimeout = 4.seconds)
        val rig = Rig(policy = policy)
        rig.learn(alive(2), suspect(3))
        rig.deathOf3() shouldBe 4.seconds
    }

    test("with too few members to confirm, a suspicion begins at its shortest") {
        val policy = simple(probePeriod = 1_000.seconds, lifeguard = LifeguardPolicy(), suspicionTimeout = 4.seconds)
        val rig = native(policy)
        rig.learn(alive(2), accused(3, by = 2))
        rig.deathOf3() shouldBe 4.seconds
    }
}

private fun FunSpec.buddies() {
    test("a suspect hears of its suspicion first, whatever else there is to say, and however often it was said") {
        val rig = Rig(policy = lifeguard(suspicionTimeout = 600.seconds))
        rig.learn(suspect(2))
        while (rig.swim.updatesBacklog > 0) rig.gossip()
        rig.learn(*(3..50).map { alive(it) }.toTypedArray())
        rig.sent(rig.receive(PacketKind.Ping, id(2))).single().updates.first() shouldBe suspect(2)
        rig.sent(rig.receive(PacketKind.Ping, id(3))).single().updates.none { it == suspect(2) } shouldBe true
    }

    test("whoever refuted is no longer told") {
        val rig = Rig(policy = lifeguard())
        rig.learn(suspect(2))
        rig.receive(PacketKind.Ack, id(2), incarnation = 1)
        val told = rig.sent(rig.receive(PacketKind.Ping, id(2), incarnation = 1)).single().updates
        told.none { it.state == MemberState.Suspect } shouldBe true
    }
}
