package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;

/** A {@link PullSocket} for threads that may block: takes messages from every peer in turn. */
public final class BlockingPullSocket implements BlockingReceivingSocket<PullSocket> {
    private final PullSocket socket;

    private BlockingPullSocket(PullSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingPullSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingPullSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingPullSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openPullSocket(scope, name, policy, transports)));
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingPullSocket of(PullSocket socket) {
        return new BlockingPullSocket(socket);
    }

    @Override
    public PullSocket socket() {
        return socket;
    }

    /** {@code BlockingPullSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingPullSocket(" + name() + ")";
    }
}
