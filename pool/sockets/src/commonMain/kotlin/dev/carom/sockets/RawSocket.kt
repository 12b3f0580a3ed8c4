package dev.carom.sockets

import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.WORD
import kotlinx.coroutines.flow.Flow

/**
 * A socket without its protocol's conversation: headers are seen and passed on, and nothing is remembered between messages.
 * Peers see no difference. [device] joins two of them.
 *
 * What a header is depends on the role. REP and RESPONDENT: the pipe it came from, then a word per hop before, last the id,
 * the only one whose highest bit is set; at most [SocketPolicy.maxHops] words came. REQ and SURVEYOR: the same without the
 * pipe. PAIR v1: the count of hops. BUS: the pipe it came from. All others: none.
 */
public interface RawSocket : MessageSocket {
    /**
     * Sends [message]. REQ, PUSH, PAIR: to one peer, and waits while none has room. REP and RESPONDENT: to the pipe that its
     * first word names, without the word; never waits. SURVEYOR, PUB: to every peer. BUS: to every peer but the one that its
     * header names. A message whose header leads nowhere is dropped and counted, and that is no failure.
     *
     * *Cancelled* while waiting, nothing was sent.
     *
     * @throws SocketException.TimedOut if it was not accepted within [SocketPolicy.sendTimeout].
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile.
     * @throws UnsupportedOperationException if the role does not send.
     */
    public suspend fun send(message: RawMessage)

    /**
     * The next message, from every peer in turn. *Cancelled*, none is lost.
     *
     * @throws SocketException.TimedOut if none came within [SocketPolicy.receiveTimeout].
     * @throws SocketException.Closed if the socket is closed, or closes meanwhile.
     * @throws UnsupportedOperationException if the role does not receive.
     */
    public suspend fun receive(): RawMessage

    /** All messages from now on, shared with others who receive. Completes when the socket closes. */
    public val messages: Flow<RawMessage>
}

/** A message and its header. Immutable: nobody changes the array of a body that was handed over or received. */
public class RawMessage internal constructor(internal val hop: Int, private val words: Int, internal val rest: Body) {
    /** A message with this [header], one word per hop, and this [body]. */
    public constructor(header: IntArray, body: ByteArray) : this(0, header.size, Body(joined(header, body)))

    /** The words in front of the body. */
    public val header: IntArray
        get() {
            val inside = IntArray(words) { rest.word(it * WORD) }
            return if (hop == 0) inside else intArrayOf(hop) + inside
        }

    /** What the user says. */
    public val body: ByteArray get() = rest.drop(words * WORD).toByteArray()

    /** The sizes, never what is in it. */
    override fun toString(): String = "RawMessage(${header.size} words, ${rest.size - words * WORD} bytes)"

    private companion object {
        fun joined(header: IntArray, body: ByteArray): ByteArray {
            val all = ByteArray(header.size * WORD + body.size)
            for (i in 0 until header.size * WORD) all[i] = (header[i / WORD] ushr (24 - 8 * (i % WORD))).toByte()
            body.copyInto(all, header.size * WORD)
            return all
        }
    }
}
