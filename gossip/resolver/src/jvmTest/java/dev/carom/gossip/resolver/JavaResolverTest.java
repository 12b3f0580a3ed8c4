package dev.carom.gossip.resolver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.gossip.BlockingGossip;
import dev.carom.gossip.GossipException;
import dev.carom.gossip.GossipKey;
import dev.carom.gossip.GossipPolicy;
import dev.carom.gossip.GossipPolicyBuilder;
import dev.carom.gossip.KeyRing;
import dev.carom.gossip.NodeId;
import dev.carom.gossip.SwimPolicyBuilder;
import dev.carom.gossip.net.GossipSecurity;
import dev.carom.gossip.net.NetGossip;
import dev.carom.gossip.net.NetPolicyBuilder;
import dev.carom.pool.Backend;
import dev.carom.pool.BackendSnapshot;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolver;
import dev.carom.pool.Resolvers;
import dev.carom.pool.net.TcpConnection;
import dev.carom.pool.net.TcpConnector;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class JavaResolverTest {
    private static final GossipPolicy QUICK = new GossipPolicyBuilder()
            .swim(new SwimPolicyBuilder()
                    .probePeriod(Duration.ofMillis(200))
                    .probeTimeout(Duration.ofMillis(100))
                    .seedInterval(Duration.ofMillis(200))
                    .syncInterval(Duration.ofMillis(500))
                    .build())
            .leaveTimeout(Duration.ofSeconds(60))
            .build();

    private static BlockingGossip<NodeId> open() throws Exception {
        GossipSecurity security = GossipSecurity.encrypted(new KeyRing(new GossipKey(new byte[16])), "java");
        return NetGossip.open(new NetPolicyBuilder("127.0.0.1").port(0).build(), security, QUICK);
    }

    /** Returns those it has seen: a moment later they may be others. */
    private static List<Backend> awaitBackends(BlockingPool<TcpConnection> pool, int count) {
        while (true) {
            List<Backend> seen = pool.snapshot().getBackends().stream()
                    .filter(it -> !it.getRemoved() && it.getOnline()).map(BackendSnapshot::getBackend).toList();
            if (seen.size() == count) return seen;
            Thread.onSpinWait();
        }
    }

    @Test
    @DisplayName("a pool in Java over members in Java: seeds from a resolver, an offer, a drain, a leave")
    void wholeLife() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                BlockingGossip<NodeId> user = open();
                BlockingGossip<NodeId> member = open()) {
            Resolver found = Resolvers.fixedResolver(
                    new Backend("user", "127.0.0.1", user.identity().getAt().getPort()));
            member.follow(ResolverSeeds.of(found));
            BlockingOffering<NodeId> offering = BlockingOffering.of(member);
            offering.offer(List.of(
                    new OfferBuilder("web", server.getLocalPort()).zone("a").weight(3).tag("version", "2").build()));
            GossipResolver<NodeId> resolver = GossipResolverBuilder.nodes(user)
                    .role("web")
                    .zone("a")
                    .keepWhenAlone(Duration.ZERO)
                    .build();
            try (BlockingPool<TcpConnection> pool = BlockingPool.open(
                    "web", resolver, new TcpConnector(), new PoolPolicyBuilder().spares(1).maxSlots(2).build())) {
                Backend backend = awaitBackends(pool, 1).get(0);
                assertEquals(Map.of("role", "web", "zone", "a", "version", "2"), backend.getMetadata());
                assertEquals(3, backend.getWeight());
                CountDownLatch idle = new CountDownLatch(1);
                offering.drain();
                awaitBackends(pool, 0);
                idle.countDown();
                assertTrue(offering.leave(Duration.ofMillis(100), Duration.ofSeconds(30), () -> {
                    idle.await();
                    return null;
                }));
                assertFalse(member.isOpen());
                assertThrows(GossipException.Closed.class, () -> offering.offer(List.of()));
            }
        }
    }

    @Test
    @DisplayName("a mapping of one's own is a lambda, and the builder has the policy's bounds")
    void reader() throws Exception {
        try (BlockingGossip<NodeId> user = open()) {
            OfferReader<NodeId> reader = member -> List.of(
                    new OfferBuilder("all", 80).host(member.getId().getAt().toString()).build());
            GossipResolverBuilder<NodeId> builder = new GossipResolverBuilder<>(user, reader).suspectWeight(-1);
            IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, builder::build);
            assertTrue(refused.getMessage().contains("-1"));
            assertEquals(List.of(new OfferBuilder("a", 1).build()),
                    Offers.decode(Offers.encode(List.of(new OfferBuilder("a", 1).draining(false).build()))));
            assertTrue(builder.suspectWeight(10).build().toString().contains("keepWhenAlone=5m"));
        }
    }
}
