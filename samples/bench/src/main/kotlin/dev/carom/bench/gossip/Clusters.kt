package dev.carom.bench.gossip

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipKey
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.KeyRing
import dev.carom.gossip.NodeId
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.net.GossipSecurity
import dev.carom.gossip.net.NetPolicy
import dev.carom.gossip.net.openNetGossip
import io.scalecube.cluster.Cluster
import io.scalecube.cluster.ClusterConfig
import io.scalecube.cluster.ClusterImpl
import io.scalecube.cluster.ClusterMessageHandler
import io.scalecube.cluster.membership.MembershipEvent
import io.scalecube.cluster.transport.api.Transport
import io.scalecube.cluster.transport.api.TransportFactory
import io.scalecube.transport.netty.tcp.TcpTransportFactory
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.runBlocking
import java.time.Duration
import java.util.concurrent.atomic.AtomicInteger

/** Twenty members, or so, of one library in this JVM. Members are known by the order of their start. */
internal interface Members : AutoCloseable {
    /** Starts one more, which knocks at the first. */
    fun start()

    /** How many others the member [number] sees. */
    fun seenBy(number: Int): Int

    /** Ends the network of member [number], without a word to the others. */
    fun crash(number: Int)
}

internal class CaromMembers(private val encrypted: Boolean, private val swim: SwimPolicy) : Members {
    private val scope = CoroutineScope(Dispatchers.Default)
    private val members = ArrayList<Gossip<NodeId>>()

    override fun start() {
        val seeds = members.take(1).map { it.identity.at.toString() }.toTypedArray()
        val key = GossipKey(ByteArray(KEY) { 1 })
        val security =
            if (encrypted) GossipSecurity.encrypted(KeyRing(key), "bench") else GossipSecurity.insecure()
        members += runBlocking { scope.openNetGossip(NetPolicy.loopback(*seeds), security, GossipPolicy(swim)) }
    }

    override fun seenBy(number: Int): Int = members[number].members.value.size

    override fun crash(number: Int): Unit = runBlocking { members[number].close() }

    override fun close() {
        runBlocking { members.forEach { it.close() } }
        scope.cancel()
    }

    private companion object {
        const val KEY = 32
    }
}

internal class ScalecubeMembers(private val suspicionMult: Int) : Members {
    private class Kept : TransportFactory {
        lateinit var transport: Transport

        override fun createTransport(config: io.scalecube.cluster.transport.api.TransportConfig): Transport =
            TcpTransportFactory().createTransport(config).also { transport = it }
    }

    private val members = ArrayList<Cluster>()
    private val transports = ArrayList<Transport>()

    // By its events: otherMembers() reads a HashMap that another thread changes, and fails now and then.
    private val seen = ArrayList<AtomicInteger>()

    override fun start() {
        val kept = Kept()
        val others = AtomicInteger()
        val count = object : ClusterMessageHandler {
            override fun onMembershipEvent(event: MembershipEvent) {
                if (event.isAdded) others.incrementAndGet()
                if (event.isRemoved) others.decrementAndGet()
            }
        }
        val seeds = members.take(1).map { it.address() }
        val cluster = ClusterImpl(ClusterConfig.defaultLanConfig().externalHost("127.0.0.1"))
            .transportFactory { kept }
            .handler { count }
            .membership { it.seedMembers(seeds).suspicionMult(suspicionMult) }
        members += cluster.startAwait()
        transports += kept.transport
        seen += others
    }

    override fun seenBy(number: Int): Int = seen[number].get()

    override fun crash(number: Int) {
        transports[number].stop().block(PATIENCE)
    }

    override fun close() {
        members.forEach { it.shutdown() }
        members.forEach { member -> runCatching { member.onShutdown().block(PATIENCE) } }
    }

    private companion object {
        val PATIENCE: Duration = Duration.ofSeconds(10)
    }
}
