package dev.carom.sockets.internal.nio

import dev.carom.sockets.SocketException
import dev.carom.sockets.transport.Acceptor
import dev.carom.sockets.transport.Addressing
import dev.carom.sockets.transport.Framing
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.Listener
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.Transport
import java.io.IOException
import java.net.BindException
import java.net.StandardProtocolFamily
import java.net.UnixDomainSocketAddress
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel
import java.nio.file.Files
import java.nio.file.LinkOption
import java.nio.file.Path
import java.nio.file.attribute.BasicFileAttributes

/** Unix-domain sockets on a [NioLoop]. */
internal class IpcTransport(private val loops: NioLoops) : Transport {
    override val scheme: String get() = "ipc"
    override val addressing: Addressing get() = Addressing.Path
    override val framing: Framing get() = Framing.Typed

    override fun dial(address: SocketAddress, options: LinkOptions, handler: LinkHandler): Link {
        val loop = loops.acquire()
        val link = NioLink(loop, options).apply { heardBy(handler) }
        loop.execute {
            val target = UnixDomainSocketAddress.of(address.path)
            NioDial(loop, link, listOf(target)) { SocketChannel.open(StandardProtocolFamily.UNIX) }.begin()
        }
        return link
    }

    override fun listen(address: SocketAddress, options: LinkOptions, acceptor: Acceptor): Listener {
        val loop = loops.acquire()
        val path = Path.of(address.path)
        // Deleted first: as long as we listen nobody takes the file for a stale one and puts its own there.
        val listener = NioListener(loop, loops, options, acceptor, {}) { runCatching { Files.deleteIfExists(path) } }
        loop.execute {
            try {
                listener.opened(bind(path, address, options), address)
            } catch (e: IOException) {
                listener.close(e)
            } catch (e: SocketException) {
                listener.close(e)
            }
        }
        return listener
    }

    private fun bind(path: Path, address: SocketAddress, options: LinkOptions): ServerSocketChannel {
        val channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        try {
            val where = UnixDomainSocketAddress.of(path)
            try {
                return channel.bind(where, options.backlog)
            } catch (e: BindException) {
                if (!isStale(path)) throw SocketException.AddressInUse(address.toString(), e)
            }
            Files.deleteIfExists(path)
            return channel.bind(where, options.backlog)
        } catch (e: Throwable) {
            closeQuietly(channel)
            throw e
        }
    }

    /** A socket that nobody listens at any more: left by a process that did not clean up. */
    private fun isStale(path: Path): Boolean {
        val file = try {
            Files.readAttributes(path, BasicFileAttributes::class.java, LinkOption.NOFOLLOW_LINKS)
        } catch (_: IOException) {
            return false
        }
        if (!file.isOther) return false
        return SocketChannel.open(StandardProtocolFamily.UNIX).use { probe ->
            try {
                // Not blocking: somebody who listens and is too busy to answer is there all the same.
                probe.configureBlocking(false)
                probe.connect(UnixDomainSocketAddress.of(path))
                false
            } catch (_: IOException) {
                true
            }
        }
    }
}
