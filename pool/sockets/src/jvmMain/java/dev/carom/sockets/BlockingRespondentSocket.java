package dev.carom.sockets;

/** A {@link RespondentSocket} for threads that may block: answers surveys, if it likes. */
public final class BlockingRespondentSocket implements BlockingAnsweringSocket<RespondentSocket> {
    private final RespondentSocket socket;

    private BlockingRespondentSocket(RespondentSocket socket) {
        this.socket = socket;
    }

    /** Another view of {@code socket}. Closing it closes {@code socket}. */
    public static BlockingRespondentSocket of(RespondentSocket socket) {
        return new BlockingRespondentSocket(socket);
    }

    @Override
    public RespondentSocket socket() {
        return socket;
    }

    /** {@code BlockingRespondentSocket} and the socket's name. */
    @Override
    public String toString() {
        return "BlockingRespondentSocket(" + name() + ")";
    }
}
