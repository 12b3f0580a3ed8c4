package dev.carom.pool.net.internal

import dev.carom.pool.net.TlsException
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.readAvailable
import io.ktor.utils.io.writeFully
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.io.IOException
import java.nio.ByteBuffer
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLEngineResult
import javax.net.ssl.SSLEngineResult.HandshakeStatus
import javax.net.ssl.SSLEngineResult.Status
import javax.net.ssl.SSLException

/**
 * TLS records over a pair of channels: the engine and its three buffers, each of the size of one record, whatever the peer
 * sends. [handshake] and [receive] are for one coroutine; [send] and [sendEnd] for any.
 */
internal class TlsRecords(
    private val engine: SSLEngine,
    private val input: ByteReadChannel,
    private val output: ByteWriteChannel,
) {
    /** Received, not yet unwrapped: between position and limit. */
    private var sealed = ByteBuffer.allocate(engine.session.packetBufferSize).flip()

    /** Unwrapped: up to position. */
    private var plain = ByteBuffer.allocate(engine.session.applicationBufferSize)
    private var wrapped = ByteBuffer.allocate(engine.session.packetBufferSize)
    private val sending = Mutex()

    /** Why something of the handshake could not be sent. The peer may have said why it no longer listens. */
    private var unsent: IOException? = null

    /** Completes with the peer's first whole record after the handshake, though it be only for TLS. */
    val heard: CompletableDeferred<Unit> = CompletableDeferred()

    suspend fun handshake() {
        engine.beginHandshake()
        while (true) {
            when (engine.handshakeStatus) {
                HandshakeStatus.NEED_TASK -> runTasks()

                HandshakeStatus.NEED_WRAP -> wrapHandshake()

                HandshakeStatus.NEED_UNWRAP, HandshakeStatus.NEED_UNWRAP_AGAIN -> unwrapHandshake()

                else -> {
                    if (unsent == null) return
                    // Over on this side only. What the peer has said against it, it said before it closed.
                    plain.clear()
                    unwrapHandshake()
                }
            }
        }
    }

    /** A failure to send is not the end: a peer that refuses sends an alert, then closes, and resets what comes after. */
    private suspend fun wrapHandshake() {
        try {
            wrap(EMPTY)
            output.flush()
        } catch (e: SSLException) {
            throw e
        } catch (e: IOException) {
            if (unsent == null) unsent = e
        }
    }

    private suspend fun unwrapHandshake() {
        val result = unwrap()
        when (result.status) {
            Status.BUFFER_UNDERFLOW ->
                if (!fill()) throw unsent ?: SSLException("the peer closed in the middle of the handshake")

            Status.CLOSED -> throw SSLException("the peer ended the session in the middle of the handshake")

            else -> Unit
        }
    }

    /**
     * The next bytes of the peer, valid until the next call; null when it has ended its side in order.
     *
     * @param answer called when TLS itself owes the peer something: it must have [send] called, not necessarily at once.
     */
    suspend fun receive(answer: suspend () -> Unit): ByteBuffer? {
        plain.clear()
        while (true) {
            val result = unwrap()
            val ended = result.status == Status.CLOSED
            if (result.status == Status.BUFFER_UNDERFLOW) {
                if (!fill()) throw TlsException.Truncated(null)
                continue
            }
            heard.complete(Unit)
            if (!ended) housekeeping(result.handshakeStatus, answer)
            if (plain.position() > 0) return plain.flip()
            if (ended) return null
        }
    }

    /** In TLS 1.3 only tickets and new keys come after the handshake; what TLS 1.2 could begin then is a renegotiation. */
    private suspend fun housekeeping(status: HandshakeStatus, answer: suspend () -> Unit) {
        if (status == HandshakeStatus.NOT_HANDSHAKING || status == HandshakeStatus.FINISHED) return
        if (engine.session.protocol != "TLSv1.3") throw TlsException.Broken("the peer asked to renegotiate", null)
        if (status == HandshakeStatus.NEED_TASK) runTasks()
        if (engine.handshakeStatus == HandshakeStatus.NEED_WRAP) answer()
    }

    /** Seals [bytes], all of them, and whatever TLS itself has to say. Flushes nothing. */
    suspend fun send(bytes: ByteBuffer) = sending.withLock {
        do wrap(bytes) while (bytes.hasRemaining())
    }

    /** What TLS itself has to say; for [receive]. */
    suspend fun sendAnswer() = sending.withLock {
        var rounds = 0
        while (engine.handshakeStatus == HandshakeStatus.NEED_WRAP && rounds++ < MAX_ANSWERS) wrap(EMPTY)
        output.flush()
    }

    /** The end of this side: `close_notify`, or the alert of the failure before it. */
    suspend fun sendEnd() = sending.withLock {
        engine.closeOutbound()
        var rounds = 0
        while (!engine.isOutboundDone && rounds++ < MAX_ANSWERS) if (wrap(EMPTY) == Status.CLOSED) break
        output.flush()
    }

    private suspend fun wrap(bytes: ByteBuffer): Status {
        wrapped.clear()
        val result = engine.wrap(bytes, wrapped)
        when {
            result.status == Status.BUFFER_OVERFLOW -> wrapped = larger(wrapped, engine.session.packetBufferSize)

            result.status == Status.CLOSED && bytes.hasRemaining() -> throw SSLException("the session has ended")

            // A renegotiation that has begun: the receiving side refuses it.
            bytes.hasRemaining() && result.bytesConsumed() + result.bytesProduced() == 0 ->
                throw SSLException("the peer asked to renegotiate")
        }
        if (wrapped.flip().hasRemaining()) output.writeFully(wrapped)
        return result.status
    }

    private fun unwrap(): SSLEngineResult {
        val result = engine.unwrap(sealed, plain)
        if (result.status == Status.BUFFER_OVERFLOW) {
            plain = larger(plain, engine.session.applicationBufferSize + plain.position())
        }
        return result
    }

    /** Reads some. False at the end of the stream. */
    private suspend fun fill(): Boolean {
        sealed.compact()
        if (!sealed.hasRemaining()) sealed = larger(sealed, engine.session.packetBufferSize)
        val read = input.readAvailable(sealed)
        sealed.flip()
        // The channel tells an end by failure from one in order only here.
        if (read < 0) input.closedCause?.let { throw it }
        return read >= 0
    }

    private suspend fun runTasks() {
        while (true) {
            val task = engine.delegatedTask ?: return
            // Signatures, chains of certificates, perhaps a user's trust manager that asks the network.
            withContext(Dispatchers.IO) { task.run() }
        }
    }

    private companion object {
        val EMPTY: ByteBuffer = ByteBuffer.allocate(0)

        /** No record is larger, in any version (RFC 8446, section 5.2, RFC 5246, section 6.2.3), even twice over. */
        const val MAX_BUFFER = 65_536
        const val MAX_ANSWERS = 16

        /** A copy of [buffer], filled as it is up to its position, with room for [size]. */
        fun larger(buffer: ByteBuffer, size: Int): ByteBuffer {
            if (size <= buffer.capacity() || size > MAX_BUFFER) {
                throw SSLException("a record of more than ${buffer.capacity()} bytes")
            }
            return ByteBuffer.allocate(size).put(buffer.flip())
        }
    }
}
