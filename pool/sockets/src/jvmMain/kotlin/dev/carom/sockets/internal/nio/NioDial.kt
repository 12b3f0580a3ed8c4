package dev.carom.sockets.internal.nio

import dev.carom.sockets.internal.refuseItself
import java.io.IOException
import java.net.InetSocketAddress
import java.net.SocketAddress
import java.nio.channels.SelectionKey
import java.nio.channels.SelectionKey.OP_CONNECT
import java.nio.channels.SocketChannel

/**
 * Connects a link to one of several addresses: one after another, the next one when the one before has failed or said
 * nothing for 250 ms (RFC 8305, section 5). The first to answer wins; the others are closed. On the loop.
 *
 * @param open makes a channel for an address, without connecting it.
 */
internal class NioDial(
    private val loop: NioLoop,
    private val link: NioLink,
    private val addresses: List<SocketAddress>,
    private val open: (SocketAddress) -> SocketChannel,
) {
    private val attempts = LinkedHashSet<SocketChannel>()
    private var next = 0
    private var done = false
    private var failure: IOException? = null

    fun begin() {
        if (link.closed) return
        link.whenClosed = ::end
        tryNext()
    }

    private fun tryNext() {
        if (done) return
        while (next < addresses.size) {
            val address = addresses[next++]
            try {
                if (tryOne(address)) return
            } catch (e: IOException) {
                failed(address, e)
            } catch (e: IllegalArgumentException) {
                // UnresolvedAddressException and the like
                failed(address, IOException("$address: ${e.message}", e))
            }
        }
        if (attempts.isEmpty()) link.close(failure ?: IOException("no address to connect to"))
    }

    /** Whether it is under way. */
    private fun tryOne(address: SocketAddress): Boolean {
        val channel = open(address)
        try {
            channel.configureBlocking(false)
            if (channel.connect(address)) {
                channel.refuseItself()
                won(channel)
                return true
            }
            attempts.add(channel)
            channel.register(loop.selector, OP_CONNECT, Ready { key -> connected(address, channel, key) })
        } catch (e: IOException) {
            channel.close()
            throw e
        }
        if (next < addresses.size) loop.schedule(STAGGER_NANOS, ::tryNext)
        return true
    }

    private fun connected(address: SocketAddress, channel: SocketChannel, key: SelectionKey) {
        try {
            if (!channel.finishConnect()) return
            channel.refuseItself()
            attempts.remove(channel)
            key.cancel()
            won(channel)
        } catch (e: IOException) {
            attempts.remove(channel)
            closeQuietly(channel)
            failed(address, e)
            tryNext()
        }
    }

    private fun won(channel: SocketChannel) {
        if (done) return closeQuietly(channel)
        end()
        link.remote = describe(channel)
        // Registered again, by the link: after the selector has let go of the attempt's key.
        loop.afterClosing { link.opened(channel) }
    }

    private fun failed(address: SocketAddress, e: IOException) {
        val named = IOException("$address: ${e.message}", e)
        failure?.let(named::addSuppressed)
        failure = named
    }

    private fun end() {
        done = true
        attempts.forEach(::closeQuietly)
        attempts.clear()
    }

    private companion object {
        const val STAGGER_NANOS = 250_000_000L
    }
}

internal fun describe(channel: SocketChannel): String = when (val address = channel.remoteAddress) {
    is InetSocketAddress -> {
        val host = address.address?.hostAddress ?: address.hostString
        if (':' in host) "[$host]:${address.port}" else "$host:${address.port}"
    }

    else -> address?.toString().orEmpty()
}
