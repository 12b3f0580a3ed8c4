package dev.carom.sockets;

/** A {@link PairSocket} for threads that may block: one peer at a time, both ways. */
public final class BlockingPairSocket implements BlockingSendingSocket<PairSocket>, BlockingReceivingSocket<PairSocket> {
    private final PairSocket socket;

    private BlockingPairSocket(PairSocket socket) {
        this.socket = socket;
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingPairSocket of(PairSocket socket) {
        return new BlockingPairSocket(socket);
    }

    @Override
    public PairSocket socket() {
        return socket;
    }

    /** {@code BlockingPairSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingPairSocket(" + name() + ")";
    }
}
