package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;

/** A {@link SubSocket} for threads that may block: receives what begins with a topic it subscribed to. */
public final class BlockingSubSocket implements BlockingReceivingSocket<SubSocket> {
    private final SubSocket socket;

    private BlockingSubSocket(SubSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingSubSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingSubSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingSubSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openSubSocket(scope, name, policy, transports)));
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
