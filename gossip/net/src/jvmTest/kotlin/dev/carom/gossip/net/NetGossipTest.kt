package dev.carom.gossip.net

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipChannel
import dev.carom.gossip.GossipKey
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.InsecureEnvelope
import dev.carom.gossip.KeyRing
import dev.carom.gossip.NativeCodec
import dev.carom.gossip.NodeId
import dev.carom.gossip.NodeIdCodec
import dev.carom.gossip.PeriodicPolicy
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.net.internal.AllowList
import dev.carom.gossip.openGossip
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.Socket
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

private val quick = GossipPolicy(
    SwimPolicy(
        probePeriod = 500.milliseconds,
        probeTimeout = 300.milliseconds,
        suspicionMultiplier = 3,
        announce = PeriodicPolicy(500.milliseconds, 1),
        announceToDown = PeriodicPolicy(1.seconds, 2),
        gossip = PeriodicPolicy(50.milliseconds, 3),
        seedInterval = 200.milliseconds,
        syncInterval = 500.milliseconds,
    ),
    leaveTimeout = 60.seconds,
)

private val key = GossipKey(ByteArray(32) { 1 })

private fun secure(key: GossipKey = dev.carom.gossip.net.key) = GossipSecurity.encrypted(KeyRing(key), "test")

private fun Gossip<NodeId>.seed() = identity.at.toString()

private suspend fun Gossip<NodeId>.sees(vararg others: Gossip<NodeId>) {
    val wanted = others.mapTo(HashSet()) { it.identity.at }
    withTimeout(5.minutes) { members.first { all -> all.mapTo(HashSet()) { it.id.at } == wanted } }
}

private fun selectors() = Thread.getAllStackTraces().keys.filter { it.name.startsWith("carom-gossip-selector") }

/** Runs [block] on real threads, and asserts that no thread is left. */
private suspend fun onNetwork(block: suspend CoroutineScope.() -> Unit) {
    withContext(Dispatchers.Default) { coroutineScope { block() } }
    eventually(60.seconds) { selectors().filter { it.isAlive }.shouldBeEmpty() }
}

