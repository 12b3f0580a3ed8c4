package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import java.time.Duration;

/** A {@link Request} for threads that may block. */
public final class BlockingRequest implements AutoCloseable {
    private final Request request;
    private final AnsweringSocket socket;

    BlockingRequest(Request request, AnsweringSocket socket) {
        this.request = request;
        this.socket = socket;
    }

    /** The request behind this view. */
    public Request request() {
        return request;
    }

    /** What was asked. */
    public byte[] body() {
        return request.getBody();
    }

    /** Where it came from. */
    public SocketPipe pipe() {
        return request.getPipe();
    }

    /**
     * Answers it, once. Waits while the asker takes nothing, up to {@link SocketPolicyBuilder#sendTimeout()}. If the asker is
     * gone the answer is dropped and counted, and that is no failure.
     *
     * @throws SocketException.NoSuchRequest if it was answered, closed or forgotten before
     * @throws SocketException.TimedOut if it was not accepted in time
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile
     * @throws InterruptedException if the thread was interrupted before or while it waited; nothing was sent
     */
    public void reply(byte[] message) throws InterruptedException {
        JavaCalls.call(k -> request.reply(message, k));
    }

    /**
     * {@link #reply(byte[])} for at most {@code timeout}.
     *
     * @param timeout positive
     * @throws SocketException.TimedOut if it was not accepted in time
     * @throws InterruptedException if the thread was interrupted before or while it waited; nothing was sent
     */
    public void reply(byte[] message, Duration timeout) throws InterruptedException {
        JavaCalls.call(socket, "the asker did not take the answer", timeout, k -> request.reply(message, k));
    }

    /** Nobody will answer. Never blocks; after an answer or a second time it does nothing. */
    @Override
    public void close() {
        request.close();
    }

    /** The size, never what is in it. */
    @Override
    public String toString() {
        return "BlockingRequest(" + body().length + " bytes)";
    }
}
