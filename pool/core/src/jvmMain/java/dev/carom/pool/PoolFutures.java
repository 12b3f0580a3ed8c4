package dev.carom.pool;

import dev.carom.pool.internal.JavaCalls;
import dev.carom.pool.internal.JavaFutures;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Pool} for callers who wait by {@link CompletableFuture}. No method blocks; all may be called from any
 * thread.
 *
 * <p><b>Cancelling</b> a future that a method returned ends what it stands for, and so does completing it in another
 * way ({@code orTimeout}): a claim gives its place in the queue back, and a connection that was granted at that very
 * moment too. A future derived from it ({@code thenApply}) is another future: cancelling that cancels nothing here.
 *
 * <p><b>Failures</b> arrive as they are: {@code whenComplete} and {@code handle} on the returned future see a
 * {@link PoolException}, not a {@code CompletionException} around it.
 *
 * <p><b>Threads.</b> A future that need not wait is complete on return. Others are completed on a shared thread, as are
 * the stages that depend on them: these must not block.
 *
 * @param <C> the connection
 */
public final class PoolFutures<C> {
    private final Pool<C> pool;

    private PoolFutures(Pool<C> pool) {
        this.pool = pool;
    }

    /** Another view of {@code pool}. */
    public static <C> PoolFutures<C> of(Pool<C> pool) {
        return new PoolFutures<>(pool);
    }

    /** The pool behind this view; what never waits ({@code tryClaim}, {@code getSnapshot}) is there. */
    public Pool<C> pool() {
        return pool;
    }

    /** {@link #claim(String)} by this thread's name. */
    public CompletableFuture<Claim<C>> claim() {
        return claim((String) null);
    }

    /**
     * Borrows a connection, waiting up to {@link PoolPolicyBuilder#claimTimeout()} in all. Whoever takes the claim
     * out of the future closes it. Ends in a {@link PoolException} if no connection could be had; the subclass says
     * why.
     *
     * @param holder who claims, for reports; if null, this thread's name
     */
    public CompletableFuture<Claim<C>> claim(@Nullable String holder) {
        String label = JavaCalls.holderOrThread(holder);
        return JavaFutures.startFuture(Claim::close, k -> pool.claim(label, k));
    }

    /**
     * {@link #claim()} with options: another deadline, a role, certain backends, the reserved lane.
     *
     * @param options see {@link ClaimOptionsBuilder}
     */
    public CompletableFuture<Claim<C>> claim(ClaimOptions options) {
        ClaimOptions named = JavaCalls.named(options);
        return JavaFutures.startFuture(Claim::close, k -> pool.claim(named, k));
    }

    /**
     * Claims a connection, works with it, and gives it back when the stage that {@code work} returned has ended, well
     * or not. If {@code work} throws, the future ends with that exception.
     *
     * <p>When the future is cancelled while {@code work} goes on, the stage is cancelled and the connection is closed
     * rather than given back, for whoever works behind the stage may still use it. The same happens if the stage itself
     * ends in a {@code CancellationException}.
     *
     * @param work called on this thread if a connection is ready, else on a shared thread; must not block, and must not
     *     keep the connection
     */
    public <R extends @Nullable Object> CompletableFuture<R> use(
            Function<? super C, ? extends CompletionStage<? extends R>> work) {
        String label = JavaCalls.holderOrThread(null);
        return JavaFutures.startFuture(late -> {}, k -> JavaFutures.useStage(pool, label, work, k));
    }

    /** {@link #awaitReady(int)} for one connection. */
    public CompletableFuture<@Nullable Void> awaitReady() {
        return awaitReady(1);
    }

    /**
     * Ends when {@code connections} connections are open and checked, on loan or not, and opens them now rather than on
     * demand. Ends in a {@link PoolException} if they are not there within {@link PoolPolicyBuilder#claimTimeout()}.
     *
     * @param connections 1..{@link PoolPolicyBuilder#maxSlots()}
     */
    public CompletableFuture<@Nullable Void> awaitReady(int connections) {
        return JavaFutures.startWaiting(k -> pool.awaitReady(connections, k));
    }

    /** Why a claim would be served, or not, now. */
    public CompletableFuture<Explanation> explain() {
        return JavaFutures.startFuture(late -> {}, k -> pool.explain(k));
    }

    /** {@link #explain()}, seen from a claim in hand: the first holder is this claim's. */
    public CompletableFuture<Explanation> explain(Claim<C> claim) {
        return JavaFutures.startFuture(late -> {}, k -> pool.explain(claim, k));
    }

    /**
     * Takes a listed backend out of use, for maintenance. Ends, with the number of connections it had, when none of them is
     * left. Cancelling the future does not stop the draining; {@code pool().undrain(backend)} does.
     */
    public CompletableFuture<Integer> drain(Backend backend) {
        return JavaFutures.startFuture(late -> {}, k -> pool.drain(backend, k));
    }

    /** Closes the pool with a grace of {@link PoolPolicyBuilder#claimTimeout()}, at most 10 s. */
    public CompletableFuture<CloseReport> close() {
        return JavaFutures.startFuture(late -> {}, k -> pool.close(k));
    }

    /**
     * Closes the pool: refuses new and waiting claims, closes idle connections, waits up to {@code grace} for lent
     * ones to come back, then closes those under their holders. Cancelling the future does not stop the closing.
     *
     * @param grace not negative; counted in whole milliseconds
     */
    public CompletableFuture<CloseReport> close(Duration grace) {
        long millis = JavaCalls.graceMillis(grace);
        return JavaFutures.startFuture(late -> {}, k -> pool.close(millis, k));
    }

    /** {@code PoolFutures} and the pool's name. */
    @Override
    public String toString() {
        return "PoolFutures(" + pool.getName() + ")";
    }
}
