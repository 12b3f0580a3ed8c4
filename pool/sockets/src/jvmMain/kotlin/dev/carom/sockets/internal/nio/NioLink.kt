package dev.carom.sockets.internal.nio

import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.LinkOptions
import java.io.IOException
import java.nio.channels.SelectionKey
import java.nio.channels.SelectionKey.OP_READ
import java.nio.channels.SelectionKey.OP_WRITE
import java.nio.channels.SocketChannel

/**
 * A link on a [NioLoop], which it holds until it has closed.
 *
 *     New ──opened──► Open ──close, failure──► Closed
 *      └──────────────close, failure─────────────┘
 */
internal class NioLink(private val loop: NioLoop, private val options: LinkOptions) :
    Link,
    Ready {
    private lateinit var handler: LinkHandler
    private var key: SelectionKey? = null
    private var ended = false

    /** Changes on the loop. */
    @Volatile
    var closed = false
        private set

    /** As soon as it is open. */
    @Volatile
    var channel: SocketChannel? = null
        private set

    @Volatile
    private var sender: Sender? = null

    @Volatile
    private var paused = false

    @Volatile
    override var remote: String = ""

    /** Ends what was to open this link. On the loop. */
    var whenClosed: () -> Unit = {}

    override val unwritten: Int get() = sender?.unwritten ?: 0

    fun heardBy(handler: LinkHandler) {
        this.handler = handler
    }

    /** On the loop. [channel] is connected and does not block; it is this link's from now on, whatever happens. */
    fun opened(channel: SocketChannel) {
        if (closed) {
            channel.close()
            return
        }
        this.channel = channel
        val sender = Sender(loop, channel, options.sendBuffer)
        sender.whenBlocked = { interest(OP_WRITE, true) }
        sender.whenWritable = { guarded { handler.onWritable() } }
        sender.whenFinished = { whenFinished() }
        sender.whenFailed = { cause -> loop.execute { writeFailed(cause) } }
        this.sender = sender
        whenClosed = {}
        guarded {
            key = channel.register(loop.selector, 0, this)
            handler.onOpen(this)
            if (!closed && !paused) interest(OP_READ, true)
        }
    }

    override fun write(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean =
        sender?.append(head, headSize, body, from, to) ?: true

    override fun flush() {
        sender?.flush()
    }

    override fun pause() {
        paused = true
    }

    override fun resume() {
        if (!paused) return
        paused = false
        if (loop.isCurrent) readAgain() else loop.execute(::readAgain)
    }

    override fun finish() {
        sender?.finish()
    }

    override fun close() {
        if (loop.isCurrent) close(null) else loop.execute { close(null) }
    }

    /** On the loop. */
    fun close(cause: Throwable?) {
        if (closed) return
        closed = true
        whenClosed()
        sender?.close()
        key?.cancel()
        closeQuietly(channel)
        loop.afterClosing {
            try {
                handler.onClosed(cause)
            } finally {
                loop.release()
            }
        }
    }

    override fun ready(key: SelectionKey) {
        val ops = key.readyOps()
        if (ops and OP_WRITE != 0) {
            interest(OP_WRITE, false)
            sender?.flushOnLoop()
        }
        if (ops and OP_READ != 0) read()
    }

    private fun read() {
        var reads = 0
        while (!closed && !ended) {
            if (paused) return interest(OP_READ, false)
            if (reads++ == MOST_READS || !readOnce()) return
        }
    }

    /** Whether there may be more. */
    private fun readOnce(): Boolean {
        val input = loop.input.clear()
        val count = try {
            channel?.read(input) ?: 0
        } catch (e: IOException) {
            close(e)
            return false
        }
        when {
            count > 0 -> {
                input.flip().get(loop.bytes, 0, count)
                guarded { handler.onBytes(loop.bytes, 0, count) }
            }

            count < 0 -> {
                ended = true
                interest(OP_READ, false)
                guarded { handler.onEnd() }
            }
        }
        return count == input.capacity()
    }

    private fun readAgain() {
        if (!closed && !ended && !paused && key != null) interest(OP_READ, true)
    }

    /** What the peer sent before it went away is still heard. */
    private fun writeFailed(cause: Throwable) {
        var reads = 0
        do {
            val more = !closed && !ended && !paused && reads++ < MOST_LAST_READS && readOnce()
        } while (more)
        close(cause)
    }

    private fun whenFinished() {
        if (closed) return
        try {
            channel?.shutdownOutput()
        } catch (e: IOException) {
            close(e)
        }
    }

    private fun interest(op: Int, wanted: Boolean) {
        val key = key?.takeIf { it.isValid } ?: return
        val ops = key.interestOps()
        val changed = if (wanted) ops or op else ops and op.inv()
        if (changed != ops) key.interestOps(changed)
    }

    /** What a handler throws ends the link, and nothing else. */
    private inline fun guarded(call: () -> Unit) {
        try {
            call()
        } catch (e: Throwable) {
            if (loop.isCurrent) close(e) else loop.execute { close(e) }
        }
    }

    private companion object {
        /** Then it is the others' turn. */
        const val MOST_READS = 4
        const val MOST_LAST_READS = 16
    }
}

internal fun closeQuietly(channel: AutoCloseable?) {
    try {
        channel?.close()
    } catch (_: IOException) {
        // It is closed all the same.
    }
}
