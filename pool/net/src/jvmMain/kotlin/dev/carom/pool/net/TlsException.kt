package dev.carom.pool.net

import java.io.IOException
import java.security.cert.X509Certificate

/**
 * TLS failed, before or after the handshake; the subclass is the reason. In a pool it comes as a [TcpException] with the
 * backend and the address.
 */
public sealed class TlsException(message: String, cause: Throwable?) : IOException(message, cause) {
    /** No handshake: no protocol or cipher in common, an alert of the peer, or what came was not TLS. */
    public class Handshake internal constructor(reason: String, cause: Throwable?) :
        TlsException("TLS handshake failed: $reason", cause)

    /** The handshake took longer than [TlsPolicy.handshakeTimeout]. */
    public class TimedOut internal constructor(policy: TlsPolicy) :
        TlsException("TLS handshake did not end within ${policy.handshakeTimeout}", null)

    /**
     * The server's certificate is trusted, but for other names.
     *
     * @property expected the name that was asked for.
     * @property presented the names in the certificate, at most 16; those a peer made too long are cut.
     */
    public class Identity internal constructor(
        public val expected: String,
        public val presented: List<String>,
        cause: Throwable?,
    ) : TlsException("the peer's certificate is for $presented, not for \"$expected\"", cause)

    /** The peer's certificate leads to no authority that is trusted, has expired, or is otherwise not acceptable. */
    public class Untrusted internal constructor(reason: String, cause: Throwable?) :
        TlsException("the peer's certificate is not trusted: $reason", cause)

    /** The server needs a certificate and the client has none (or none from an authority the server names). */
    public class ClientCertificateRequired internal constructor(reason: String, cause: Throwable?) :
        TlsException("a client certificate is required and none was sent: $reason", cause)

    /** The server does not accept the certificate that the client sent. */
    public class ClientCertificateRefused internal constructor(reason: String, cause: Throwable?) :
        TlsException("the peer refused the client certificate: $reason", cause)

    /**
     * The connection ended without TLS's own end, `close_notify` (RFC 8446, section 6.1): what came before is authentic, but
     * may not be all that was sent.
     */
    public class Truncated internal constructor(cause: Throwable?) :
        TlsException("the connection ended without close_notify: what was received may be cut short", cause)

    /** An open session was broken: a record that is not authentic, an alert, or an attempt to renegotiate. */
    public class Broken internal constructor(reason: String, cause: Throwable?) :
        TlsException("TLS session broken: $reason", cause)

    /** This side's own key or trust material cannot be read or used. */
    public class Material internal constructor(source: String, cause: Throwable) :
        TlsException("cannot use $source: ${cause.message}", cause)
}

/**
 * What a handshake agreed on.
 *
 * @property protocol `TLSv1.3` or `TLSv1.2`.
 * @property cipherSuite its name with IANA.
 * @property alpn the application protocol, or null if none was negotiated.
 * @property peerCertificates the peer's certificate and the chain it sent; empty for a client without one.
 */
public class TlsSession internal constructor(
    public val protocol: String,
    public val cipherSuite: String,
    public val alpn: String?,
    public val peerCertificates: List<X509Certificate>,
) {
    /** The subject of the peer's certificate as RFC 2253 writes it, or null if it sent none. */
    public val peerPrincipal: String? get() = peerCertificates.firstOrNull()?.subjectX500Principal?.name

    override fun toString(): String = "TlsSession($protocol, $cipherSuite, alpn=$alpn, peer=$peerPrincipal)"
}
