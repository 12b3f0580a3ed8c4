package dev.carom.gossip;

import dev.carom.gossip.internal.BlockingAdapters;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * How a member reaches others, by calls that block: {@link Transport} for those who write Java. It moves bytes and looks
 * into none of them; they are sealed already.
 *
 * <p>Calls run on virtual threads from JDK 24 on, else on threads of {@code Dispatchers.IO}, 64 at most for each
 * transport. {@link #receive} and {@link #serve} run beside each other, each at most once at a time; {@link #send} and
 * {@link #ask} are called from several threads. One transport serves one member, which closes it.
 *
 * <p>When a call is not wanted any more its thread is interrupted, and nobody waits for it until {@link #close()}, which
 * must end every other call, as closing a socket does: then all of them are waited for.
 */
public interface BlockingTransport<I> {
    /**
     * The next datagram; waits for it, and opens the socket again if it was lost. Called again as soon as it returns.
     *
     * @throws Exception if it cannot: this is told ({@link GossipNotice.TransportFailed}), and it is called again after a
     *     pause
     */
    byte[] receive() throws Exception;

    /**
     * Takes streams that others open, reads one request of each, and sends back what {@code answers} gives for it. Never
     * returns by itself. It must bound the bytes of a request, {@link SwimPolicy#MAX_STREAM} and the envelope's, before
     * it makes room for them; and the number and the duration of streams. A stream's failure is not a failure of this
     * method.
     *
     * @throws Exception if no stream can be taken any more: this is told, and it is called again after a pause
     */
    void serve(Answers answers) throws Exception;

    /**
     * Sends {@code datagram} to the address of {@code to}, without waiting for anybody but the local network interface.
     *
     * @throws Exception counts as a loss, and is told
     */
    void send(I to, byte[] datagram) throws Exception;

    /**
     * Opens a stream to the address of {@code to}, sends {@code request}, and returns the answer, of a bounded size; null:
     * there is none. Interrupted when its time is over.
     *
     * @throws Exception counts as no answer
     */
    byte @Nullable [] ask(I to, byte[] request) throws Exception;

    /**
     * Closes everything, and ends calls that wait. Idempotent.
     *
     * @throws Exception is ignored
     */
    void close() throws Exception;

    /** What openGossip takes. One transport, one use. */
    default Transport<I> transport() {
        return BlockingAdapters.transport(this);
    }

    /** The member's side of a stream that another one opened. */
    @FunctionalInterface
    interface Answers {
        /**
         * The answer to {@code request}; null: close the stream without one. May be called from several threads. Not to be
         * implemented by users.
         *
         * @throws IOException if the member is closing
         * @throws InterruptedException if the thread was interrupted while it waited
         */
        byte @Nullable [] answer(byte[] request) throws IOException, InterruptedException;
    }
}
