package dev.carom.sockets;

/**
 * A {@link SpreadingSocket} for threads.
 *
 * @param <S> the socket behind it
 */
public sealed interface BlockingSpreadingSocket<S extends SpreadingSocket> extends BlockingSocket<S>
        permits BlockingPubSocket, BlockingBusSocket {
    /**
     * Sends {@code message} to every pipe there is now. Never waits: what slow peers do not take in time is lost in the end,
     * and counted. Who has sent an array changes it no more.
     *
     * @throws SocketException.Closed if the socket is closed
     */
    default void send(byte[] message) {
        socket().send(message);
    }
}
