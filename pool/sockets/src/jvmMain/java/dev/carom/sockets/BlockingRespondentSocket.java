package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;

/** A {@link RespondentSocket} for threads that may block: answers surveys, if it likes. */
public final class BlockingRespondentSocket implements BlockingAnsweringSocket<RespondentSocket> {
    private final RespondentSocket socket;

    private BlockingRespondentSocket(RespondentSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingRespondentSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingRespondentSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingRespondentSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openRespondentSocket(scope, name, policy, transports)));
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingRespondentSocket of(RespondentSocket socket) {
        return new BlockingRespondentSocket(socket);
    }

    @Override
    public RespondentSocket socket() {
        return socket;
    }

    /** {@code BlockingRespondentSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingRespondentSocket(" + name() + ")";
    }
}
