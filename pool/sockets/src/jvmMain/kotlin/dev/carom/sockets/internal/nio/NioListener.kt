package dev.carom.sockets.internal.nio

import dev.carom.sockets.transport.Acceptor
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.Listener
import dev.carom.sockets.transport.SocketAddress
import java.io.IOException
import java.nio.channels.SelectionKey
import java.nio.channels.SelectionKey.OP_ACCEPT
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel

/**
 * Accepts links on a [NioLoop], which it holds until it has closed.
 *
 * @param prepare sets the options of an accepted channel.
 * @param release frees the address before the channel is closed.
 */
internal class NioListener(
    private val loop: NioLoop,
    private val loops: NioLoops,
    private val options: LinkOptions,
    private val acceptor: Acceptor,
    private val prepare: (SocketChannel) -> Unit,
    private val release: () -> Unit,
) : Listener,
    Ready {
    private var channel: ServerSocketChannel? = null
    private var key: SelectionKey? = null
    private var closed = false

    /** On the loop. */
    fun opened(channel: ServerSocketChannel, address: SocketAddress) {
        this.channel = channel
        if (closed) {
            release()
            closeQuietly(channel)
            return
        }
        try {
            channel.configureBlocking(false)
            key = channel.register(loop.selector, OP_ACCEPT, this)
            acceptor.onBound(address)
        } catch (e: Throwable) {
            close(e)
        }
    }

    override fun close() = loop.execute { close(null) }

    /** On the loop. */
    fun close(cause: Throwable?) {
        if (closed) return
        closed = true
        if (channel != null) release()
        key?.cancel()
        closeQuietly(channel)
        loop.afterClosing {
            try {
                acceptor.onClosed(cause)
            } finally {
                loop.release()
            }
        }
    }

    override fun ready(key: SelectionKey) {
        try {
            var count = 0
            while (!closed && count++ < MOST_AT_ONCE) accepted(channel?.accept() ?: return)
        } catch (e: IOException) {
            pause(e)
        }
    }

    private fun accepted(channel: SocketChannel) {
        val link = NioLink(loops.acquire(), options)
        try {
            channel.configureBlocking(false)
            prepare(channel)
            link.remote = describe(channel)
        } catch (e: IOException) {
            // It is gone already.
            loop.release()
            return closeQuietly(channel)
        }
        val handler = try {
            acceptor.onAccept(link)
        } catch (e: RuntimeException) {
            acceptor.onAcceptFailed(e)
            null
        }
        if (handler == null) {
            loop.release()
            return closeQuietly(channel)
        }
        link.heardBy(handler)
        link.opened(channel)
    }

    /** For want of descriptors, mostly: trying at once would only fail again. */
    private fun pause(cause: IOException) {
        acceptor.onAcceptFailed(cause)
        val key = key?.takeIf { it.isValid } ?: return
        key.interestOps(0)
        loop.schedule(PAUSE_NANOS) { if (key.isValid) key.interestOps(OP_ACCEPT) }
    }

    private companion object {
        const val MOST_AT_ONCE = 16
        const val PAUSE_NANOS = 100_000_000L
    }
}
