package dev.carom.gossip;

import dev.carom.gossip.internal.JavaCalls;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Gossip} for callers who wait by {@link CompletableFuture}. No method blocks. Cancelling a future ends the
 * waiting; failures arrive as they are. Futures are completed on a shared thread, as are the stages that depend on them:
 * these must not block.
 *
 * @param <I> who members are
 */
public final class GossipFutures<I extends Identity<I>> {
    private final Gossip<I> gossip;

    private GossipFutures(Gossip<I> gossip) {
        this.gossip = gossip;
    }

    /** Another view of {@code gossip}. */
    public static <I extends Identity<I>> GossipFutures<I> of(Gossip<I> gossip) {
        return new GossipFutures<>(gossip);
    }

    /** The member behind this view; what never waits is there. */
    public Gossip<I> gossip() {
        return gossip;
    }

    /** {@link BlockingGossip#join}. */
    public CompletableFuture<@Nullable Void> join(List<? extends I> seeds) {
        List<I> copy = List.copyOf(seeds);
        return JavaCalls.startWaiting(k -> gossip.join(copy, k));
    }

    /** {@link BlockingGossip#leave}. Cancelling the future does not stop the leaving. */
    public CompletableFuture<Boolean> leave() {
        return JavaCalls.start(k -> gossip.leave(k));
    }

    /** {@link BlockingGossip#broadcast}. */
    public CompletableFuture<@Nullable Void> broadcast(byte[] item) {
        return JavaCalls.startWaiting(k -> gossip.broadcast(item, k));
    }

    /** {@link BlockingGossip#updateMetadata}. */
    public CompletableFuture<@Nullable Void> updateMetadata(byte[] metadata) {
        return JavaCalls.startWaiting(k -> gossip.updateMetadata(metadata, k));
    }

    /** {@link BlockingGossip#changePolicy}. */
    public CompletableFuture<@Nullable Void> changePolicy(SwimPolicy policy) {
        return JavaCalls.startWaiting(k -> gossip.changePolicy(policy, k));
    }

    /** {@link BlockingGossip#counters}. */
    public CompletableFuture<GossipCounters> counters() {
        return JavaCalls.start(k -> gossip.counters(k));
    }

    /** {@link BlockingGossip#awaitClosed}. */
    public CompletableFuture<@Nullable Void> awaitClosed() {
        return JavaCalls.startWaiting(k -> gossip.awaitClosed(k));
    }

    /** {@link BlockingGossip#close}. */
    public CompletableFuture<@Nullable Void> close() {
        return JavaCalls.startWaiting(k -> gossip.close(k));
    }

    /** {@code GossipFutures} and who it is. */
    @Override
    public String toString() {
        return "GossipFutures(" + gossip.getIdentity() + ")";
    }
}
