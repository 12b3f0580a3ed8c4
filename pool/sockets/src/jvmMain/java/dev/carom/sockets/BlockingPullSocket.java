package dev.carom.sockets;

/** A {@link PullSocket} for threads that may block: takes messages from every peer in turn. */
public final class BlockingPullSocket implements BlockingReceivingSocket<PullSocket> {
    private final PullSocket socket;

    private BlockingPullSocket(PullSocket socket) {
        this.socket = socket;
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
