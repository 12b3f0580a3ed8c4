package dev.carom.pool.net.internal

import io.ktor.utils.io.ByteChannel
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.InternalAPI
import kotlinx.io.Source
import java.io.IOException

/**
 * [bytes], and at their end either an end or a failure. A channel that was cancelled reads as if it had ended; that would be
 * a truncation nobody notices.
 */
@OptIn(InternalAPI::class)
internal class TlsInput(private val bytes: ByteChannel) : ByteReadChannel {
    @Volatile
    private var failure: IOException? = null

    /** No more bytes; reads after those that are there fail with [cause]. */
    fun end(cause: IOException) {
        failure = cause
        bytes.close()
    }

    override val closedCause: Throwable? get() = bytes.closedCause ?: failure?.takeIf { bytes.isClosedForRead }

    // While there is a failure to throw, readers must come to where it is thrown.
    override val isClosedForRead: Boolean
        get() = bytes.isClosedForRead && (failure == null || bytes.closedCause != null)

    @InternalAPI
    override val readBuffer: Source
        get() {
            if (bytes.isClosedForRead && bytes.closedCause == null) failure?.let { throw it }
            return bytes.readBuffer
        }

    override suspend fun awaitContent(min: Int): Boolean {
        if (bytes.awaitContent(min)) return true
        failure?.let { throw it }
        return false
    }

    override fun cancel(cause: Throwable?): Unit = bytes.cancel(cause)
}
