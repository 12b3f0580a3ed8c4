package dev.carom.sockets.internal.nio

import dev.carom.sockets.SocketException
import dev.carom.sockets.internal.prepare
import dev.carom.sockets.transport.Acceptor
import dev.carom.sockets.transport.Addressing
import dev.carom.sockets.transport.Framing
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.Listener
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.Transport
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import java.io.IOException
import java.net.BindException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.StandardSocketOptions.SO_RCVBUF
import java.net.StandardSocketOptions.SO_REUSEADDR
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel

/** TCP on a [NioLoop]. */
internal class TcpTransport(private val loops: NioLoops) : Transport {
    override val scheme: String get() = "tcp"
    override val addressing: Addressing get() = Addressing.HostPort
    override val framing: Framing get() = Framing.Stream

    override fun dial(address: SocketAddress, options: LinkOptions, handler: LinkHandler): Link {
        val loop = loops.acquire()
        val link = NioLink(loop, options).apply { heardBy(handler) }
        lookUp(loop, address.host, link::close) { hosts ->
            val targets = hosts.map { InetSocketAddress(it, address.port) }
            NioDial(loop, link, targets) { open(address, options) }.begin()
        }
        return link
    }

    override fun listen(address: SocketAddress, options: LinkOptions, acceptor: Acceptor): Listener {
        val loop = loops.acquire()
        val listener = NioListener(loop, loops, options, acceptor, { it.prepare(options) }, {})
        if (address.host in ANY) {
            loop.execute { bind(listener, address, InetSocketAddress(address.port), options) }
        } else {
            lookUp(loop, address.host, listener::close) { hosts ->
                bind(listener, address, InetSocketAddress(hosts.first(), address.port), options)
            }
        }
        return listener
    }

    private fun bind(listener: NioListener, address: SocketAddress, where: InetSocketAddress, options: LinkOptions) {
        val channel = ServerSocketChannel.open()
        try {
            channel.setOption(SO_REUSEADDR, true)
            if (options.systemReceiveBuffer > 0) channel.setOption(SO_RCVBUF, options.systemReceiveBuffer)
            channel.bind(where, options.backlog)
        } catch (e: IOException) {
            closeQuietly(channel)
            return listener.close(if (e.isInUse()) SocketException.AddressInUse(address.toString(), e) else e)
        }
        listener.opened(channel, address.withPort((channel.localAddress as InetSocketAddress).port))
    }

    private fun open(address: SocketAddress, options: LinkOptions): SocketChannel {
        val channel = SocketChannel.open()
        try {
            channel.prepare(options)
            address.local?.let { channel.bind(InetSocketAddress(InetAddress.getByName(it), 0)) }
        } catch (e: IOException) {
            closeQuietly(channel)
            throw e
        }
        return channel
    }

    /** [found] or [failed] on the loop. A name is looked up elsewhere: that blocks, and cannot be interrupted. */
    private fun lookUp(
        loop: NioLoop,
        host: String,
        failed: (Throwable) -> Unit,
        found: (List<InetAddress>) -> Unit,
    ) {
        if (isNumeric(host)) return loop.execute { found(listOf(InetAddress.getByName(host))) }
        lookups.execute {
            val answer = runCatching { InetAddress.getAllByName(host).toList() }
            loop.execute { answer.fold(found) { failed(IOException("no address of $host: ${it.message}", it)) } }
        }
    }

    private companion object {
        val ANY = setOf("", "*")
        const val MOST_LOOKUPS = 16
        val lookups = Dispatchers.IO.limitedParallelism(MOST_LOOKUPS).asExecutor()
        private val V4 = Regex("[0-9]{1,3}(\\.[0-9]{1,3}){3}")

        fun isNumeric(host: String) = ':' in host || V4.matches(host)

        fun IOException.isInUse() = this is BindException && message?.contains("in use") == true
    }
}
