package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import java.time.Duration;

/**
 * A {@link SendingSocket} for threads that may block. Who has sent an array changes it no more.
 *
 * @param <S> the socket behind it
 */
public sealed interface BlockingSendingSocket<S extends SendingSocket> extends BlockingSocket<S>
        permits BlockingPushSocket, BlockingPairSocket {
    /**
     * Sends {@code message} to one peer that has room for it, and waits while none has, up to {@link
     * SocketPolicyBuilder#sendTimeout()}.
     *
     * @throws SocketException.TimedOut if it was not accepted in time; nothing was sent
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile; nothing was sent
     * @throws InterruptedException if the thread was interrupted before or while it waited; nothing was sent
     */
    default void send(byte[] message) throws InterruptedException {
        JavaCalls.leaveIfInterrupted();
        if (!socket().trySend(message)) JavaCalls.call(k -> socket().send(message, k));
    }

    /**
     * {@link #send(byte[])} for at most {@code timeout}.
     *
     * @param timeout positive
     * @throws SocketException.TimedOut if it was not accepted in time; nothing was sent
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile; nothing was sent
     * @throws InterruptedException if the thread was interrupted before or while it waited; nothing was sent
     */
    default void send(byte[] message, Duration timeout) throws InterruptedException {
        JavaCalls.call(socket(), "no peer took the message", timeout, k -> socket().send(message, k));
    }

    /**
     * Sends {@code message} if a peer has room now; false if none has. Never waits.
     *
     * @throws SocketException.Closed if the socket is closed
     */
    default boolean trySend(byte[] message) {
        return socket().trySend(message);
    }
}
