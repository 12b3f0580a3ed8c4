package dev.carom.sockets;

/** A {@link RepSocket} for threads that may block: answers requests. */
public final class BlockingRepSocket implements BlockingAnsweringSocket<RepSocket> {
    private final RepSocket socket;

    private BlockingRepSocket(RepSocket socket) {
        this.socket = socket;
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
