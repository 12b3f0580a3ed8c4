package dev.carom.sockets;

/** A {@link BusSocket} for threads that may block: sends each message to every peer, and receives theirs. */
public final class BlockingBusSocket implements BlockingSpreadingSocket<BusSocket>, BlockingReceivingSocket<BusSocket> {
    private final BusSocket socket;

    private BlockingBusSocket(BusSocket socket) {
        this.socket = socket;
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
