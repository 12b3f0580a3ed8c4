package dev.carom.sockets;

/** A {@link PubSocket} for threads: sends each message to every subscriber. */
public final class BlockingPubSocket implements BlockingSpreadingSocket<PubSocket> {
    private final PubSocket socket;

    private BlockingPubSocket(PubSocket socket) {
        this.socket = socket;
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
