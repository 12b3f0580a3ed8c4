package dev.carom.gossip.net;

import dev.carom.gossip.BlockingGossip;
import dev.carom.gossip.BroadcastHandler;
import dev.carom.gossip.GossipPolicy;
import dev.carom.gossip.NodeId;
import dev.carom.gossip.net.internal.JavaOpening;
import org.jspecify.annotations.Nullable;

/** Opens members on the network for Java callers. */
public final class NetGossip {
    private NetGossip() {}

    /**
     * Starts a member that runs until it leaves or is closed. Returns when its port is bound; the seeds of {@code net} are
     * looked up and knocked at from then on.
     *
     * @param net where it is reached, and whom it knocks at
     * @param security the keys, or, said aloud, {@link GossipSecurity#insecure()}
     * @param policy the numbers
     * @throws TransportException if the port cannot be bound, or a name has no address
     * @throws InterruptedException if the thread was interrupted while it waited; nothing stays open
     */
    public static BlockingGossip<NodeId> open(NetPolicy net, GossipSecurity security, GossipPolicy policy)
            throws TransportException, InterruptedException {
        return open(net, security, policy, null);
    }

    /** {@link #open(NetPolicy, GossipSecurity, GossipPolicy)} with a handler of broadcasts, which must not block. */
    public static BlockingGossip<NodeId> open(
            NetPolicy net, GossipSecurity security, GossipPolicy policy, @Nullable BroadcastHandler<NodeId> handler)
            throws TransportException, InterruptedException {
        return BlockingGossip.of(JavaOpening.open(net, security, policy, handler));
    }
}
