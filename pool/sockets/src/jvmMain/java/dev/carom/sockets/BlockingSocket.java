package dev.carom.sockets;

import dev.carom.pool.Resolver;
import dev.carom.sockets.internal.FlowPublisher;
import dev.carom.sockets.internal.JavaCalls;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Flow.Publisher;

/**
 * A {@link MessageSocket} for threads that may block, virtual threads included. All methods may be called from any number
 * of threads.
 *
 * <p><b>Interruption</b> affects only the call that was waiting: it takes nothing and sends nothing, and the socket goes
 * on. If the call had just come to its end, that counts, and the thread is still interrupted.
 *
 * <p><b>Publishers</b> give their signals on the subscribing thread at first, then on a shared thread: they must not block.
 *
 * @param <S> the socket behind it
 */
public sealed interface BlockingSocket<S extends MessageSocket> extends AutoCloseable
        permits BlockingSendingSocket,
                BlockingReceivingSocket,
                BlockingSpreadingSocket,
                BlockingAnsweringSocket,
                BlockingReqSocket,
                BlockingSurveyorSocket,
                BlockingRawSocket {
    /** The socket behind this view, for Kotlin, for {@link SocketFutures}, and for what never waits. */
    S socket();

    /** The name given at opening; appears in messages and notices. */
    default String name() {
        return socket().getName();
    }

    /** The role, which decides what its peers may be. */
    default Protocol protocol() {
        return socket().getProtocol();
    }

    /** The policy given at opening; {@link SocketPolicyBuilder#from} reads its durations. */
    default SocketPolicy policy() {
        return socket().getPolicy();
    }

    /** The connections whose handshake is done, the oldest first. */
    default List<SocketPipe> pipes() {
        return socket().getPipes().getValue();
    }

    /**
     * The connections now and after each change. Conflated: who asks slowly misses values between, never the last. Does
     * not complete by itself.
     */
    default Publisher<List<SocketPipe>> pipeChanges() {
        return new FlowPublisher<>(socket().getPipes(), false);
    }

    /**
     * What happens from the subscription on, in order, until the socket has closed. A subscriber that falls {@link
     * SocketPolicyBuilder#noticeBuffer()} behind loses the oldest and is told how many ({@link SocketNotice.Missed}).
     */
    default Publisher<SocketNotice> notices() {
        return new FlowPublisher<>(socket().getNotices(), true);
    }

    /** What all pipes together have carried, those that are gone included, and what was dropped and why. Now. */
    default SocketCounters counters() {
        return socket().getCounters();
    }

    /**
     * Waits until there are {@code count} connections.
     *
     * @param count 0 or more
     * @throws SocketException.Closed if the socket closes
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    default void awaitPipes(int count) throws InterruptedException {
        JavaCalls.call(k -> socket().awaitPipes(count, k));
    }

    /**
     * {@link #awaitPipes(int)} for at most {@code timeout}.
     *
     * @param timeout positive
     * @throws SocketException.TimedOut if they were not there in time
     * @throws SocketException.Closed if the socket closes
     * @throws InterruptedException if the thread was interrupted before or while it waited
     */
    default void awaitPipes(int count, Duration timeout) throws InterruptedException {
        JavaCalls.call(socket(), "there were not " + count + " pipes", timeout, k -> socket().awaitPipes(count, k));
    }

    /**
     * Listens at {@code url}; see {@link MessageSocket#bind}.
     *
     * @throws SocketException if that cannot be done; the subclass says why
     * @throws InterruptedException if the thread was interrupted before or while it waited; then nothing is bound
     */
    default BlockingEndpoint bind(String url) throws InterruptedException {
        return new BlockingEndpoint(JavaCalls.call(k -> socket().bind(url, k)));
    }

    /**
     * {@link #bind(String)} with a priority of the pipes that are accepted.
     *
     * @throws SocketException if that cannot be done; the subclass says why
     * @throws InterruptedException if the thread was interrupted before or while it waited; then nothing is bound
     */
    default BlockingEndpoint bind(String url, PipePriority priority) throws InterruptedException {
        return new BlockingEndpoint(JavaCalls.call(k -> socket().bind(url, priority, k)));
    }

    /**
     * Connects to {@code url}, and again whenever the connection is lost. Returns at once; see {@link
     * MessageSocket#connect(String)}.
     *
     * @throws SocketException if the address is none, or the socket is closed
     */
    default BlockingEndpoint connect(String url) {
        return new BlockingEndpoint(socket().connect(url));
    }

    /** {@link #connect(String)} with a priority of the pipe. */
    default BlockingEndpoint connect(String url, PipePriority priority) {
        return new BlockingEndpoint(socket().connect(url, priority));
    }

    /** Connects over {@code tcp} to every backend that {@code resolver} lists, and follows it. Returns at once. */
    default BlockingEndpoint connect(Resolver resolver) {
        return new BlockingEndpoint(socket().connect(resolver));
    }

    /**
     * {@link #connect(Resolver)} with another scheme; see {@link MessageSocket#connect(Resolver, String)}.
     *
     * @param scheme {@code tcp} or {@code tls+tcp}
     */
    default BlockingEndpoint connect(Resolver resolver, String scheme) {
        return new BlockingEndpoint(socket().connect(resolver, scheme));
    }

    /** {@link #connect(Resolver, String)} with a priority of the pipes. */
    default BlockingEndpoint connect(Resolver resolver, String scheme, PipePriority priority) {
        return new BlockingEndpoint(socket().connect(resolver, scheme, priority));
    }

    /**
     * Closes the socket within {@link SocketPolicyBuilder#linger()}, and waits for the end. An interrupt ends the waiting,
     * not the closing: this returns at once, and the thread is still interrupted.
     */
    @Override
    default void close() {
        try {
            JavaCalls.begin(k -> socket().close(k));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Closes the socket within {@code linger}; see {@link MessageSocket#close(long, kotlin.coroutines.Continuation)}.
     *
     * @param linger not negative; counted in whole milliseconds
     * @throws InterruptedException if the thread was interrupted while it waited; the closing goes on
     */
    default SocketReport close(Duration linger) throws InterruptedException {
        long millis = JavaCalls.millis(linger);
        return JavaCalls.begin(k -> socket().close(millis, k));
    }
}
