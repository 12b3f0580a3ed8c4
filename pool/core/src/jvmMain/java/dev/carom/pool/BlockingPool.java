package dev.carom.pool;

import dev.carom.pool.internal.FlowPublisher;
import dev.carom.pool.internal.FlowPublisherKt;
import dev.carom.pool.internal.JavaCalls;
import java.time.Duration;
import java.util.concurrent.Flow.Publisher;
import kotlin.random.Random;
import kotlin.time.TimeSource;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Pool} for threads that may block, virtual threads included. All methods may be called from any thread.
 *
 * <p><b>Order and fairness</b> are the pool's: first come, first served, whether callers block, suspend or hold a
 * future.
 *
 * <p><b>Interruption.</b> What waits can be interrupted; an interrupted claim gives its place in the queue back, and a
 * connection that was granted at that very moment too. A call by a thread that is already interrupted takes nothing.
 *
 * @param <C> the connection
 */
public final class BlockingPool<C> implements AutoCloseable {
    private final Pool<C> pool;
    private final PoolFutures<C> futures;

    private BlockingPool(Pool<C> pool) {
        this.pool = pool;
        this.futures = PoolFutures.of(pool);
    }

    /**
     * Opens a pool that lives until it is closed. Returns at once: connecting happens elsewhere.
     *
     * @param name for messages and notices
     * @param resolver which backends there are
     * @param connector how to open, check and close connections
     * @param policy the numbers
     */
    public static <C> BlockingPool<C> open(
            String name, Resolver resolver, Connector<C> connector, PoolPolicy policy) {
        return JavaCalls.inOwnScope(scope -> of(OpenPoolKt.openPool(scope, name, resolver, connector, policy)));
    }

    /**
     * Opens a pool that records all it decides by, for {@link PoolReplays#replayPool(Iterable)}.
     *
     * @param recording gets one line for the pool and one for each event, and must not block for long
     */
    public static <C> BlockingPool<C> open(
            String name, Resolver resolver, Connector<C> connector, PoolPolicy policy, PoolRecording recording) {
        return JavaCalls.inOwnScope(scope -> of(OpenPoolKt.openPool(
                scope,
                name,
                resolver,
                connector,
                policy,
                recording,
                TimeSource.Monotonic.INSTANCE,
                Random.Default)));
    }

    /** Opens a pool whose connector blocks: {@link BlockingConnector#toConnector}. */
    public static <C> BlockingPool<C> open(
            String name, Resolver resolver, BlockingConnector<C> connector, PoolPolicy policy) {
        return open(name, resolver, connector.toConnector(), policy);
    }

    /** Opens a pool whose resolver blocks and is asked every {@code interval}: {@link BlockingResolver#every}. */
    public static <C> BlockingPool<C> open(
            String name, BlockingResolver resolver, Duration interval, Connector<C> connector, PoolPolicy policy) {
        return open(name, resolver.every(interval), connector, policy);
    }

    /** Opens a pool whose resolver and connector block; the resolver is asked every {@code interval}. */
    public static <C> BlockingPool<C> open(
            String name,
            BlockingResolver resolver,
            Duration interval,
            BlockingConnector<C> connector,
            PoolPolicy policy) {
        return open(name, resolver.every(interval), connector.toConnector(), policy);
    }

    /** Another view of {@code pool}. Closing it closes {@code pool}. */
    public static <C> BlockingPool<C> of(Pool<C> pool) {
        return new BlockingPool<>(pool);
    }

    /** The pool behind this view, for Kotlin and for other facades. */
    public Pool<C> pool() {
        return pool;
    }

    /** The same pool for callers who do not block. */
    public PoolFutures<C> futures() {
        return futures;
    }

    /** The name given at opening; appears in messages and notices. */
    public String name() {
        return pool.getName();
    }

    /** The policy given at opening; {@link PoolPolicyBuilder#from} reads its durations. */
    public PoolPolicy policy() {
        return pool.getPolicy();
    }

    /** Counts of everything, now; to about 50 ms while claims go on. */
    public PoolSnapshot snapshot() {
        return pool.getSnapshot().getValue();
    }

