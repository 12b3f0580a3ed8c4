package dev.carom.sockets.transport

import dev.carom.pool.net.TlsPolicy
import dev.carom.sockets.internal.tls.TlsTransport

/**
 * TLS 1.3 and 1.2 between a transport and its sockets (sp-tls-mapping): inside it, all is as it is over the transport alone.
 *
 * The JDK's `SSLEngine` computes where the transport calls, its long tasks on `Dispatchers.IO`. Handshakes are bounded in
 * time by the socket's policy. A peer must end its side with `close_notify`: a bare end breaks the link. [Link.identity] is
 * the subject of the peer's certificate.
 */
public object TlsTransports {
    /**
     * `tls+tcp` over [transport] for `tcp`. To connect, the peer must prove [SocketAddress.authority]; to listen, [policy]
     * must have a key. Key and trust material is read again as the policy says; links that are open go on.
     */
    @JvmStatic
    public fun over(transport: Transport, policy: TlsPolicy): Transport = TlsTransport(transport, policy)
}
