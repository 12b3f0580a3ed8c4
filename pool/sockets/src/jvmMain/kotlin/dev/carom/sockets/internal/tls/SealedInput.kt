package dev.carom.sockets.internal.tls

import java.nio.ByteBuffer
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLEngineResult.HandshakeStatus
import javax.net.ssl.SSLEngineResult.Status

/** Records that came and are not opened yet, and the last that was. */
internal class SealedInput {
    sealed interface Read {
        /** [count] bytes of [bytes], which are used again; none of a record that is TLS's own. */
        class Bytes(val bytes: ByteArray, val count: Int, val status: HandshakeStatus) : Read

        /** No whole record is there. */
        data object Nothing : Read

        /** The peer has said its end. */
        data object End : Read
    }

    private var sealed = ByteBuffer.allocate(0)
    private var opened = ByteBuffer.allocate(0)

    /** Whether there is nothing, not even part of a record. */
    val isEmpty: Boolean get() = !sealed.hasRemaining()

    fun add(bytes: ByteArray) {
        sealed = if (!sealed.hasRemaining()) {
            ByteBuffer.wrap(bytes)
        } else {
            ByteBuffer.allocate(sealed.remaining() + bytes.size).put(sealed).put(bytes).flip()
        }
    }

    /** Opens one record. @throws javax.net.ssl.SSLException if it is none. */
    fun open(engine: SSLEngine): Read {
        if (!sealed.hasRemaining() && engine.handshakeStatus != HandshakeStatus.NEED_UNWRAP_AGAIN) return Read.Nothing
        while (true) {
            val result = engine.unwrap(sealed, opened.clear())
            when (result.status) {
                Status.OK -> {
                    val stuck = result.bytesConsumed() == 0 && result.bytesProduced() == 0 &&
                        result.handshakeStatus == HandshakeStatus.NEED_UNWRAP
                    return if (stuck) {
                        Read.Nothing
                    } else {
                        Read.Bytes(opened.array(), result.bytesProduced(), result.handshakeStatus)
                    }
                }

                Status.BUFFER_UNDERFLOW -> return Read.Nothing

                Status.BUFFER_OVERFLOW ->
                    opened = ByteBuffer.allocate(maxOf(engine.session.applicationBufferSize, opened.capacity() * 2))

                Status.CLOSED, null -> return Read.End
            }
        }
    }
}
