package dev.carom.pool.net.internal

import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.availableForRead
import io.ktor.utils.io.readAvailable
import io.ktor.utils.io.writeFully
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.runBlocking
import java.io.IOException
import java.io.InputStream
import java.io.InterruptedIOException
import java.io.OutputStream
import java.util.Objects

internal class ChannelInputStream(private val input: ByteReadChannel, private val checkOpen: () -> Unit) :
    InputStream() {
    override fun read(): Int {
        val one = ByteArray(1)
        return if (read(one, 0, 1) < 0) -1 else one[0].toInt() and BYTE
    }

    override fun read(b: ByteArray, off: Int, len: Int): Int {
        Objects.checkFromIndexSize(off, len, b.size)
        if (len == 0) return 0
        return blocking(checkOpen) {
            var read: Int
            do read = input.readAvailable(b, off, len) while (read == 0)
            read
        }
    }

    override fun available(): Int = if (input.isClosedForRead) 0 else input.availableForRead
}

internal class ChannelOutputStream(private val output: ByteWriteChannel, private val checkOpen: () -> Unit) :
    OutputStream() {
    override fun write(b: Int): Unit = write(byteArrayOf(b.toByte()), 0, 1)

    override fun write(b: ByteArray, off: Int, len: Int) {
        Objects.checkFromIndexSize(off, len, b.size)
        blocking(checkOpen) {
            output.writeFully(b, off, off + len)
            // As a plain socket does: a caller who never flushes would wait for ever for an answer to what never left.
            output.flush()
        }
    }

    override fun flush(): Unit = blocking(checkOpen) { output.flush() }

    override fun close(): Unit = flush()
}

private const val BYTE = 0xff

// Parks the thread, platform or virtual, and wakes it on interrupt.
private fun <T> blocking(checkOpen: () -> Unit, call: suspend () -> T): T = try {
    checkOpen()
    // Again after: a channel that is closed in the middle of a call lets it return as if it had been done.
    runBlocking { call() }.also { checkOpen() }
} catch (_: InterruptedException) {
    Thread.currentThread().interrupt()
    throw InterruptedIOException("interrupted while waiting for the peer")
} catch (e: CancellationException) {
    // Not this thread's: the channel was cancelled when the connection was closed from this side.
    throw IOException("the connection is closed", e)
}
