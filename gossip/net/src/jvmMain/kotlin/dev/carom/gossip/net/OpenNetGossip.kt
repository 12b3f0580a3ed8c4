@file:JvmName("NetGossips")

package dev.carom.gossip.net

import dev.carom.gossip.BroadcastHandler
import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.NativeCodec
import dev.carom.gossip.NodeId
import dev.carom.gossip.NodeIdCodec
import dev.carom.gossip.net.internal.Lookups
import dev.carom.gossip.openGossip
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * Starts a member on the network in this scope, which it is a child of. Returns when its port is bound; the seeds of
 * [net] are looked up and knocked at from then on, for ever: wait for others with [Gossip.members]. ([Gossip.join]
 * with other seeds takes the place of these until a lookup brings something new.)
 *
 * @param net where it is reached, and whom it knocks at.
 * @param security the keys: [GossipSecurity.encrypted], or, said aloud, [GossipSecurity.insecure].
 * @param policy the numbers.
 * @param handler takes broadcasts of the application; must not block. Null: none.
 * @throws TransportException if the port cannot be bound, or a name of [net] has no address.
 */
public suspend fun CoroutineScope.openNetGossip(
    net: NetPolicy,
    security: GossipSecurity,
    policy: GossipPolicy = GossipPolicy(),
    handler: BroadcastHandler<NodeId>? = null,
): Gossip<NodeId> {
    val lookups = Lookups()
    val envelope = security.take()
    val transport = NetTransport.open(net, lookups)
    var gossip: Gossip<NodeId>? = null
    try {
        val self = NodeId(transport.address, System.currentTimeMillis() / MILLIS)
        gossip = openGossip(self, transport, envelope, NativeCodec(NodeIdCodec()), policy, handler)
    } finally {
        if (gossip == null) withContext(NonCancellable) { transport.close() }
    }
    if (net.seeds.isNotEmpty()) follow(gossip, lookups, net)
    return gossip
}

/** Keeps the seeds of [gossip] what their names stand for, until it is closed. */
private fun CoroutineScope.follow(gossip: Gossip<NodeId>, lookups: Lookups, net: NetPolicy) {
    val names = net.seeds.map(SeedName::parse)
    launch(CoroutineName("seeds of ${gossip.identity}")) {
        val lookup = launch {
            var last = emptyList<NodeId>()
            while (true) {
                val seeds = lookups.seeds(names)
                if (seeds != last) gossip.seeds(seeds)
                last = seeds
                delay(net.lookupInterval)
            }
        }
        gossip.awaitClosed()
        lookup.cancel()
    }
}

private const val MILLIS = 1_000L
