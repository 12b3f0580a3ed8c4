package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;

/** A {@link PairSocket} for threads that may block: one peer at a time, both ways. */
public final class BlockingPairSocket implements BlockingSendingSocket<PairSocket>, BlockingReceivingSocket<PairSocket> {
    private final PairSocket socket;

    private BlockingPairSocket(PairSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingPairSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingPairSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingPairSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openPairSocket(scope, name, policy, transports)));
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingPairSocket of(PairSocket socket) {
        return new BlockingPairSocket(socket);
    }

    @Override
    public PairSocket socket() {
        return socket;
    }

    /** A socket of {@link Protocol#PairV1}, whose messages count their hops; otherwise as {@link #open(String, SocketPolicy, Transports)}. */
    public static BlockingPairSocket openV1(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openPairV1Socket(scope, name, policy, transports)));
    }

    /** {@code BlockingPairSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingPairSocket(" + name() + ")";
    }
}
