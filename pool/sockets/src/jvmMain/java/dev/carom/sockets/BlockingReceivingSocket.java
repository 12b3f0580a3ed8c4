package dev.carom.sockets;

import dev.carom.sockets.internal.FlowPublisher;
import dev.carom.sockets.internal.JavaCalls;
import java.time.Duration;
import java.util.concurrent.Flow.Publisher;
import org.jspecify.annotations.Nullable;

/**
 * A {@link ReceivingSocket} for threads that may block.
 *
 * @param <S> the socket behind it
 */
public sealed interface BlockingReceivingSocket<S extends ReceivingSocket> extends BlockingSocket<S>
        permits BlockingPullSocket, BlockingSubSocket, BlockingPairSocket, BlockingBusSocket {
    /**
     * The next message. Waits while there is none, up to {@link SocketPolicyBuilder#receiveTimeout()}; first come, first
     * served.
     *
     * @throws SocketException.TimedOut if none came in time
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile
     * @throws InterruptedException if the thread was interrupted before or while it waited; no message is lost
     */
    default byte[] receive() throws InterruptedException {
        JavaCalls.leaveIfInterrupted();
        byte[] next = socket().tryReceive();
        return next != null ? next : JavaCalls.call(k -> socket().receive(k));
    }

    /**
     * {@link #receive()} for at most {@code timeout}.
     *
     * @param timeout positive
     * @throws SocketException.TimedOut if none came in time
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile
     * @throws InterruptedException if the thread was interrupted before or while it waited; no message is lost
     */
    default byte[] receive(Duration timeout) throws InterruptedException {
        return JavaCalls.call(socket(), "no message came", timeout, k -> socket().receive(k));
    }

    /**
     * The next message if there is one, or null. Never waits.
     *
     * @throws SocketException.Closed if the socket is closed
     */
    default byte @Nullable [] tryReceive() {
        return socket().tryReceive();
    }

    /**
     * All messages from now on. Subscribers and receivers share them: each message goes to one. A message is taken when the
     * subscriber has asked for it, so that a slow one makes peers wait, or lose messages if that is their protocol.
     * Completes when the socket closes.
     */
    default Publisher<byte[]> messages() {
        return new FlowPublisher<>(socket().getMessages(), false);
    }
}
