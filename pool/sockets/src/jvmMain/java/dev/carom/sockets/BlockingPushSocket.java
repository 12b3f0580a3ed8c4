package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;

/** A {@link PushSocket} for threads that may block: gives each message to one peer. */
public final class BlockingPushSocket implements BlockingSendingSocket<PushSocket> {
    private final PushSocket socket;

    private BlockingPushSocket(PushSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingPushSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingPushSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingPushSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openPushSocket(scope, name, policy, transports)));
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingPushSocket of(PushSocket socket) {
        return new BlockingPushSocket(socket);
    }

    @Override
    public PushSocket socket() {
        return socket;
    }

    /** {@code BlockingPushSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingPushSocket(" + name() + ")";
    }
}
