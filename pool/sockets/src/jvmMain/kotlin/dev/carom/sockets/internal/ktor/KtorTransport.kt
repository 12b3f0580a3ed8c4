package dev.carom.sockets.internal.ktor

import dev.carom.sockets.transport.Acceptor
import dev.carom.sockets.transport.Addressing
import dev.carom.sockets.transport.Framing
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.Listener
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.Transport
import io.ktor.network.selector.SelectorManager
import io.ktor.network.sockets.Socket
import io.ktor.network.sockets.aSocket
import java.io.IOException

/** One kind of address, on ktor-network. */
internal class KtorTransport(
    override val scheme: String,
    override val addressing: Addressing,
    override val framing: Framing,
    private val reactor: KtorReactor,
    private val addresses: KtorAddresses,
) : Transport {
    override fun dial(address: SocketAddress, options: LinkOptions, handler: LinkHandler): Link {
        val link = KtorLink(reactor, options)
        link.heardBy(handler)
        link.start { selector -> connect(selector, address, options) }
        return link
    }

    override fun listen(address: SocketAddress, options: LinkOptions, acceptor: Acceptor): Listener =
        KtorListener(reactor, addresses, address, options, acceptor).also { it.start() }

    private suspend fun connect(selector: SelectorManager, address: SocketAddress, options: LinkOptions): Socket {
        var failure: IOException? = null
        for (target in addresses.targets(address)) {
            try {
                return aSocket(selector).tcp().connect(target) {
                    noDelay = options.noDelay
                    keepAlive = options.keepAlive
                    if (options.systemSendBuffer > 0) sendBufferSize = options.systemSendBuffer
                    if (options.systemReceiveBuffer > 0) receiveBufferSize = options.systemReceiveBuffer
                }.also { it.prepare(options) }
            } catch (e: IOException) {
                val named = IOException("$target: ${e.message}", e)
                failure?.let(named::addSuppressed)
                failure = named
            }
        }
        throw failure ?: IOException("$address has no address to connect to")
    }
}
