package dev.carom.sockets;

import dev.carom.sockets.internal.FlowPublisher;
import dev.carom.sockets.internal.JavaCalls;
import dev.carom.sockets.transport.NioTransports;
import dev.carom.sockets.transport.Transports;
import java.util.List;
import java.util.concurrent.Flow.Publisher;

/** A {@link SurveyorSocket} for threads that may block: asks every peer at once. */
public final class BlockingSurveyorSocket implements BlockingSocket<SurveyorSocket> {
    private final SurveyorSocket socket;

    private BlockingSurveyorSocket(SurveyorSocket socket) {
        this.socket = socket;
    }

    /** {@link #open(String, SocketPolicy)} with the defaults of {@link SocketPolicy}. */
    public static BlockingSurveyorSocket open(String name) {
        return open(name, new SocketPolicy());
    }

    /**
     * Opens a socket that lives until it is closed. Returns at once.
     *
     * @param name for messages and notices
     * @param policy the numbers
     */
    public static BlockingSurveyorSocket open(String name, SocketPolicy policy) {
        return open(name, policy, NioTransports.all());
    }

    /** {@link #open(String, SocketPolicy)} over {@code transports}. */
    public static BlockingSurveyorSocket open(String name, SocketPolicy policy, Transports transports) {
        return JavaCalls.inOwnScope(scope -> of(OpenSocketsKt.openSurveyorSocket(scope, name, policy, transports)));
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingSurveyorSocket of(SurveyorSocket socket) {
        return new BlockingSurveyorSocket(socket);
    }

    @Override
    public SurveyorSocket socket() {
        return socket;
    }

    /**
     * Asks {@code message} of every peer there is now, and returns what they answer within {@link
     * SocketPolicyBuilder#surveyDeadline()}, when that is over.
     *
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile
     * @throws InterruptedException if the thread was interrupted before or while it waited; the survey ends
     */
    public List<byte[]> survey(byte[] message) throws InterruptedException {
        return JavaCalls.collect(socket.survey(message));
    }

    /** The answers to {@code message} as they come; it is asked anew for each subscriber, when it first asks for an answer. */
    public Publisher<byte[]> answers(byte[] message) {
        return new FlowPublisher<>(socket.survey(message), false);
    }

    /** {@code BlockingSurveyorSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingSurveyorSocket(" + name() + ")";
    }
}
