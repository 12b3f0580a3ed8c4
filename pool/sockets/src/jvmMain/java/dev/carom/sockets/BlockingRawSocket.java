package dev.carom.sockets;

import dev.carom.sockets.internal.FlowPublisher;
import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;
import java.util.concurrent.Flow.Publisher;

/** A {@link RawSocket} for threads that may block: what devices are made of. */
public final class BlockingRawSocket implements BlockingSocket<RawSocket> {
    private final RawSocket socket;

    private BlockingRawSocket(RawSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, Protocol, SocketPolicy, Transports)} with the defaults of {@link SocketPolicy}. */
    public static BlockingRawSocket open(String name, Protocol protocol) {
        return open(name, protocol, new SocketPolicy(), NioTransports.all());
    }

    /**
     * Opens a raw socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param protocol its role
     * @param policy the numbers
     * @param transports what it can bind and connect with
     */
    public static BlockingRawSocket open(String name, Protocol protocol, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(
                scope -> of(OpenRawSocketKt.openRawSocket(scope, name, protocol, policy, transports)));
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingRawSocket of(RawSocket socket) {
        return new BlockingRawSocket(socket);
    }

    @Override
    public RawSocket socket() {
        return socket;
    }

    /**
     * Sends {@code message} where its header leads; see {@link RawSocket#send}.
     *
     * @throws SocketException.TimedOut if it was not accepted within {@link SocketPolicyBuilder#sendTimeout()}
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile
     * @throws UnsupportedOperationException if the role does not send
     * @throws InterruptedException if the thread was interrupted before or while it waited; nothing was sent
     */
    public void send(RawMessage message) throws InterruptedException {
        JavaCalls.call(k -> socket.send(message, k));
    }

    /**
     * The next message, with its header.
     *
     * @throws SocketException.TimedOut if none came within {@link SocketPolicyBuilder#receiveTimeout()}
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile
     * @throws UnsupportedOperationException if the role does not receive
     * @throws InterruptedException if the thread was interrupted before or while it waited; no message is lost
     */
    public RawMessage receive() throws InterruptedException {
        return JavaCalls.call(k -> socket.receive(k));
    }

    /** All messages from now on; a message is taken when the subscriber has asked for it. */
    public Publisher<RawMessage> messages() {
        return new FlowPublisher<>(socket.getMessages(), false);
    }

    /**
     * Passes messages on between {@code this} and {@code other} until one of them closes; see {@link DeviceKt#device}.
     *
     * @throws SocketException.TimedOut if a message was not accepted within {@link SocketPolicyBuilder#sendTimeout()}
     * @throws InterruptedException if the thread was interrupted; both sockets stay open
     */
    public void device(BlockingRawSocket other) throws InterruptedException {
        JavaCalls.call(k -> DeviceKt.device(socket, other.socket, k));
    }

    /** {@code BlockingRawSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingRawSocket(" + name() + ")";
    }
}
