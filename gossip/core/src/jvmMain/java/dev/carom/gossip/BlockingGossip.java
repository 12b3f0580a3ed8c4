package dev.carom.gossip;

import dev.carom.gossip.internal.FlowPublisher;
import dev.carom.gossip.internal.JavaCalls;
import java.util.List;
import java.util.concurrent.Flow.Publisher;
import kotlin.Unit;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Gossip} for threads that may block, virtual threads included. All methods may be called from any thread. What
 * waits can be interrupted. Signals of publishers must not block.
 *
 * @param <I> who members are
 */
public final class BlockingGossip<I extends Identity<I>> implements AutoCloseable {
    private final Gossip<I> gossip;
    private final GossipFutures<I> futures;

    private BlockingGossip(Gossip<I> gossip) {
        this.gossip = gossip;
        this.futures = GossipFutures.of(gossip);
    }

    /**
     * Starts a member that runs until it leaves or is closed. Returns at once.
     *
     * @param identity who it is; its address must be where {@code transport} is reached
     * @param transport how others are reached; closed with the member
     * @param envelope what seals every packet and stream; it serves this member alone
     * @param codec how packets are written
     * @param policy the numbers
     */
    public static <I extends Identity<I>> BlockingGossip<I> open(
            I identity, Transport<I> transport, Envelope envelope, MemberCodec<I> codec, GossipPolicy policy) {
        return JavaCalls.inOwnScope(
                scope -> of(Gossips.openGossip(scope, identity, transport, envelope, codec, policy, null, null)));
    }

    /**
     * {@link #open(Identity, Transport, Envelope, MemberCodec, GossipPolicy)} with what the application decides.
     *
     * @param handler takes broadcasts; must not block. Null: none
     * @param admission who may be a member; must not block. Null: everybody
     */
    public static <I extends Identity<I>> BlockingGossip<I> open(
            I identity,
            Transport<I> transport,
            Envelope envelope,
            MemberCodec<I> codec,
            GossipPolicy policy,
            @Nullable BroadcastHandler<I> handler,
            @Nullable Admission<I> admission) {
        return JavaCalls.inOwnScope(
                scope -> of(Gossips.openGossip(scope, identity, transport, envelope, codec, policy, handler, admission)));
    }

    /** Another view of {@code gossip}. Closing it closes {@code gossip}. */
    public static <I extends Identity<I>> BlockingGossip<I> of(Gossip<I> gossip) {
        return new BlockingGossip<>(gossip);
    }

    /** The member behind this view, for Kotlin and for other facades. */
    public Gossip<I> gossip() {
        return gossip;
    }

    /** The same member for callers who do not block. */
    public GossipFutures<I> futures() {
        return futures;
    }

    /** Who this member is now. */
    public I identity() {
        return gossip.getIdentity();
    }

    /** Whether this member runs: false as soon as it leaves or is closed, and for ever then. */
    public boolean isOpen() {
        return gossip.isOpen();
    }

    /** The active members now, this one not among them; in no order. */
    public List<Member<I>> members() {
        return gossip.getMembers().getValue();
    }

    /** The members now and after each change; conflated. Never completes by itself: cancel it. */
    public Publisher<List<Member<I>>> memberChanges() {
        return new FlowPublisher<>(gossip.getMembers());
    }

    /**
     * What happens from the subscription on, in order, until this member is closed. A subscriber that falls behind loses
     * the oldest and is told how many ({@link GossipNotice.Missed}).
     */
    public Publisher<GossipNotice<I>> notices() {
        return new FlowPublisher<>(gossip.getNotices());
    }

    /**
     * Sets the permanent seeds and waits until at least one member is active.
     *
     * @throws GossipException if none answered in time, or this is closed; the seeds stay
     * @throws InterruptedException if the thread was interrupted while it waited; the seeds stay
     */
    public void join(List<? extends I> seeds) throws InterruptedException {
        List<I> copy = List.copyOf(seeds);
        JavaCalls.<Unit>call(k -> gossip.join(copy, k));
    }

    /** Sets the permanent seeds, and waits for nobody. */
    public void seeds(List<? extends I> seeds) {
        gossip.seeds(List.copyOf(seeds));
    }

    /**
     * Sets the permanent seeds to what {@code source} says, now and after each change, until this member is closed. Returns
     * at once; a second call takes the place of the first. A source that fails is asked again, and this is told. See
     * {@link BlockingSeeds}.
     */
    public void follow(SeedSource<I> source) {
        gossip.follow(source);
    }

    /**
     * Tells the others that this member leaves, then closes.
     *
     * @return whether the news was sent as often as the policy asks, before the time was over
     * @throws InterruptedException if the thread was interrupted while it waited; the leaving goes on
     */
    public boolean leave() throws InterruptedException {
        return JavaCalls.<Boolean>call(k -> gossip.leave(k));
    }

    /**
     * Queues {@code item} for all members.
     *
     * @throws GossipException if it is refused, or this is closed
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void broadcast(byte[] item) throws InterruptedException {
        JavaCalls.<Unit>call(k -> gossip.broadcast(item, k));
    }

    /**
     * Sets what this member says about itself, at most {@link SwimPolicy#MAX_METADATA} bytes.
     *
     * @throws GossipException if it is refused, or this is closed
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void updateMetadata(byte[] metadata) throws InterruptedException {
        JavaCalls.<Unit>call(k -> gossip.updateMetadata(metadata, k));
    }

    /**
     * Changes the protocol's numbers while it runs.
     *
     * @throws GossipException if it is refused, or this is closed
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void changePolicy(SwimPolicy policy) throws InterruptedException {
        JavaCalls.<Unit>call(k -> gossip.changePolicy(policy, k));
    }

    /**
     * What happened so far, counted.
     *
     * @throws GossipException if this is closed
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public GossipCounters counters() throws InterruptedException {
        return JavaCalls.call(k -> gossip.counters(k));
    }

    /**
     * Returns when this member is closed, by whatever.
     *
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void awaitClosed() throws InterruptedException {
        JavaCalls.<Unit>call(k -> gossip.awaitClosed(k));
    }

    /**
     * Closes without a word to the others, and waits for the end; to say goodbye, {@link #leave()}. An interrupt ends the
     * waiting, not the closing, and the thread is still interrupted.
     */
    @Override
    public void close() {
        try {
            JavaCalls.<Unit>call(k -> gossip.close(k));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** {@code BlockingGossip} and who it is. */
    @Override
    public String toString() {
        return "BlockingGossip(" + identity() + ")";
    }
}
