package dev.carom.pool;

import dev.carom.pool.internal.JavaCalls;
import dev.carom.pool.internal.JavaFutures;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A {@link PersistentConnection} for callers who wait by {@link CompletableFuture}. No method blocks; all may be called from
 * any thread. Failures arrive as they are. Futures are completed on a shared thread, as are the stages that depend on
 * them: these must not block.
 *
 * @param <C> the connection
 * @param <M> a message
 */
public final class PersistentFutures<C, M> {
    private final PersistentConnection<C, M> connection;

    private PersistentFutures(PersistentConnection<C, M> connection) {
        this.connection = connection;
    }

    /** Another view of {@code connection}. */
    public static <C, M> PersistentFutures<C, M> of(PersistentConnection<C, M> connection) {
        return new PersistentFutures<>(connection);
    }

    /** The connection behind this view; what never waits ({@code trySend}, {@code getSnapshot}) is there. */
    public PersistentConnection<C, M> connection() {
        return connection;
    }

    /**
     * Puts {@code message} into the outbox; ends when it is written, or in a {@link PersistentException}. Cancelling takes
     * the message out again, unless writing it has begun.
     */
    public CompletableFuture<@Nullable Void> send(M message) {
        return JavaFutures.startWaiting(k -> connection.send(message, k));
    }

    /**
     * Puts {@code message} into the outbox; ends when it is there, or in a {@link PersistentException}. Cancelling while it
     * waits for room leaves nothing behind.
     */
    public CompletableFuture<@Nullable Void> put(M message) {
        return JavaFutures.startWaiting(k -> connection.put(message, k));
    }

    /** Closes the connection with a grace of 10 s. */
    public CompletableFuture<PersistentReport> close() {
        return JavaFutures.startFuture(late -> {}, k -> connection.close(k));
    }

    /**
     * Takes no more messages, writes those in the outbox for up to {@code grace}, and closes the connection. Cancelling the
     * future does not stop the closing.
     *
     * @param grace not negative; counted in whole milliseconds
     */
    public CompletableFuture<PersistentReport> close(Duration grace) {
        long millis = JavaCalls.graceMillis(grace);
        return JavaFutures.startFuture(late -> {}, k -> connection.close(millis, k));
    }

    /** {@code PersistentFutures} and the connection's name. */
    @Override
    public String toString() {
        return "PersistentFutures(" + connection.getName() + ")";
    }
}
