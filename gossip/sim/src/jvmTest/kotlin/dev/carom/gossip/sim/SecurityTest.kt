package dev.carom.gossip.sim

import dev.carom.gossip.AesGcmEnvelope
import dev.carom.gossip.Envelope
import dev.carom.gossip.EnvelopeUse
import dev.carom.gossip.GossipKey
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.KeyRing
import dev.carom.gossip.Opened
import dev.carom.gossip.SwimPolicy
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlin.random.Random

private fun key(fill: Int) = GossipKey(ByteArray(16) { fill.toByte() })

private val old = key(1)
private val new = key(2)

private fun sealed(members: Int, seed: Long): Simulation {
    val simulation = Simulation(seed)
    for (host in 0 until members) {
        simulation.start(host, SwimPolicy.lan(), 0, 1).envelope = AesGcmEnvelope(KeyRing(old), "blue")
    }
    return simulation
}

private fun SimNode.keys(change: (KeyRing) -> KeyRing) {
    (envelope as AesGcmEnvelope).let { it.keys = change(it.keys) }
}

/** Keeps what comes in, so that it can come in again. */
private class Recorder(private val inner: Envelope, private val packets: MutableList<ByteArray>) : Envelope by inner {
    override fun open(sealed: ByteArray, use: EnvelopeUse): Opened {
        if (use == EnvelopeUse.Packet) packets += sealed
        return inner.open(sealed, use)
    }
}

class SecurityTest :
    FunSpec({
        test(
            "AT-21: while 20 members with 5 % loss change their key one by one, nobody is suspected",
        ) {
            val simulation = sealed(20, 21)
            simulation.awaitMillis(30_000, 100) { simulation.converged() } shouldBe true
            simulation.network.loss = 0.05
            val accused = ArrayList<String>()
            simulation.listen { _, notice, _ ->
                if (notice is GossipNotice.MemberSuspected || notice is GossipNotice.MemberDown) accused += "$notice"
            }
            for (step in listOf<(KeyRing) -> KeyRing>({ it.add(new) }, { it.use(new) }, { it.remove(old) })) {
                for (node in simulation.nodes.shuffled(Random(3))) {
                    node.keys(step)
                    simulation.runMillis(1_000)
                }
            }
            simulation.runMillis(60_000)
            simulation.nodes.sumOf { it.unopened } shouldBe 0
            accused.shouldBeEmpty()
            simulation.converged() shouldBe true
        }

        test("AT-21: forged, foreign, cut and repeated packets move a counter and nothing else") {
            val simulation = sealed(5, 22)
            val victim = simulation.node(3)!!
            val recorded = ArrayList<ByteArray>()
            victim.envelope = Recorder(AesGcmEnvelope(KeyRing(old), "blue"), recorded)
            simulation.awaitMillis(30_000, 100) { simulation.converged() } shouldBe true
            simulation.runMillis(20_000)
            val random = Random(7)
            val foreign = AesGcmEnvelope(KeyRing(old), "green")
            val stolen = AesGcmEnvelope(KeyRing(new), "blue")
            val captured = recorded.toList()
            val before = victim.swim.knowledge().map { it.toString() } + victim.swim.counters().toString()
            var sent = 0L
            for (packet in captured) {
                listOf(
                    packet,
                    packet.copyOf(random.nextInt(packet.size)),
                    packet.copyOf().also { it[random.nextInt(it.size)] = (it[3] + 1).toByte() },
                    foreign.seal(packet, EnvelopeUse.Packet),
                    stolen.seal(packet, EnvelopeUse.Packet),
                    random.nextBytes(random.nextInt(1_400)),
                ).forEach {
                    simulation.deliver(3, it)
                    sent++
                }
            }
            sent shouldBeGreaterThan 200
            victim.unopened shouldBe sent
            victim.swim.knowledge().map { it.toString() } + victim.swim.counters().toString() shouldBe before
        }

        test("AT-21: 100,000 forged packets a second to one of 20 members change not one decision of any") {
            fun told(perSecond: Int): List<String> {
                val simulation = sealed(20, 23)
                simulation.awaitMillis(30_000, 100) { simulation.converged() } shouldBe true
                simulation.network.loss = 0.2
                val told = ArrayList<String>()
                simulation.listen { node, notice, nanos -> told += "$nanos ${node.host} $notice" }
                val random = Random(9)
                val genuine = AesGcmEnvelope(KeyRing(old), "blue").seal(ByteArray(200), EnvelopeUse.Packet)
                val seconds = 4
                repeat(seconds * 100) {
                    repeat(perSecond / 100) {
                        val forged = if (random.nextBoolean()) genuine.copyOf() else random.nextBytes(200)
                        forged[random.nextInt(forged.size)]++
                        simulation.deliver(3, forged)
                    }
                    simulation.runMillis(10)
                }
                simulation.node(3)!!.unopened shouldBe perSecond * seconds
                simulation.runMillis(60_000)
                return told + simulation.nodes.map { it.swim.counters().toString() }
            }
            told(100_000) shouldBe told(0)
        }
    })
