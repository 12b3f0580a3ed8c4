package dev.carom.pool;

import dev.carom.pool.internal.FlowPublisher;
import dev.carom.pool.internal.JavaCalls;
import dev.carom.pool.internal.JavaSets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Flow.Publisher;
import org.jspecify.annotations.Nullable;

/**
 * A {@link ConnectionSet} for threads that may block, virtual threads included: at most one live connection to each
 * backend, shared by all users. All methods may be called from any thread. What waits can be interrupted; an interrupted
 * call takes nothing. Signals of publishers must not block.
 *
 * @param <C> the connection
 */
public final class BlockingConnectionSet<C> implements AutoCloseable {
    private final ConnectionSet<C> set;
    private final ConnectionSetFutures<C> futures;

    private BlockingConnectionSet(ConnectionSet<C> set) {
        this.set = set;
        this.futures = ConnectionSetFutures.of(set);
    }

    /**
     * Opens a set that lives until it is closed. Returns at once: connecting happens elsewhere.
     *
     * @param name for messages and notices
     * @param resolver which backends there are; one that blocks: {@link BlockingResolver#every}
     * @param connector how to open, check and close connections
     * @param policy the numbers
     */
    public static <C> BlockingConnectionSet<C> open(
            String name, Resolver resolver, Connector<C> connector, SetPolicy policy) {
        return JavaCalls.inOwnScope(
                scope -> of(ConnectionSets.openConnectionSet(scope, name, resolver, connector, policy)));
    }

    /** Opens a set whose connector blocks: {@link BlockingConnector#toConnector}. */
    public static <C> BlockingConnectionSet<C> open(
            String name, Resolver resolver, BlockingConnector<C> connector, SetPolicy policy) {
        return open(name, resolver, connector.toConnector(), policy);
    }

    /** Another view of {@code set}. Closing it closes {@code set}. */
    public static <C> BlockingConnectionSet<C> of(ConnectionSet<C> set) {
        return new BlockingConnectionSet<>(set);
    }

    /** The set behind this view, for Kotlin and for other facades. */
    public ConnectionSet<C> set() {
        return set;
    }

    /** The same set for callers who do not block. */
    public ConnectionSetFutures<C> futures() {
        return futures;
    }

    /** The name given at opening; appears in messages and notices. */
    public String name() {
        return set.getName();
    }

    /** The policy given at opening; {@link SetPolicyBuilder#from} reads its durations. */
    public SetPolicy policy() {
        return set.getPolicy();
    }

    /** The connections in the set now, the oldest first. */
    public List<SetConnection<C>> connections() {
        return set.getConnections().getValue();
    }

    /**
     * What comes and goes, beginning with the connections there are, until the set has closed. For every
     * {@link SetChange.Added} a subscriber sees exactly one {@link SetChange.Removed}, however slow it asks; a connection
     * that came and went meanwhile is not told at all.
     */
    public Publisher<SetChange<C>> changes() {
        return new FlowPublisher<>(set.getChanges());
    }

    /** Each backend's state, now. */
    public SetSnapshot snapshot() {
        return set.getSnapshot().getValue();
    }

    /** The snapshot now and after each change, until the set has closed; conflated. */
    public Publisher<SetSnapshot> snapshots() {
        return new FlowPublisher<>(JavaSets.setUntilClosed(set.getSnapshot()));
    }

    /**
     * What happens from the subscription on, in order, until the set has closed. A subscriber that falls
     * {@link SetPolicyBuilder#noticeBuffer()} behind loses the oldest and is told how many ({@link SetNotice.Missed}).
     */
    public Publisher<SetNotice> notices() {
        return new FlowPublisher<>(set.getNotices());
    }

    /**
     * Leases a connection, waiting up to {@link SetPolicyBuilder#leaseTimeout()}.
     *
     * @throws PoolException if there was none in time; the subclass says why
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    public SetLease<C> lease() throws InterruptedException {
        if (Thread.interrupted()) throw new InterruptedException();
        SetLease<C> ready = set.tryLease();
        return ready != null ? ready : JavaSets.share(k -> set.lease(k));
    }

    /**
     * Leases a connection, or null if there is none now. Never waits.
     *
     * @throws PoolException.Closed if the set is closed
     */
    public @Nullable SetLease<C> tryLease() {
        return set.tryLease();
    }

    /**
     * Leases a connection, works with it and ends the lease, whatever happens. A connection whose work threw stays in the
     * set: {@link SetConnection#fail} it if the failure says it is broken.
     *
     * @return what {@code work} returned
     * @throws X whatever {@code work} throws
     * @throws PoolException if there was no connection in time
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    public <R extends @Nullable Object, X extends Exception> R use(BlockingPool.Work<? super C, ? extends R, X> work)
            throws X, InterruptedException {
        try (SetLease<C> lease = lease()) {
            return work.on(lease.getConnection());
        }
    }

    /**
     * {@link #awaitReady(int)} for one connection.
     *
     * @throws PoolException if it was not there in time
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void awaitReady() throws InterruptedException {
        awaitReady(1);
    }

    /**
     * Waits until {@code connections} connections are in the set. Bounded by {@link SetPolicyBuilder#leaseTimeout()}.
     *
     * @param connections 1..{@link SetPolicyBuilder#target()}
     * @throws PoolException if that many were not there in time; the message has each backend's last error
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void awaitReady(int connections) throws InterruptedException {
        JavaCalls.call(k -> set.awaitReady(connections, k));
    }

    /**
     * Waits until {@code connection} leaves its set: time to finish and to end leases of it.
     *
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public static void awaitRemoved(SetConnection<?> connection) throws InterruptedException {
        JavaCalls.call(k -> connection.awaitRemoved(k));
    }

    /**
     * Closes the set with a grace of {@link SetPolicyBuilder#drainTimeout()}, at most 10 s, and waits for the end. An
     * interrupt ends the waiting, not the closing: this returns at once, and the thread is still interrupted.
     */
    @Override
    public void close() {
        try {
            JavaCalls.call(k -> set.close(k));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Closes the set: no more leases; each connection is closed when its last lease ends or {@code grace} has passed.
     * Returns within the grace plus {@link SetPolicyBuilder#closeTimeout()}. Calling again joins the same closing and can
     * only shorten it.
     *
     * @param grace not negative; counted in whole milliseconds
     * @throws InterruptedException if the thread was interrupted while it waited; the closing goes on
     */
    public CloseReport close(Duration grace) throws InterruptedException {
        long millis = JavaCalls.graceMillis(grace);
        return JavaCalls.call(k -> set.close(millis, k));
    }

    /** {@code BlockingConnectionSet} and the set's name. */
    @Override
    public String toString() {
        return "BlockingConnectionSet(" + name() + ")";
    }
}
