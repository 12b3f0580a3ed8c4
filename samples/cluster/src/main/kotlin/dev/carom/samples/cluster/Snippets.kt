package dev.carom.samples.cluster

import dev.carom.gossip.Gossip
import dev.carom.gossip.GossipKey
import dev.carom.gossip.KeyRing
import dev.carom.gossip.NodeId
import dev.carom.gossip.net.GossipSecurity
import dev.carom.gossip.net.NetPolicy
import dev.carom.gossip.net.openNetGossip
import dev.carom.gossip.resolver.Offer
import dev.carom.gossip.resolver.Offering
import dev.carom.gossip.resolver.resolver
import dev.carom.pool.Pool
import dev.carom.pool.net.TcpConnection
import dev.carom.pool.net.TcpConnector
import dev.carom.pool.openPool
import kotlinx.coroutines.CoroutineScope

/** What the README shows, compiled. */
class Snippets(private val webPort: Int) {
    // snippet: kotlin-gossip
    /** For example `NetPolicy("10.0.0.7", port = 7946, seeds = listOf("seeds.shop.test"))`. */
    suspend fun CoroutineScope.join(net: NetPolicy, key: GossipKey): Gossip<NodeId> {
        val gossip = openNetGossip(net, GossipSecurity.encrypted(KeyRing(key), "shop"))
        Offering(gossip).offer(listOf(Offer("web", webPort))) // travels with the membership
        return gossip
    }

    /** Whoever offers `web` is a backend, for as long as it is alive and does not drain. */
    fun CoroutineScope.openWeb(gossip: Gossip<NodeId>): Pool<TcpConnection> =
        openPool("web", gossip.resolver("web"), TcpConnector())
    // end
}
