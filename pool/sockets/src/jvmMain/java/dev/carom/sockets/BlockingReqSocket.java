package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;
import java.time.Duration;

/** A {@link ReqSocket} for threads that may block: asks, and gets the answer. */
public final class BlockingReqSocket implements BlockingSocket<ReqSocket> {
    private final ReqSocket socket;

    private BlockingReqSocket(ReqSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingReqSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingReqSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingReqSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openReqSocket(scope, name, policy, transports)));
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
