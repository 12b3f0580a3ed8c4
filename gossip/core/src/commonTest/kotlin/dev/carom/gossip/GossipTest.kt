package dev.carom.gossip

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlinx.coroutines.withTimeout
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

private class Seen : BroadcastHandler<NodeId> {
    class Key(val text: String) : BroadcastKey {
        override fun invalidates(other: BroadcastKey): Boolean = other is Key && other.text == text
    }

    val items = LinkedHashSet<String>()

    override fun receive(item: ByteArray, from: NodeId?): BroadcastVerdict {
        val text = item.decodeToString()
        return if (items.add(text)) BroadcastVerdict.fresh(Key(text)) else BroadcastVerdict.known()
    }
}

@OptIn(ExperimentalCoroutinesApi::class)
private fun TestScope.start(
    transport: MemoryTransport,
    policy: GossipPolicy = GossipPolicy(),
    handler: BroadcastHandler<NodeId>? = null,
    scope: CoroutineScope = this,
): Gossip<NodeId> = scope.openGossip(
    transport.id,
    transport,
    InsecureEnvelope,
    NativeCodec(NodeIdCodec()),
    policy,
    handler,
    null,
    testTimeSource,
    Random(transport.id.hashCode()),
)

private suspend fun Gossip<NodeId>.sees(count: Int) {
    withTimeout(5.minutes) { members.first { it.size == count } }
}

