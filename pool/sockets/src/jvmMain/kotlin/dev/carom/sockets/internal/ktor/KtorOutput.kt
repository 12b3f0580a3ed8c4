package dev.carom.sockets.internal.ktor

import dev.carom.sockets.internal.prepare
import dev.carom.sockets.transport.LinkOptions
import io.ktor.network.selector.SelectInterest
import io.ktor.network.selector.Selectable
import io.ktor.network.selector.SelectorManager
import io.ktor.network.sockets.Socket
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.SocketChannel

/**
 * Writes to the channel of a socket itself. ktor's own write channel takes up to 1 MiB that the system has not taken, and
 * does not tell how much of that is lost when the connection fails: nobody could count what was sent.
 */
internal class KtorOutput(socket: Socket, private val selector: SelectorManager) {
    private val selectable = socket as Selectable
    private val channel = socket.channel

    /** Passes on all [parts]; [taken] hears each time how many bytes the system took, and how many messages ended in them. */
    suspend fun write(parts: ArrayDeque<Part>, taken: (Long, Int) -> Unit) {
        while (parts.isNotEmpty()) {
            // The system may take whatever comes: then nothing here ever waits.
            currentCoroutineContext().ensureActive()
            val count = channel.write(next(parts))
            if (count > 0) taken(count, skip(parts, count)) else awaitRoom()
        }
    }

    /** Nothing more will be written: the peer is told. */
    fun finish() {
        channel.shutdownOutput()
    }

    private suspend fun awaitRoom() {
        selectable.interestOp(SelectInterest.WRITE, true)
        selector.select(selectable, SelectInterest.WRITE)
        selectable.interestOp(SelectInterest.WRITE, false)
    }

    /** Not all at once: the JDK copies what is given to it, whatever the system takes of it. */
    private fun next(parts: ArrayDeque<Part>): Array<ByteBuffer> {
        val buffers = ArrayList<ByteBuffer>(minOf(parts.size, MOST_PARTS))
        var room = MOST_BYTES
        for (part in parts) {
            if (room == 0 || buffers.size == MOST_PARTS) break
            buffers += part.view(room).also { room -= it.remaining() }
        }
        return buffers.toTypedArray()
    }

    /** Returns how many messages ended within [count] bytes. */
    private fun skip(parts: ArrayDeque<Part>, count: Long): Int {
        var left = count
        var ends = 0
        while (left > 0) {
            val part = parts.first()
            if (left < part.size) {
                part.skip(left.toInt())
                return ends
            }
            left -= part.size
            if (parts.removeFirst().last) ends++
        }
        return ends
    }

    private companion object {
        const val MOST_PARTS = 64
        const val MOST_BYTES = 1 shl 16
    }
}

/** What ktor stands on. */
internal val Socket.channel: SocketChannel get() = (this as Selectable).channel as SocketChannel

/** As far as it goes: it may be reset already, which whoever uses it is told. */
internal fun Socket.prepare(options: LinkOptions) {
    try {
        channel.prepare(options)
    } catch (_: IOException) {
        return
    }
}