    /**
     * The snapshot now and after each change, until the pool has closed. Conflated: who asks slowly misses values
     * between, never the last. Signals come on the subscribing thread at first, then on a shared thread:
     * they must not block.
     */
    public Publisher<PoolSnapshot> snapshots() {
        return new FlowPublisher<>(FlowPublisherKt.untilClosed(pool.getSnapshot()));
    }

    /**
     * What happens from the subscription on, in order, until the pool has closed. A subscriber that falls
     * {@link PoolPolicyBuilder#noticeBuffer()} behind loses the oldest and is told how many
     * ({@link PoolNotice.Missed}). Signals come on a shared thread: they must not block.
     */
    public Publisher<PoolNotice> notices() {
        return new FlowPublisher<>(pool.getNotices());
    }

    /**
     * {@link #claim(String)} by this thread's name.
     *
     * @throws PoolException if it ends without a connection; the subclass says why
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    public Claim<C> claim() throws InterruptedException {
        return claim((String) null);
    }

    /**
     * Borrows a connection, waiting up to {@link PoolPolicyBuilder#claimTimeout()} in all. A ready connection that
     * needs no preparation is lent at once.
     *
     * @param holder who claims, for reports; if null, this thread's name
     * @throws PoolException if it ends without a connection; the subclass says why
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    public Claim<C> claim(@Nullable String holder) throws InterruptedException {
        return JavaCalls.claimFor(pool, holder, null);
    }

    /**
     * {@link #claim()} with options: another deadline, a role, certain backends, the reserved lane.
     *
     * @param options see {@link ClaimOptionsBuilder}
     * @throws PoolException if it ends without a connection; the subclass says why
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    public Claim<C> claim(ClaimOptions options) throws InterruptedException {
        return JavaCalls.claimFor(pool, null, options);
    }

    /**
     * {@link #tryClaim(String)} by this thread's name.
     *
     * @throws PoolException.Closed if the pool is closed
     */
    public @Nullable Claim<C> tryClaim() {
        return tryClaim(null);
    }

    /**
     * Borrows a connection if one is ready and nobody waits; else null. Never waits. Always null if the connector has
     * an {@code onAcquire}: a connection that must be prepared is not ready.
     *
     * @param holder who claims, for reports; if null, this thread's name
     * @throws PoolException.Closed if the pool is closed
     */
    public @Nullable Claim<C> tryClaim(@Nullable String holder) {
        return pool.tryClaim(JavaCalls.holderOrThread(holder));
    }

    /**
     * Claims a connection, works with it and gives it back, whatever happens: also when {@code work} throws. If a
     * failure says that the connection is broken, use {@link #claim()} and {@link Claim#discard()} instead.
     *
     * @return what {@code work} returned
     * @throws X whatever {@code work} throws
     * @throws PoolException if no connection could be had
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    public <R extends @Nullable Object, X extends Exception> R use(Work<? super C, ? extends R, X> work)
            throws X, InterruptedException {
        try (Claim<C> claim = claim()) {
            return work.on(claim.getConnection());
        }
    }

    /**
     * {@link #use} for work without a result.
     *
     * @throws X whatever {@code task} throws
     * @throws PoolException if no connection could be had
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    public <X extends Exception> void run(Task<? super C, X> task) throws X, InterruptedException {
        try (Claim<C> claim = claim()) {
            task.on(claim.getConnection());
        }
    }

    /**
     * {@link #awaitReady(int)} for one connection.
     *
     * @throws PoolException if it was not there in time; the message has each backend's last error
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void awaitReady() throws InterruptedException {
        awaitReady(1);
    }

    /**
     * Waits until {@code connections} connections are open and checked, on loan or not, and opens them now rather
     * than on demand. Bounded by {@link PoolPolicyBuilder#claimTimeout()}.
     *
     * @param connections 1..{@link PoolPolicyBuilder#maxSlots()}
     * @throws PoolException if that many were not there in time; the message has each backend's last error
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void awaitReady(int connections) throws InterruptedException {
        JavaCalls.call(k -> pool.awaitReady(connections, k));
    }

    /** Whether the pool is alive, and whether its service can be used, now. Never waits. */
    public HealthStatus health() {
        return pool.health();
    }

