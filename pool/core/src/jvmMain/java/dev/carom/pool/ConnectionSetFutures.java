package dev.carom.pool;

import dev.carom.pool.internal.JavaCalls;
import dev.carom.pool.internal.JavaFutures;
import dev.carom.pool.internal.JavaSets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A {@link ConnectionSet} for callers who wait by {@link CompletableFuture}. No method blocks; all may be called from any
 * thread. Cancelling a future that a method returned ends what it stands for; failures arrive as they are. Futures are
 * completed on a shared thread, as are the stages that depend on them: these must not block.
 *
 * @param <C> the connection
 */
public final class ConnectionSetFutures<C> {
    private final ConnectionSet<C> set;

    private ConnectionSetFutures(ConnectionSet<C> set) {
        this.set = set;
    }

    /** Another view of {@code set}. */
    public static <C> ConnectionSetFutures<C> of(ConnectionSet<C> set) {
        return new ConnectionSetFutures<>(set);
    }

    /** The set behind this view; what never waits ({@code tryLease}, {@code getSnapshot}) is there. */
    public ConnectionSet<C> set() {
        return set;
    }

    /**
     * Leases a connection, waiting up to {@link SetPolicyBuilder#leaseTimeout()}. Whoever takes the lease out of the future
     * closes it. Ends in a {@link PoolException} if there was no connection in time.
     */
    public CompletableFuture<SetLease<C>> lease() {
        return JavaFutures.startFuture(SetLease::close, k -> set.lease(k));
    }

    /**
     * Leases a connection, works with it, and ends the lease when the stage that {@code work} returned has ended, well or
     * not; the stage is cancelled when the future is.
     *
     * @param work called on this thread if there is a connection, else on a shared thread; must not block
     */
    public <R extends @Nullable Object> CompletableFuture<R> use(
            Function<? super C, ? extends CompletionStage<? extends R>> work) {
        return JavaFutures.startFuture(late -> {}, k -> JavaSets.useShared(set, work, k));
    }

    /** {@link #awaitReady(int)} for one connection. */
    public CompletableFuture<@Nullable Void> awaitReady() {
        return awaitReady(1);
    }

    /**
     * Ends when {@code connections} connections are in the set; in a {@link PoolException} if they are not within
     * {@link SetPolicyBuilder#leaseTimeout()}.
     *
     * @param connections 1..{@link SetPolicyBuilder#target()}
     */
    public CompletableFuture<@Nullable Void> awaitReady(int connections) {
        return JavaFutures.startWaiting(k -> set.awaitReady(connections, k));
    }

    /** Ends when {@code connection} leaves its set: time to finish and to end leases of it. */
    public static CompletableFuture<@Nullable Void> awaitRemoved(SetConnection<?> connection) {
        return JavaFutures.startWaiting(k -> connection.awaitRemoved(k));
    }

    /** Closes the set with a grace of {@link SetPolicyBuilder#drainTimeout()}, at most 10 s. */
    public CompletableFuture<CloseReport> close() {
        return JavaFutures.startFuture(late -> {}, k -> set.close(k));
    }

    /**
     * Closes the set: no more leases; each connection is closed when its last lease ends or {@code grace} has passed.
     * Cancelling the future does not stop the closing.
     *
     * @param grace not negative; counted in whole milliseconds
     */
    public CompletableFuture<CloseReport> close(Duration grace) {
        long millis = JavaCalls.graceMillis(grace);
        return JavaFutures.startFuture(late -> {}, k -> set.close(millis, k));
    }

    /** {@code ConnectionSetFutures} and the set's name. */
    @Override
    public String toString() {
        return "ConnectionSetFutures(" + set.getName() + ")";
    }
}
