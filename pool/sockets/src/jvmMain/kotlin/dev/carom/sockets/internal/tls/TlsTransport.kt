package dev.carom.sockets.internal.tls

import dev.carom.pool.net.TlsEngine
import dev.carom.pool.net.TlsPolicy
import dev.carom.sockets.transport.Acceptor
import dev.carom.sockets.transport.Addressing
import dev.carom.sockets.transport.Framing
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.Listener
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.Transport

/** TLS over [inner]. */
internal class TlsTransport(private val inner: Transport, private val policy: TlsPolicy) : Transport {
    private val tls = TlsEngine(policy)

    override val scheme: String = "tls+${inner.scheme}"
    override val addressing: Addressing get() = inner.addressing
    override val framing: Framing get() = inner.framing

    init {
        require(addressing == Addressing.HostPort) { "a peer behind ${inner.scheme}:// has no name to prove" }
    }

    override fun dial(address: SocketAddress, options: LinkOptions, handler: LinkHandler): Link {
        val link = TlsLink { tls.clientEngine(address.authority, address.port) }
        link.heardBy(handler)
        link.over(inner.dial(below(address), options, link))
        return link
    }

    override fun listen(address: SocketAddress, options: LinkOptions, acceptor: Acceptor): Listener {
        checkNotNull(policy.key) { "to listen at $address a key is needed: $policy" }
        return inner.listen(below(address), options, SecureAcceptor(address, acceptor))
    }

    private fun below(address: SocketAddress) =
        SocketAddress.hostPort(inner.scheme, address.host, address.port, address.local, address.authority)

    private inner class SecureAcceptor(private val address: SocketAddress, private val acceptor: Acceptor) : Acceptor {
        override fun onBound(address: SocketAddress) = acceptor.onBound(this.address.withPort(address.port))

        override fun onAccept(link: Link): LinkHandler? {
            val secured = TlsLink { tls.serverEngine() }
            secured.over(link)
            secured.heardBy(acceptor.onAccept(secured) ?: return null)
            return secured
        }

        override fun onAcceptFailed(cause: Throwable) = acceptor.onAcceptFailed(cause)

        override fun onClosed(cause: Throwable?) = acceptor.onClosed(cause)
    }
}
