package dev.carom.sockets;

/** A {@link SubSocket} for threads that may block: receives what begins with a topic it subscribed to. */
public final class BlockingSubSocket implements BlockingReceivingSocket<SubSocket> {
    private final SubSocket socket;

    private BlockingSubSocket(SubSocket socket) {
        this.socket = socket;
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingSubSocket of(SubSocket socket) {
        return new BlockingSubSocket(socket);
    }

    @Override
    public SubSocket socket() {
        return socket;
    }

    /**
     * Receives what begins with {@code topic} from now on; everything if it is empty. Counted: as many calls of {@code
     * unsubscribe} undo it.
     *
     * @throws SocketException.Closed if the socket is closed
     */
    public void subscribe(byte[] topic) {
        socket.subscribe(topic);
    }

    /** {@link #subscribe(byte[])} to the UTF-8 bytes of {@code topic}. */
    public void subscribe(String topic) {
        socket.subscribe(topic);
    }

    /**
     * Undoes one {@code subscribe}. What has come and matches no longer is dropped.
     *
     * @throws SocketException.NotSubscribed if there was none
     * @throws SocketException.Closed if the socket is closed
     */
    public void unsubscribe(byte[] topic) {
        socket.unsubscribe(topic);
    }

    /** {@link #unsubscribe(byte[])} from the UTF-8 bytes of {@code topic}. */
    public void unsubscribe(String topic) {
        socket.unsubscribe(topic);
    }

    /** {@code BlockingSubSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingSubSocket(" + name() + ")";
    }
}
