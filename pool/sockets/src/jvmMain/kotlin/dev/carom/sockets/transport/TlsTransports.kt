package dev.carom.sockets.transport

import dev.carom.pool.net.TlsPolicy
import dev.carom.sockets.internal.tls.TlsTransport

/**
 * TLS 1.3 and 1.2 between a transport and its sockets (sp-tls-mapping): inside it, all is as it is over the transport alone.
 *
 * The JDK's `SSLEngine` computes where the transport calls, its long tasks on `Dispatchers.IO`. Handshakes are bounded in
 * time by the socket's policy. [Link.identity] is the subject of the peer's certificate.
 *
 * **Ends.** A link ends with `close_notify`. A peer that leaves without it is heard to its last whole record all the same:
 * messages tell their own length, so that only one that is cut in two is missing. Its pipe closes with a cause that says so
 * ([dev.carom.sockets.SocketNotice.PipeClosed]), for anybody on the way could have ended it.
 */
public object TlsTransports {
    /**
     * `tls+tcp` over [transport] for `tcp`. To connect, the peer must prove [SocketAddress.authority]; to listen, [policy]
     * must have a key. Key and trust material is read again as the policy says; links that are open go on.
     */
    @JvmStatic
    public fun over(transport: Transport, policy: TlsPolicy): Transport = TlsTransport(transport, policy)
}
