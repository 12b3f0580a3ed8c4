package dev.carom.bench.gossip

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipKey
import dev.carom.gossip.GossipNotice
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.KeyRing
import dev.carom.gossip.NodeId
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.net.GossipSecurity
import dev.carom.gossip.net.NetPolicy
import dev.carom.gossip.net.openNetGossip
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.net.InetAddress
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.DatagramChannel
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private const val MEMBERS = 5
private const val PER_SECOND = 100_000
private val PART = 30.seconds

/**
 * Do members on real sockets suspect each other while somebody who has no key sends 100,000 datagrams per second to one of
 * them? Five encrypted members on loopback that probe five times a second, 30 s in peace and 30 s under the flood.
 */
internal fun main(): Unit = runBlocking(Dispatchers.Default) {
    coroutineScope {
        val swim = SwimPolicy(probePeriod = 200.milliseconds, probeTimeout = 100.milliseconds)
        val first = open(swim, emptyList())
        val members = listOf(first) + List(MEMBERS - 1) { open(swim, listOf(first.identity.at.toString())) }
        members.forEach { member -> member.members.first { it.size == MEMBERS - 1 } }
        val downs = AtomicInteger()
        val suspicions = AtomicInteger()
        val watches = members.map { member ->
            launch {
                member.notices.collect {
                    if (it is GossipNotice.MemberDown) downs.incrementAndGet()
                    if (it is GossipNotice.MemberSuspected) suspicions.incrementAndGet()
                }
            }
        }
        println(
            "%-10s%16s%12s%12s%16s%16s%14s".format(
                "",
                "datagrams/s",
                "rejected",
                "probes",
                "probes failed",
                "suspicions",
                "declared dead",
            ),
        )
        for (flooded in listOf(false, true)) {
            val before = members.map { it.counters() }
            suspicions.set(0)
            downs.set(0)
            val flood = if (flooded) Flood(first.identity.at.port) else null
            delay(PART)
            val sent = flood?.stop() ?: 0
            val after = members.map { it.counters() }
            fun sum(value: (dev.carom.gossip.GossipCounters) -> Long) = after.sumOf(value) - before.sumOf(value)
            println(
                "%-10s%16d%12d%12d%16d%16d%14d".format(
                    if (flooded) "flooded" else "in peace",
                    sent / PART.inWholeSeconds,
                    sum { it.unopened },
                    sum { it.swim.probes },
                    sum { it.swim.probesFailed },
                    suspicions.get(),
                    downs.get(),
                ),
            )
        }
        members.forEach { it.close() }
        watches.forEach { it.join() }
    }
}

private suspend fun kotlinx.coroutines.CoroutineScope.open(swim: SwimPolicy, seeds: List<String>): Gossip<NodeId> {
    val security = GossipSecurity.encrypted(KeyRing(GossipKey(ByteArray(32) { 1 })), "flood")
    return openNetGossip(NetPolicy.loopback(*seeds.toTypedArray()), security, GossipPolicy(swim))
}

/** Random bytes of random length to a loopback port, as many per second as it can up to [PER_SECOND]. */
private class Flood(port: Int) {
    private val running = AtomicBoolean(true)
    private var sent = 0L
    private val sender = thread {
        val random = Random(1)
        val junk = ByteBuffer.wrap(random.nextBytes(1_400))
        DatagramChannel.open().connect(InetSocketAddress(InetAddress.getLoopbackAddress(), port)).use { channel ->
            val begin = System.nanoTime()
            while (running.get()) {
                val due = (System.nanoTime() - begin) * PER_SECOND / 1_000_000_000L
                while (sent < due && running.get()) {
                    junk.clear().limit(1 + random.nextInt(600))
                    channel.write(junk)
                    sent++
                }
                LockSupport.parkNanos(100_000)
            }
        }
    }

    fun stop(): Long {
        running.set(false)
        sender.join()
        return sent
    }
}
