package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;

/** A {@link BusSocket} for threads that may block: sends each message to every peer, and receives theirs. */
public final class BlockingBusSocket implements BlockingSpreadingSocket<BusSocket>, BlockingReceivingSocket<BusSocket> {
    private final BusSocket socket;

    private BlockingBusSocket(BusSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingBusSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingBusSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingBusSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openBusSocket(scope, name, policy, transports)));
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingBusSocket of(BusSocket socket) {
        return new BlockingBusSocket(socket);
    }

    @Override
    public BusSocket socket() {
        return socket;
    }

    /** {@code BlockingBusSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingBusSocket(" + name() + ")";
    }
}