class NetGossipTest :
    FunSpec({
        test("four encrypted members form a cluster on loopback; one leaves, one dies, and the others know") {
            onNetwork {
                val first = openNetGossip(NetPolicy.loopback(), secure(), quick)
                val others = List(3) { openNetGossip(NetPolicy.loopback(first.seed()), secure(), quick) }
                val all = others + first
                all.forEach { it.sees(*(all - it).toTypedArray()) }

                others[0].updateMetadata("role=web".encodeToByteArray())
                withTimeout(5.minutes) {
                    first.members.first { seen -> seen.any { it.metadata.decodeToString() == "role=web" } }
                }

                val left = async(start = CoroutineStart.UNDISPATCHED) {
                    first.notices.first { it is GossipNotice.MemberDown && it.left }
                }
                others[2].leave() shouldBe true
                withTimeout(5.minutes) { left.await() }
                first.sees(others[0], others[1])

                others[1].close()
                first.sees(others[0])
                others[0].sees(first)

                first.close()
                others[0].leave()
            }
        }

        test("who has another key is not heard") {
            onNetwork {
                val ours = openNetGossip(NetPolicy.loopback(), secure(), quick)
                val rejected = async(start = CoroutineStart.UNDISPATCHED) {
                    ours.notices.first { it is GossipNotice.EnvelopeRejected }
                }
                val stranger = openNetGossip(
                    NetPolicy.loopback(ours.seed()),
                    secure(GossipKey(ByteArray(32) { 2 })),
                    quick,
                )
                withTimeout(5.minutes) { rejected.await() }
                ours.members.value.shouldBeEmpty()
                ours.counters().unopened shouldBeGreaterThan 0L
                ours.counters().swim.packetsReceived shouldBe 0L
                stranger.close()
                ours.close()
            }
        }

        test("keys are rotated while the members run, and a new member needs the new one") {
            onNetwork {
                val new = GossipKey(ByteArray(32) { 3 })
                val securities = List(2) { secure() }
                val first = openNetGossip(NetPolicy.loopback(), securities[0], quick)
                val second = openNetGossip(NetPolicy.loopback(first.seed()), securities[1], quick)
                first.sees(second)
                securities.forEach { it.rotate(it.keys!!.add(new)) }
                securities.forEach { it.rotate(it.keys!!.use(new)) }
                securities.forEach { it.rotate(it.keys!!.remove(key)) }
                val third = openNetGossip(NetPolicy.loopback(first.seed()), secure(new), quick)
                listOf(first, second, third).let { all ->
                    all.forEach { it.sees(*(all - it).toTypedArray()) }
                    all.forEach { it.close() }
                }
            }
        }

        test("a socket that is lost is opened again, and this is told") {
            onNetwork {
                val transport = NetTransport.open(NetPolicy.loopback())
                val codec = NativeCodec(NodeIdCodec())
                val first = openGossip(NodeId(transport.address, 1), transport, InsecureEnvelope, codec, quick)
                val second = openNetGossip(NetPolicy.loopback(first.seed()), GossipSecurity.insecure(), quick)
                first.sees(second)
                for (channel in GossipChannel.entries) {
                    val told = async(start = CoroutineStart.UNDISPATCHED) {
                        first.notices.first { it is GossipNotice.TransportFailed && it.channel == channel }
                    }
                    val works = async(start = CoroutineStart.UNDISPATCHED) {
                        first.notices.first { it is GossipNotice.TransportRecovered && it.channel == channel }
                    }
                    if (channel == GossipChannel.Packets) transport.loseUdp() else transport.loseTcp()
                    withTimeout(5.minutes) { told.await() }
                    withTimeout(5.minutes) { works.await() }
                }
                first.sees(second)
                first.close()
                second.close()
            }
        }

        test("from addresses outside the list nothing is read, and nobody outside it can be a member") {
            onNetwork {
                val guarded = NetPolicy("127.0.0.1", 0, allow = listOf("10.0.0.0/8", "127.0.0.2"))
                val transport = NetTransport.open(guarded)
                val codec = NativeCodec(NodeIdCodec())
                val ours = openGossip(NodeId(transport.address, 1), transport, InsecureEnvelope, codec, quick)
                val stranger = openNetGossip(NetPolicy.loopback(ours.seed()), GossipSecurity.insecure(), quick)
                eventually(60.seconds) { transport.refused shouldBeGreaterThan 3L }
                ours.counters().swim.packetsReceived shouldBe 0L
                val port = transport.address.port
                withContext(Dispatchers.IO) {
                    Socket("127.0.0.1", port).use {
                        it.soTimeout = 60_000
                        runCatching { it.getInputStream().read() }.getOrDefault(-1) shouldBe -1
                    }
                }
                stranger.close()
                ours.close()

                val listed = NetPolicy("127.0.0.1", 0, allow = listOf("127.0.0.0/8", "::1"))
                val first = openNetGossip(listed, secure(), quick)
                val second = openNetGossip(NetPolicy.loopback(first.seed()), secure(), quick)
                first.sees(second)
                first.close()
                second.close()
            }
        }

        test("ranges are those of CIDR, and what is none is told") {
            fun within(range: String, address: String) =
                AllowList(listOf(range)).admits(InetAddress.getByName(address).address)
            within("10.0.0.0/8", "10.255.0.1") shouldBe true
            within("10.0.0.0/8", "11.0.0.1") shouldBe false
            within("10.1.2.128/25", "10.1.2.127") shouldBe false
            within("10.1.2.128/25", "10.1.2.200") shouldBe true
            within("0.0.0.0/0", "1.2.3.4") shouldBe true
            within("0.0.0.0/0", "::1") shouldBe false
            within("2001:db8::/33", "2001:db8:7fff::1") shouldBe true
            within("2001:db8::/33", "2001:db8:8000::1") shouldBe false
            within("127.0.0.1", "127.0.0.2") shouldBe false
            for (range in listOf(
                "",
                "10.0.0.0/33",
                "10.0.0/8",
                "host/8",
                "1.2.3.4/-1",
                "::g/8",
                "1.2.3.256",
                "::1/129",
            )) {
                shouldThrow<IllegalArgumentException> { NetPolicy("h", allow = listOf(range)) }
                    .message!! shouldContain "\"$range\""
            }
        }

        test("a stream with garbage, or a frame too long, is closed and harms nobody") {
            onNetwork {
                val first = openNetGossip(NetPolicy.loopback(), secure(), quick)
                val address = InetSocketAddress("127.0.0.1", first.identity.at.port)
                for (size in listOf(-1, Int.MAX_VALUE, 3)) {
                    withContext(Dispatchers.IO) {
                        Socket().use { socket ->
                            socket.soTimeout = 60_000
                            socket.connect(address, 60_000)
                            socket.getOutputStream().write(ByteBuffer.allocate(7).putInt(size).array())
                            // A reset is an end, too: our bytes were not all read.
                            runCatching { socket.getInputStream().read() }.getOrDefault(-1) shouldBe -1
                        }
                    }
                }
                val second = openNetGossip(NetPolicy.loopback(first.seed()), secure(), quick)
                first.sees(second)
                first.close()
                second.close()
            }
        }

        test("a port that is taken, and a wildcard without an address for others, are told") {
            onNetwork {
                val first = NetTransport.open(NetPolicy.loopback())
                shouldThrow<TransportException.BindFailed> {
                    NetTransport.open(NetPolicy("127.0.0.1", first.address.port))
                }.message!! shouldContain "127.0.0.1:${first.address.port}"
                first.close()
                shouldThrow<TransportException.NoAddress> { NetTransport.open(NetPolicy("0.0.0.0", 0)) }
                val named = NetTransport.open(NetPolicy("0.0.0.0", 0, advertiseHost = "127.0.0.1"))
                named.address.toString() shouldContain "127.0.0.1:"
                named.close()
            }
        }

        test("a policy with wrong numbers says which; one security serves one member") {
            shouldThrow<IllegalArgumentException> { NetPolicy("h", 70_000) }.message!! shouldContain "70000"
            for (seed in listOf("host", "host:0", ":1", "::1:7", "h:x")) {
                shouldThrow<IllegalArgumentException> { NetPolicy("h", seeds = listOf(seed)) }
                    .message!! shouldContain seed
            }
            SeedName.parse("[::1]:7").host shouldBe "::1"
            onNetwork {
                val security = secure()
                val gossip = openNetGossip(NetPolicy.loopback(), security, quick)
                shouldThrow<IllegalStateException> { openNetGossip(NetPolicy.loopback(), security, quick) }
                security.toString().contains("1, 1") shouldBe false
                gossip.close()
            }
        }

        test("a name that is not found keeps the addresses it had") {
            var found = listOf(InetAddress.getByAddress(byteArrayOf(10, 0, 0, 1)))
            val lookups = dev.carom.gossip.net.internal.Lookups {
                found.ifEmpty { throw java.net.UnknownHostException(it) }
            }
            val names = listOf(SeedName("seeds", 7))
            val before = lookups.seeds(names)
            before.shouldHaveSize(1)
            found = emptyList()
            lookups.seeds(names) shouldBe before
        }
    })
