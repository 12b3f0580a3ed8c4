package dev.carom.gossip

import kotlinx.coroutines.flow.Flow

/**
 * How a [Gossip] reaches other members: datagrams that may be lost, repeated or late, and streams of one question and
 * one answer. It moves bytes and looks into none of them; they are sealed already.
 *
 * A transport serves one [Gossip], which closes it. [packets] and [serve] run beside each other, each at most once at
 * a time; [send] and [ask] are called from several coroutines.
 */
public interface Transport<I> {
    /**
     * The datagrams that arrive, from the collection on; collecting opens the socket again if it was lost. It should
     * never end: if it completes or fails, that is reported, and it is collected again after a pause. A slow
     * collector holds back the socket, whose buffer then overflows: datagrams may be lost.
     */
    public fun packets(): Flow<ByteArray>

    /**
     * Takes streams that others open, reads one request of each, and sends back what [answer] gives for it (null:
     * closes the stream without one). Several at a time; [answer] may be called from several coroutines. It must
     * bound the bytes of a request, [SwimPolicy.MAX_STREAM] and the envelope's, before it makes room for them; and
     * the number and the duration of streams. A stream's failure is not a failure of this function, which never
     * returns by itself, like [packets]. A transport without streams waits for its cancellation.
     */
    public suspend fun serve(answer: suspend (request: ByteArray) -> ByteArray?)

    /**
     * Sends [datagram] to the address of [to], without waiting for anybody but the local network interface. A failure
     * that is thrown is reported and counts as a loss.
     */
    public suspend fun send(to: I, datagram: ByteArray)

    /**
     * Opens a stream to the address of [to], sends [request], and returns the answer, of a bounded size; null: there
     * is none. The caller cancels it when its time is over. A failure that is thrown counts as no answer.
     */
    public suspend fun ask(to: I, request: ByteArray): ByteArray?

    /** Closes everything; nothing is called afterwards. Idempotent. The caller bounds the time it has. */
    public suspend fun close()
}
