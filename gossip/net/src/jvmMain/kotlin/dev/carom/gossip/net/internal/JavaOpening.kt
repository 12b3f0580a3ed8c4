@file:JvmName("JavaOpening")

package dev.carom.gossip.net.internal

import dev.carom.gossip.BroadcastHandler
import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.NodeId
import dev.carom.gossip.net.GossipSecurity
import dev.carom.gossip.net.NetPolicy
import dev.carom.gossip.net.TransportException
import dev.carom.gossip.net.openNetGossip
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.runBlocking
import java.time.Duration
import kotlin.time.toKotlinDuration

/** Opens in a scope of its own, which ends with the member. */
@Throws(TransportException::class, InterruptedException::class)
internal fun open(
    net: NetPolicy,
    security: GossipSecurity,
    policy: GossipPolicy,
    handler: BroadcastHandler<NodeId>?,
): Gossip<NodeId> {
    val owner = SupervisorJob()
    val scope = CoroutineScope(Dispatchers.Default + owner)
    var opened = false
    try {
        return runBlocking { scope.openNetGossip(net, security, policy, handler) }.also { opened = true }
    } finally {
        if (opened) owner.complete() else owner.cancel()
    }
}

internal fun build(
    host: String,
    port: Int,
    advertiseHost: String?,
    advertisePort: Int,
    seeds: List<String>,
    lookupInterval: Duration,
    maxStreams: Int,
    streamTimeout: Duration,
    receiveBuffer: Int,
    allow: List<String>,
): NetPolicy = NetPolicy(
    host,
    port,
    advertiseHost,
    advertisePort,
    seeds,
    lookupInterval.toKotlinDuration(),
    maxStreams,
    streamTimeout.toKotlinDuration(),
    receiveBuffer,
    allow,
)
