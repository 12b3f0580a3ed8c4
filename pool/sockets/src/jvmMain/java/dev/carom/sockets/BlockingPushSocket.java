package dev.carom.sockets;

/** A {@link PushSocket} for threads that may block: gives each message to one peer. */
public final class BlockingPushSocket implements BlockingSendingSocket<PushSocket> {
    private final PushSocket socket;

    private BlockingPushSocket(PushSocket socket) {
        this.socket = socket;
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
