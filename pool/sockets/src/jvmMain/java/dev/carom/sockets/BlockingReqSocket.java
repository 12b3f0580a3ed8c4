package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import java.time.Duration;

/** A {@link ReqSocket} for threads that may block: asks, and gets the answer. */
public final class BlockingReqSocket implements BlockingSocket<ReqSocket> {
    private final ReqSocket socket;

    private BlockingReqSocket(ReqSocket socket) {
        this.socket = socket;
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingReqSocket of(ReqSocket socket) {
        return new BlockingReqSocket(socket);
    }

    @Override
    public ReqSocket socket() {
        return socket;
    }

    /**
     * Sends {@code message} to one peer that has room, in turn, and returns its reply; waits up to {@link
     * SocketPolicyBuilder#requestTimeout()}. It may be carried out twice; see {@link ReqSocket#request}.
     *
     * @throws SocketException if there is no reply; the subclass says why
     * @throws InterruptedException if the thread was interrupted before or while it waited; the reply is dropped if it comes
     */
    public byte[] request(byte[] message) throws InterruptedException {
        return JavaCalls.call(k -> socket.request(message, k));
    }

    /**
     * {@link #request(byte[])} for at most {@code timeout}.
     *
     * @param timeout positive
     * @throws SocketException if there is no reply; the subclass says why
     * @throws InterruptedException if the thread was interrupted before or while it waited; the reply is dropped if it comes
     */
    public byte[] request(byte[] message, Duration timeout) throws InterruptedException {
        return JavaCalls.call(socket, "no reply came", timeout, k -> socket.request(message, k));
    }

    /** {@code BlockingReqSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingReqSocket(" + name() + ")";
    }
}
