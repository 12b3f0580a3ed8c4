package dev.carom.sockets;

import dev.carom.sockets.internal.FlowPublisher;
import dev.carom.sockets.internal.JavaCalls;
import java.util.List;
import java.util.concurrent.Flow.Publisher;

/** A {@link SurveyorSocket} for threads that may block: asks every peer at once. */
public final class BlockingSurveyorSocket implements BlockingSocket<SurveyorSocket> {
    private final SurveyorSocket socket;

    private BlockingSurveyorSocket(SurveyorSocket socket) {
        this.socket = socket;
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
