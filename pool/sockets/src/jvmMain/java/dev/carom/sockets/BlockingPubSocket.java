package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;

/** A {@link PubSocket} for threads: sends each message to every subscriber. */
public final class BlockingPubSocket implements BlockingSpreadingSocket<PubSocket> {
    private final PubSocket socket;

    private BlockingPubSocket(PubSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingPubSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingPubSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingPubSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openPubSocket(scope, name, policy, transports)));
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingPubSocket of(PubSocket socket) {
        return new BlockingPubSocket(socket);
    }

    @Override
    public PubSocket socket() {
        return socket;
    }

    /** {@code BlockingPubSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingPubSocket(" + name() + ")";
    }
}