    /**
     * Why a claim would be served, or not, now.
     *
     * @throws InterruptedException if the thread was interrupted while it waited for the answer, which takes microseconds
     */
    public Explanation explain() throws InterruptedException {
        return JavaCalls.call(k -> pool.explain(k));
    }

    /**
     * {@link #explain()}, seen from a claim in hand: the first holder is this claim's.
     *
     * @throws InterruptedException if the thread was interrupted while it waited for the answer
     */
    public Explanation explain(Claim<C> claim) throws InterruptedException {
        return JavaCalls.call(k -> pool.explain(claim, k));
    }

    /**
     * Takes a listed backend out of use, for maintenance: it gets no more claims, idle connections close, lent ones when they
     * come back or after {@link PoolPolicyBuilder#drainTimeout()}. Returns when none is left.
     *
     * @return connections closed; 0 if the backend is not listed
     * @throws InterruptedException if the thread was interrupted while it waited; the draining goes on
     */
    public int drain(Backend backend) throws InterruptedException {
        return JavaCalls.call(k -> pool.drain(backend, k));
    }

    /** Puts a drained backend back into use. */
    public void undrain(Backend backend) {
        pool.undrain(backend);
    }

    /** Replaces every connection: idle ones now, lent ones when they come back. */
    public void evict() {
        pool.evict();
    }

    /** {@link #evict()} for the connections of one backend. */
    public void evict(Backend backend) {
        pool.evict(backend);
    }

    /** Lets claims wait, up to their deadlines, except those of the reserved lane. */
    public void pause() {
        pool.pause();
    }

    /** Ends a {@link #pause()}. */
    public void resume() {
        pool.resume();
    }

    /**
     * Changes the limits; nothing is taken away from holders.
     *
     * @param spares 0..{@code maxSlots}
     * @param maxSlots more than {@link PoolPolicyBuilder#reserved()}, up to {@link PoolPolicyBuilder#ceiling()}
     */
    public void limit(int spares, int maxSlots) {
        pool.limit(spares, maxSlots);
    }

    /**
     * Closes the pool with a grace of {@link PoolPolicyBuilder#claimTimeout()}, at most 10 s, and waits for the end. An
     * interrupt ends the waiting, not the closing: this returns at once, and the thread is still interrupted.
     */
    @Override
    public void close() {
        try {
            JavaCalls.call(k -> pool.close(k));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Closes the pool: refuses new and waiting claims, closes idle connections, waits up to {@code grace} for lent
     * ones to come back, then closes those under their holders. Returns within the grace plus
     * {@link PoolPolicyBuilder#closeTimeout()}. Calling again joins the same closing and can only shorten it.
     *
     * @param grace not negative; counted in whole milliseconds
     * @throws InterruptedException if the thread was interrupted while it waited; the closing goes on
     */
    public CloseReport close(Duration grace) throws InterruptedException {
        long millis = JavaCalls.graceMillis(grace);
        return JavaCalls.call(k -> pool.close(millis, k));
    }

    /** {@code BlockingPool} and the pool's name. */
    @Override
    public String toString() {
        return "BlockingPool(" + name() + ")";
    }

    /**
     * Work with a connection that has a result.
     *
     * @param <C> the connection
     * @param <R> the result
     * @param <X> the checked exception it may throw
     */
    @FunctionalInterface
    public interface Work<C, R extends @Nullable Object, X extends Exception> {
        /** Works with {@code connection}, which must not be kept. */
        R on(C connection) throws X;
    }

    /**
     * Work with a connection that has no result.
     *
     * @param <C> the connection
     * @param <X> the checked exception it may throw
     */
    @FunctionalInterface
    public interface Task<C, X extends Exception> {
        /** Works with {@code connection}, which must not be kept. */
        void on(C connection) throws X;
    }
}
