package dev.carom.pool;

import dev.carom.pool.internal.FlowPublisher;
import dev.carom.pool.internal.JavaCalls;
import dev.carom.pool.internal.JavaSets;
import java.time.Duration;
import java.util.concurrent.Flow.Publisher;
import org.jspecify.annotations.Nullable;

/**
 * A {@link PersistentConnection} for threads that may block, virtual threads included: one logical connection to a service,
 * with an outbox. All methods may be called from any thread. What waits can be interrupted. Signals of publishers must not
 * block.
 *
 * @param <C> the connection
 * @param <M> a message
 */
public final class BlockingPersistentConnection<C, M> implements AutoCloseable {
    private final PersistentConnection<C, M> connection;
    private final PersistentFutures<C, M> futures;

    private BlockingPersistentConnection(PersistentConnection<C, M> connection) {
        this.connection = connection;
        this.futures = PersistentFutures.of(connection);
    }

    /**
     * Opens a connection that lives until it is closed. Returns at once: connecting happens elsewhere.
     *
     * @param name for messages and notices
     * @param resolver which backends there are; one that blocks: {@link BlockingResolver#every}
     * @param connector how to open, check and close connections
     * @param writer how to write a message
     * @param policy the numbers
     */
    public static <C, M> BlockingPersistentConnection<C, M> open(
            String name,
            Resolver resolver,
            Connector<C> connector,
            MessageWriter<C, M> writer,
            PersistentPolicy policy) {
        return JavaCalls.inOwnScope(
                scope -> of(ConnectionSets.openPersistent(scope, name, resolver, connector, writer, policy)));
    }

    /** Opens one whose connector and writer block. */
    public static <C, M> BlockingPersistentConnection<C, M> open(
            String name,
            Resolver resolver,
            BlockingConnector<C> connector,
            BlockingWriter<C, M> writer,
            PersistentPolicy policy) {
        return open(name, resolver, connector.toConnector(), writer.toWriter(), policy);
    }

    /** Another view of {@code connection}. Closing it closes {@code connection}. */
    public static <C, M> BlockingPersistentConnection<C, M> of(PersistentConnection<C, M> connection) {
        return new BlockingPersistentConnection<>(connection);
    }

    /** The connection behind this view, for Kotlin and for other facades. */
    public PersistentConnection<C, M> connection() {
        return connection;
    }

    /** The same connection for callers who do not block. */
    public PersistentFutures<C, M> futures() {
        return futures;
    }

    /** The name given at opening; appears in messages and notices. */
    public String name() {
        return connection.getName();
    }

    /** The policy given at opening; {@link PersistentPolicyBuilder#from} reads its durations. */
    public PersistentPolicy policy() {
        return connection.getPolicy();
    }

    /** What it is doing now. */
    public PersistentState state() {
        return connection.getState().getValue();
    }

    /** What it is doing, now and after each change, until it has closed; conflated. */
    public Publisher<PersistentState> states() {
        return new FlowPublisher<>(JavaSets.statesUntilClosed(connection.getState()));
    }

    /** The connection in use, for those who read from it; null while there is none. */
    public @Nullable SetConnection<C> current() {
        return connection.getCurrent().getValue();
    }

    /** Counts of everything, now. */
    public PersistentSnapshot snapshot() {
        return connection.getSnapshot();
    }

    /** What happens from the subscription on, in order, until it has closed: see {@link BlockingConnectionSet#notices}. */
    public Publisher<SetNotice> notices() {
        return new FlowPublisher<>(connection.getNotices());
    }

    /**
     * Puts {@code message} into the outbox and waits until it is written, as long as that takes.
     *
     * @throws PersistentException if it was not written; the subclass says why
     * @throws InterruptedException if the thread was interrupted while it waited; the message is taken out again, unless
     *     writing it has begun
     */
    public void send(M message) throws InterruptedException {
        JavaCalls.call(k -> connection.send(message, k));
    }

    /**
     * Puts {@code message} into the outbox, waiting for room if the policy is {@link Overflow#Suspend}, not until it is
     * written.
     *
     * @throws PersistentException if it was not taken; the subclass says why
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public void put(M message) throws InterruptedException {
        JavaCalls.call(k -> connection.put(message, k));
    }

    /**
     * Puts {@code message} into the outbox if there is room and nobody waits for it. Never waits.
     *
     * @return whether it was taken
     * @throws PersistentException.TooLarge if it is larger than the outbox
     * @throws PersistentException.Closed if this is closed
     */
    public boolean trySend(M message) {
        return connection.trySend(message);
    }

    /**
     * Closes with a grace of 10 s, and waits for the end. An interrupt ends the waiting, not the closing: this returns at
     * once, and the thread is still interrupted.
     */
    @Override
    public void close() {
        try {
            JavaCalls.call(k -> connection.close(k));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Takes no more messages, writes those in the outbox for up to {@code grace}, and closes the connection. Calling again
     * joins the same closing and can only shorten it.
     *
     * @param grace not negative; counted in whole milliseconds
     * @return what was written and what was left
     * @throws InterruptedException if the thread was interrupted while it waited; the closing goes on
     */
    public PersistentReport close(Duration grace) throws InterruptedException {
        long millis = JavaCalls.graceMillis(grace);
        return JavaCalls.call(k -> connection.close(millis, k));
    }

    /** {@code BlockingPersistentConnection} and the connection's name. */
    @Override
    public String toString() {
        return "BlockingPersistentConnection(" + name() + ")";
    }
}
