@file:JvmName("NetGossips")

package dev.carom.gossip.net

import dev.carom.gossip.BroadcastHandler
import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.NativeCodec
import dev.carom.gossip.NodeId
import dev.carom.gossip.NodeIdCodec
import dev.carom.gossip.SeedSource
import dev.carom.gossip.net.internal.Lookups
import dev.carom.gossip.openGossip
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
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
        val codec = NativeCodec(NodeIdCodec())
        gossip = openGossip(self, transport, envelope, codec, policy, handler, net.allowed.admission)
    } finally {
        if (gossip == null) withContext(NonCancellable) { transport.close() }
    }
    if (net.seeds.isNotEmpty()) gossip.follow(lookups.source(net))
    return gossip
}

/** What the names of [net] stand for, looked up again and again. */
private fun Lookups.source(net: NetPolicy): SeedSource<NodeId> {
    val names = net.seeds.map(SeedName::parse)
    return SeedSource {
        flow {
            while (true) {
                emit(seeds(names))
                delay(net.lookupInterval)
            }
        }.distinctUntilChanged()
    }
}

private const val MILLIS = 1_000L
