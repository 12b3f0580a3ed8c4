package dev.carom.samples.cluster;

import dev.carom.gossip.BlockingGossip;
import dev.carom.gossip.NodeId;
import dev.carom.gossip.resolver.GossipResolverBuilder;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.net.TcpConnection;
import dev.carom.pool.net.TcpConnector;

/** What the README shows, compiled. */
public final class SnippetsJava {
    private SnippetsJava() {}

    // snippet: java-gossip
    static BlockingPool<TcpConnection> openWeb(BlockingGossip<NodeId> gossip) {
        var resolver = GossipResolverBuilder.nodes(gossip).role("web").build();
        return BlockingPool.open("web", resolver, new TcpConnector(), new PoolPolicyBuilder().maxSlots(8).build());
    }
    // end
}
