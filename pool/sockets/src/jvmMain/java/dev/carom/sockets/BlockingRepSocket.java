package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;

/** A {@link RepSocket} for threads that may block: answers requests. */
public final class BlockingRepSocket implements BlockingAnsweringSocket<RepSocket> {
    private final RepSocket socket;

    private BlockingRepSocket(RepSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingRepSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingRepSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingRepSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openRepSocket(scope, name, policy, transports)));
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingRepSocket of(RepSocket socket) {
        return new BlockingRepSocket(socket);
    }

    @Override
    public RepSocket socket() {
        return socket;
    }

    /** {@code BlockingRepSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingRepSocket(" + name() + ")";
    }
}
