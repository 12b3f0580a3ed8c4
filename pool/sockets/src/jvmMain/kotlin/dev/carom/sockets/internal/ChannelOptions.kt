package dev.carom.sockets.internal

import dev.carom.sockets.transport.LinkOptions
import jdk.net.ExtendedSocketOptions
import java.net.ConnectException
import java.net.InetSocketAddress
import java.net.SocketOption
import java.net.StandardSocketOptions
import java.nio.channels.SocketChannel

/**
 * Asks for [options], as far as this kind of channel, this JVM and this system have words for them.
 *
 * @throws java.io.IOException if the channel is closed, or was reset.
 */
internal fun SocketChannel.prepare(options: LinkOptions) {
    val supported = supportedOptions()
    fun <T : Any> ask(option: SocketOption<T>, value: T, unless: T) {
        if (value != unless && option in supported) setOption(option, value)
    }
    if (StandardSocketOptions.TCP_NODELAY in supported) setOption(StandardSocketOptions.TCP_NODELAY, options.noDelay)
    ask(StandardSocketOptions.SO_SNDBUF, options.systemSendBuffer, 0)
    ask(StandardSocketOptions.SO_RCVBUF, options.systemReceiveBuffer, 0)
    if (!options.keepAlive) return
    ask(StandardSocketOptions.SO_KEEPALIVE, true, false)
    ask(ExtendedSocketOptions.TCP_KEEPIDLE, options.keepAliveIdle.inWholeSeconds.toInt(), 0)
    ask(ExtendedSocketOptions.TCP_KEEPINTERVAL, options.keepAliveInterval.inWholeSeconds.toInt(), 0)
    ask(ExtendedSocketOptions.TCP_KEEPCOUNT, options.keepAliveCount, 0)
}

/**
 * Refuses to be connected to itself. While nobody listens on a port of the range that clients' ports are taken from, a connect
 * may be given that very port, and meet itself (simultaneous open: RFC 9293, section 3.5). It would pass for a peer, and keep
 * the port from the server that comes back. Reset, not closed: TIME-WAIT would keep the port, too.
 *
 * @throws ConnectException if it was; the channel is closed.
 */
internal fun SocketChannel.refuseItself() {
    val local = localAddress
    if (local !is InetSocketAddress || local != remoteAddress) return
    setOption(StandardSocketOptions.SO_LINGER, 0)
    close()
    throw ConnectException("Connection refused: nobody listens there, and the system connected the port to itself")
}
