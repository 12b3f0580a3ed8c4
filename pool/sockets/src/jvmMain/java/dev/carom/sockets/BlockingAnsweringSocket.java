package dev.carom.sockets;

import dev.carom.sockets.internal.FlowPublisher;
import dev.carom.sockets.internal.JavaCalls;
import java.time.Duration;
import java.util.concurrent.Flow.Publisher;
import org.jspecify.annotations.Nullable;

/**
 * An {@link AnsweringSocket} for threads that may block.
 *
 * @param <S> the socket behind it
 */
public sealed interface BlockingAnsweringSocket<S extends AnsweringSocket> extends BlockingSocket<S>
        permits BlockingRepSocket, BlockingRespondentSocket {
    /**
     * The next request. Waits while there is none, up to {@link SocketPolicyBuilder#receiveTimeout()}; first come, first
     * served.
     *
     * @throws SocketException.TimedOut if none came in time
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile
     * @throws InterruptedException if the thread was interrupted before or while it waited; no request is lost
     */
    default BlockingRequest receive() throws InterruptedException {
        JavaCalls.leaveIfInterrupted();
        Request next = socket().tryReceive();
        return new BlockingRequest(next != null ? next : JavaCalls.call(k -> socket().receive(k)), socket());
    }

    /**
     * {@link #receive()} for at most {@code timeout}.
     *
     * @param timeout positive
     * @throws SocketException.TimedOut if none came in time
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile
     * @throws InterruptedException if the thread was interrupted before or while it waited; no request is lost
     */
    default BlockingRequest receive(Duration timeout) throws InterruptedException {
        return new BlockingRequest(
                JavaCalls.call(socket(), "no request came", timeout, k -> socket().receive(k)), socket());
    }

    /**
     * The next request if there is one, or null. Never waits.
     *
     * @throws SocketException.Closed if the socket is closed
     */
    default @Nullable BlockingRequest tryReceive() {
        Request request = socket().tryReceive();
        return request == null ? null : new BlockingRequest(request, socket());
    }

    /**
     * All requests from now on, to be answered by {@link SocketFutures#reply}. Subscribers and receivers share them. A
     * request is taken when the subscriber has asked for it. Completes when the socket closes.
     */
    default Publisher<Request> requests() {
        return new FlowPublisher<>(socket().getRequests(), false);
    }

    /**
     * {@link #serve(int, Handler)}, 16 at a time.
     *
     * @throws X whatever {@code handler} throws
     * @throws InterruptedException if the thread was interrupted; the handlers that run are interrupted too
     */
    default <X extends Exception> void serve(Handler<X> handler) throws X, InterruptedException {
        serve(16, handler);
    }

    /**
     * Answers requests with what {@code handler} makes of them, on up to {@code concurrency} threads at a time, until the
     * socket closes; then returns. If the handler throws, its request is closed without an answer, and so are all the
     * others in work, and the exception is thrown here.
     *
     * @param concurrency 1 or more
     * @throws X whatever {@code handler} throws
     * @throws InterruptedException if the thread was interrupted; the handlers that run are interrupted too
     */
    default <X extends Exception> void serve(int concurrency, Handler<X> handler) throws X, InterruptedException {
        JavaCalls.serve(socket(), concurrency, handler);
    }

    /**
     * What makes an answer of a question.
     *
     * @param <X> the checked exception it may throw
     */
    @FunctionalInterface
    interface Handler<X extends Exception> {
        /** The answer to {@code question}. May block; is interrupted when nobody waits for the answer any more. */
        byte[] answer(byte[] question) throws X, InterruptedException;
    }
}
