package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What waits, for callers who wait by {@link CompletableFuture}. No method blocks; all may be called from any thread. Failures
 * arrive as they are. Futures are completed on a shared thread, as are the stages that depend on them: these must not block.
 *
 * <p><b>Cancelling</b> asks the call to end; the future ends when it has, which may be a moment later. If the call had just
 * come to its end, that counts: no message is lost by cancelling. Completing a future by hand, or by {@code orTimeout}, does
 * not have this care.
 */
public final class SocketFutures {
    private SocketFutures() {}

    /** Waits until {@code socket} has {@code count} connections. */
    public static CompletableFuture<@Nullable Void> awaitPipes(MessageSocket socket, int count) {
        return JavaCalls.startWaiting(k -> socket.awaitPipes(count, k));
    }

    /** Listens at {@code url}; see {@link MessageSocket#bind}. */
    public static CompletableFuture<SocketEndpoint> bind(MessageSocket socket, String url) {
        return JavaCalls.start(k -> socket.bind(url, k));
    }

    /** {@link #bind(MessageSocket, String)} with a priority of the pipes that are accepted. */
    public static CompletableFuture<SocketEndpoint> bind(MessageSocket socket, String url, PipePriority priority) {
        return JavaCalls.start(k -> socket.bind(url, priority, k));
    }

    /** Closes {@code socket} within {@link SocketPolicyBuilder#linger()}. Cancelling does not stop the closing. */
    public static CompletableFuture<SocketReport> close(MessageSocket socket) {
        return JavaCalls.start(k -> socket.close(k));
    }

    /**
     * Closes {@code socket} within {@code linger}. Cancelling does not stop the closing.
     *
     * @param linger not negative; counted in whole milliseconds
     */
    public static CompletableFuture<SocketReport> close(MessageSocket socket, Duration linger) {
        long millis = JavaCalls.millis(linger);
        return JavaCalls.start(k -> socket.close(millis, k));
    }

    /** Closes {@code endpoint} and drains its pipes. Cancelling does not stop the closing. */
    public static CompletableFuture<@Nullable Void> close(SocketEndpoint endpoint) {
        return JavaCalls.startWaiting(k -> endpoint.close(k));
    }

    /** Ends when a peer that has room has accepted {@code message}; see {@link SendingSocket#send}. */
    public static CompletableFuture<@Nullable Void> send(SendingSocket socket, byte[] message) {
        return JavaCalls.startWaiting(k -> socket.send(message, k));
    }

    /** The next message; see {@link ReceivingSocket#receive}. */
    public static CompletableFuture<byte[]> receive(ReceivingSocket socket) {
        return JavaCalls.start(k -> socket.receive(k));
    }

    /** The next request; see {@link AnsweringSocket#receive}. */
    public static CompletableFuture<Request> receive(AnsweringSocket socket) {
        return JavaCalls.start(k -> socket.receive(k));
    }

    /** Sends {@code message} where its header leads; see {@link RawSocket#send}. */
    public static CompletableFuture<@Nullable Void> send(RawSocket socket, RawMessage message) {
        return JavaCalls.startWaiting(k -> socket.send(message, k));
    }

    /** The next message, with its header; see {@link RawSocket#receive}. */
    public static CompletableFuture<RawMessage> receive(RawSocket socket) {
        return JavaCalls.start(k -> socket.receive(k));
    }

    /** Passes messages on between two sockets until one of them closes; see {@link DeviceKt#device}. Cancelling ends it. */
    public static CompletableFuture<@Nullable Void> device(RawSocket left, RawSocket right) {
        return JavaCalls.startWaiting(k -> DeviceKt.device(left, right, k));
    }

    /** Answers {@code request}, once; see {@link Request#reply}. */
    public static CompletableFuture<@Nullable Void> reply(Request request, byte[] message) {
        return JavaCalls.startWaiting(k -> request.reply(message, k));
    }

    /** Sends {@code message} to one peer; ends with its reply. See {@link ReqSocket#request}. */
    public static CompletableFuture<byte[]> request(ReqSocket socket, byte[] message) {
        return JavaCalls.start(k -> socket.request(message, k));
    }
}
