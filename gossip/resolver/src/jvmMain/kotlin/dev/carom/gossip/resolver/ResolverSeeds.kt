@file:JvmName("ResolverSeeds")

package dev.carom.gossip.resolver

import dev.carom.gossip.NodeAddress
import dev.carom.gossip.NodeId
import dev.carom.gossip.SeedSource
import dev.carom.pool.Backend
import dev.carom.pool.Resolver
import kotlinx.coroutines.flow.map
import java.net.InetAddress

/**
 * What this resolver lists, as the permanent seeds of a member ([dev.carom.gossip.Gossip.follow]): the pool's DNS resolver
 * finds the cluster too, by SRV or by address, and finds it again when every address has changed.
 *
 * Hosts must be IP address literals, as DNS resolvers list them: names are their business. A backend with a name fails
 * the source, which is told ([dev.carom.gossip.GossipNotice.SeedsFailed]).
 *
 * @param port the port of all seeds, 1..65535; 0: the one each backend has.
 */
@JvmOverloads
@JvmName("of")
public fun Resolver.asSeeds(port: Int = 0): SeedSource<NodeId> {
    require(port in 0..Offer.MOST) { "port must be in 0..65535, was $port" }
    return SeedSource { backends().map { set -> set.map { seed(it, port) } } }
}

private fun seed(backend: Backend, port: Int): NodeId {
    val host = backend.host
    // Otherwise the system would be asked for a name, which blocks.
    require(':' in host || host.all { it.isDigit() || it == '.' }) {
        "a seed's host must be an IP address, was \"$host\" of backend ${backend.name}"
    }
    return NodeId(NodeAddress(InetAddress.getByName(host).address, if (port == 0) backend.port else port), 0)
}