@OptIn(ExperimentalCoroutinesApi::class)
class GossipTest :
    FunSpec({
        test("five members that know one seed find each other") {
            runTest {
                val network = MemoryNetwork()
                val hosts = (1..5).map(network::host)
                val cluster = hosts.map { start(it) }
                cluster.drop(1).forEach { it.join(listOf(hosts[0].id)) }
                cluster.forEach { it.sees(4) }
                cluster.forEach { it.close() }
            }
        }

        test("seeds are followed as their source finds them; one that fails is told and asked again") {
            runTest {
                val network = MemoryNetwork()
                val hosts = (1..3).map(network::host)
                val (first, second, third) = hosts.map { start(it) }
                val heard = mutableListOf<GossipNotice<NodeId>>()
                val listener = launch { third.notices.collect { heard += it } }
                runCurrent()
                var lookups = 0
                third.follow {
                    flow {
                        if (lookups++ == 0) error("no answer")
                        emit(listOf(hosts[0].id))
                        delay(1.minutes)
                        emit(listOf(hosts[1].id))
                    }
                }
                third.sees(1)
                heard.filterIsInstance<GossipNotice.SeedsFailed<NodeId>>().single().retryMillis shouldBe 10_000
                // The two clusters are one as soon as the name stands for somebody in the other.
                listOf(first, second, third).forEach { it.sees(2) }
                lookups shouldBe 2
                third.isOpen shouldBe true
                third.leave()
                third.isOpen shouldBe false
                third.follow { error("not asked when closed") }
                listOf(first, second).forEach { it.close() }
                listener.join()
            }
        }

        test("who leaves is known to have left at once, and its member is closed") {
            runTest {
                val network = MemoryNetwork()
                val hosts = (1..4).map(network::host)
                val cluster = hosts.map { start(it) }
                cluster.drop(1).forEach { it.join(listOf(hosts[0].id)) }
                cluster.forEach { it.sees(3) }
                val heard = mutableListOf<GossipNotice<NodeId>>()
                val listener = launch { cluster[0].notices.collect { heard += it } }
                runCurrent()

                val begin = testScheduler.currentTime
                cluster[3].leave() shouldBe true
                cluster.take(3).forEach { it.sees(2) }
                runCurrent()
                (testScheduler.currentTime - begin) shouldBeLessThan 5_000L

                heard.filterIsInstance<GossipNotice.MemberDown<NodeId>>().single().left shouldBe true
                hosts[3].closed shouldBe true
                cluster[3].members.value.shouldBeEmpty()
                shouldThrow<GossipException.Closed> { cluster[3].broadcast(byteArrayOf(1)) }
                cluster.forEach { it.close() }
                listener.join()
            }
        }

        test("who dies is found dead, and the members say so before the notice does") {
            runTest {
                val network = MemoryNetwork()
                val hosts = (1..4).map(network::host)
                val cluster = hosts.map { start(it) }
                cluster.drop(1).forEach { it.join(listOf(hosts[0].id)) }
                cluster.forEach { it.sees(3) }
                val sizes = mutableListOf<Int>()
                val listener = launch {
                    cluster[0].notices.collect {
                        if (it is GossipNotice.MemberDown) sizes += cluster[0].members.value.size
                    }
                }
                runCurrent()
                cluster[2].close()
                listOf(cluster[0], cluster[1], cluster[3]).forEach { it.sees(2) }
                runCurrent()
                sizes shouldContainExactly listOf(2)
                cluster.forEach { it.close() }
                listener.join()
            }
        }

        test("a broadcast reaches everybody, and a wrong one is refused with the rule") {
            runTest {
                val network = MemoryNetwork()
                val hosts = (1..3).map(network::host)
                val seen = hosts.map { Seen() }
                val cluster = hosts.mapIndexed { i, host -> start(host, handler = seen[i]) }
                cluster.drop(1).forEach { it.join(listOf(hosts[0].id)) }
                cluster.forEach { it.sees(2) }

                cluster[1].broadcast("hello".encodeToByteArray())
                withTimeout(1.minutes) { while (seen.any { it.items.isEmpty() }) delay(10.milliseconds) }

                fun reason(refused: GossipException.Refused) = refused.refusal.reason
                reason(shouldThrow { cluster[1].broadcast(ByteArray(0)) }) shouldBe Refusal.Reason.EmptyBroadcast
                reason(shouldThrow { cluster[1].broadcast(ByteArray(2_000)) }) shouldBe Refusal.Reason.BroadcastTooBig
                reason(shouldThrow { cluster[1].broadcast("hello".encodeToByteArray()) }) shouldBe
                    Refusal.Reason.BroadcastKnown
                cluster.forEach { it.close() }
            }
        }

        test("metadata travels over streams to everybody") {
            runTest {
                val network = MemoryNetwork()
                val hosts = (1..3).map(network::host)
                val cluster = hosts.map { start(it) }
                cluster.drop(1).forEach { it.join(listOf(hosts[0].id)) }
                cluster.forEach { it.sees(2) }
                cluster[2].updateMetadata(ByteArray(SwimPolicy.MAX_METADATA) { 7 })
                for (gossip in cluster.take(2)) {
                    withTimeout(5.minutes) {
                        gossip.members.first { all ->
                            all.any { it.id == hosts[2].id && it.metadata.size == SwimPolicy.MAX_METADATA }
                        }
                    }
                }
                shouldThrow<GossipException.Refused> {
                    cluster[0].updateMetadata(ByteArray(SwimPolicy.MAX_METADATA + 1))
                }
                cluster.forEach { it.close() }
            }
        }

        test("a lonely start says which seeds did not answer, and ends when one appears") {
            runTest {
                val network = MemoryNetwork()
                val lonely = network.host(1)
                val late = network.host(2).apply { plugged = false }
                val gossip = start(lonely, GossipPolicy(joinTimeout = 3.seconds))
                shouldThrow<GossipException.JoinTimedOut> { gossip.join(listOf(late.id)) }
                    .message!! shouldContain "none of 1 seeds answered within 3s"
                late.plugged = true
                val other = start(late)
                gossip.sees(1)
                other.sees(1)
                gossip.close()
                other.close()
            }
        }

        test("receiving that dies is told, opened again, and told when it works") {
            runTest {
                val network = MemoryNetwork()
                val hosts = (1..2).map(network::host)
                val cluster = hosts.map { start(it) }
                val told = mutableListOf<GossipNotice<NodeId>>()
                val listener = launch { cluster[0].notices.collect { told += it } }
                cluster[1].join(listOf(hosts[0].id))
                cluster[0].sees(1)
                hosts[0].breakReceiving(IllegalStateException("the socket is gone"))
                withTimeout(1.minutes) {
                    cluster[0].notices.first { it is GossipNotice.TransportRecovered }
                }
                hosts[0].collections shouldBe 2
                told.filterIsInstance<GossipNotice.TransportFailed<NodeId>>().single().detail shouldContain "is gone"
                cluster[0].counters().reopened shouldBe 1
                cluster.forEach { it.close() }
                listener.join()
            }
        }

        test("a send that fails is told and counted, and nothing else happens") {
            runTest {
                val network = MemoryNetwork()
                val hosts = (1..2).map(network::host)
                val gossip = start(hosts[0])
                hosts[0].failSends = IllegalStateException("network is unreachable")
                val first = launch {
                    val notice = gossip.notices.first { it is GossipNotice.PacketNotSent }
                    notice.toString() shouldContain "network is unreachable"
                }
                runCurrent()
                gossip.seeds(listOf(hosts[1].id))
                first.join()
                gossip.counters().sendsFailed shouldBeGreaterThan 0L
                gossip.close()
            }
        }

        test("a slow collector misses the oldest and is told how many") {
            runTest {
                val host = MemoryNetwork().host(1)
                val gossip = start(host, GossipPolicy(noticeBuffer = 4))
                val got = mutableListOf<GossipNotice<NodeId>>()
                val slow = launch {
                    gossip.notices.take(6).collect {
                        got += it
                        if (got.size == 1) delay(1.seconds)
                    }
                }
                runCurrent()
                repeat(20) {
                    host.deliver(byteArrayOf(1, 2, 3))
                    runCurrent()
                }
                slow.join()
                got.filterIsInstance<GossipNotice.Missed<NodeId>>().single().count shouldBe 15
                got.size shouldBe 6
                gossip.close()
            }
        }

        test("cancelling the scope closes the transport and ends who waits") {
            runTest {
                val network = MemoryNetwork()
                val host = network.host(1)
                val owner = launch {
                    val gossip = start(host, GossipPolicy(joinTimeout = 1.minutes), scope = this)
                    gossip.join(listOf(network.host(2).id))
                }
                runCurrent()
                owner.cancelAndJoin()
                host.closed shouldBe true
            }
        }

        test("a member opened in a scope that has ended closes its transport") {
            runTest {
                val host = MemoryNetwork().host(1)
                val scope = CoroutineScope(coroutineContext + Job())
                scope.coroutineContext.job.cancel()
                val gossip = start(host, scope = scope)
                gossip.awaitClosed()
                host.closed shouldBe true
                shouldThrow<GossipException.Closed> { gossip.join(listOf(host.id)) }
                shouldThrow<GossipException.Closed> { gossip.counters() }
                gossip.leave() shouldBe false
                gossip.notices.toList().shouldBeEmpty()
            }
        }
    })
