package dev.carom.gossip.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.gossip.BlockingGossip;
import dev.carom.gossip.GossipException;
import dev.carom.gossip.GossipKey;
import dev.carom.gossip.GossipNotice;
import dev.carom.gossip.GossipPolicy;
import dev.carom.gossip.GossipPolicyBuilder;
import dev.carom.gossip.KeyRing;
import dev.carom.gossip.NodeId;
import dev.carom.gossip.SwimPolicyBuilder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class JavaGossipTest {
    private static final GossipPolicy QUICK = new GossipPolicyBuilder()
            .swim(new SwimPolicyBuilder()
                    .probePeriod(Duration.ofMillis(500))
                    .probeTimeout(Duration.ofMillis(300))
                    .seedInterval(Duration.ofMillis(200))
                    .build())
            .joinTimeout(Duration.ofSeconds(60))
            .leaveTimeout(Duration.ofSeconds(60))
            .build();

    private static GossipSecurity secure() {
        return GossipSecurity.encrypted(new KeyRing(new GossipKey(new byte[16])), "java");
    }

    private static BlockingGossip<NodeId> open(String... seeds) throws Exception {
        NetPolicy net = new NetPolicyBuilder("127.0.0.1").port(0).seeds(seeds).build();
        return NetGossip.open(net, secure(), QUICK);
    }

    /** Completes with the first item that fits. */
    private static <T> CompletableFuture<T> first(Flow.Publisher<T> publisher, Predicate<? super T> fits) {
        CompletableFuture<T> found = new CompletableFuture<>();
        publisher.subscribe(new Flow.Subscriber<>() {
            private Flow.Subscription subscription;

            @Override
            public void onSubscribe(Flow.Subscription given) {
                subscription = given;
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(T item) {
                if (!fits.test(item)) return;
                found.complete(item);
                subscription.cancel();
            }

            @Override
            public void onError(Throwable failure) {
                found.completeExceptionally(failure);
            }

            @Override
            public void onComplete() {
                found.completeExceptionally(new AssertionError("it ended"));
            }
        });
        return found;
    }

    @Test
    void membersFindEachOtherAndOneLeaves() throws Exception {
        try (BlockingGossip<NodeId> one = open();
                BlockingGossip<NodeId> two = open(one.identity().getAt().toString())) {
            first(one.memberChanges(), members -> members.size() == 1).get(60, TimeUnit.SECONDS);
            two.join(List.of(one.identity()));
            two.updateMetadata(new byte[] {4, 2});
            first(one.memberChanges(), members -> members.size() == 1 && members.get(0).getMetadata().length == 2)
                    .get(60, TimeUnit.SECONDS);

            CompletableFuture<GossipNotice<NodeId>> left =
                    first(one.notices(), notice -> notice instanceof GossipNotice.MemberDown<NodeId> down && down.getLeft());
            assertTrue(two.futures().leave().get(60, TimeUnit.SECONDS));
            left.get(60, TimeUnit.SECONDS);
            assertEquals(List.of(), one.members());
            assertThrows(GossipException.Closed.class, () -> two.broadcast(new byte[] {1}));
            assertThrows(GossipException.Refused.class, () -> one.broadcast(new byte[0]));
            assertTrue(one.counters().getSwim().getPacketsReceived() > 0);
        }
    }

    @Test
    void anInterruptEndsTheWaiting() throws Exception {
        try (BlockingGossip<NodeId> lonely = open()) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> lonely.join(List.of()));
        }
    }
}
