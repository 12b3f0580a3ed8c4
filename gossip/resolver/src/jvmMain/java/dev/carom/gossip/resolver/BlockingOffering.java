package dev.carom.gossip.resolver;

import dev.carom.gossip.BlockingGossip;
import dev.carom.gossip.Identity;
import dev.carom.gossip.resolver.internal.JavaOfferings;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import kotlin.Unit;

/** What this member offers to the pools of others: {@link Offering} for callers who block. Thread-safe. */
public final class BlockingOffering<I extends Identity<I>> {
    private final Offering<I> offering;

    private BlockingOffering(Offering<I> offering) {
        this.offering = offering;
    }

    /** What {@code gossip} offers: nothing yet. It uses the whole of the member's metadata. */
    public static <I extends Identity<I>> BlockingOffering<I> of(BlockingGossip<I> gossip) {
        return new BlockingOffering<>(new Offering<>(gossip.gossip()));
    }

    /** The offering behind this view, for Kotlin. */
    public Offering<I> offering() {
        return offering;
    }

    /** The member that offers. */
    public BlockingGossip<I> member() {
        return BlockingGossip.of(offering.getMember());
    }

    /**
     * Offers {@code offers} from now on, the whole set. Returns when that is queued.
     *
     * @throws IllegalArgumentException if they do not fit in a member's metadata
     * @throws dev.carom.gossip.GossipException if the member is closed
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void offer(List<Offer> offers) throws InterruptedException {
        JavaOfferings.<Unit>call(k -> offering.offer(offers, k));
    }

    /**
     * Says of every offer that it drains: pools take nothing new from it. Returns when that is queued.
     *
     * @throws dev.carom.gossip.GossipException if the member is closed
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void drain() throws InterruptedException {
        JavaOfferings.<Unit>call(k -> offering.drain(k));
    }

    /**
     * Drains, lets the news travel for {@code notice}, waits {@code grace} at most for {@code idle} to return, and leaves,
     * which closes the member.
     *
     * @param idle returns when nothing is under way any more; interrupted when its time is over. What it throws is thrown,
     *     and the member has not left
     * @return whether {@code idle} returned in time and the others were told as often as they should be
     * @throws IllegalArgumentException if a duration is negative
     * @throws dev.carom.gossip.GossipException if the member is closed
     * @throws InterruptedException if the thread was interrupted while it waited; the member drains and has not left
     */
    public boolean leave(Duration notice, Duration grace, Callable<?> idle) throws InterruptedException {
        return JavaOfferings.leave(offering, notice, grace, idle);
    }

    /** {@code BlockingOffering} and whose. */
    @Override
    public String toString() {
        return "Blocking" + offering;
    }
}
