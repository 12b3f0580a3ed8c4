package dev.carom.pool.net

import dev.carom.pool.Backend
import java.io.IOException

/**
 * A connection could not be opened, or was lost. The subclass is the reason; the message names the backend and the address.
 *
 * When a name has several addresses, the exception is that of the last one tried and the others are its suppressed ones.
 *
 * @property backend the backend that was dialled.
 */
public sealed class TcpException(public val backend: Backend, message: String, cause: Throwable?) :
    IOException(message, cause) {
    /** The backend's host is a name that has no address, an address that cannot be read, or its lookup took too long. */
    public class UnknownHost internal constructor(backend: Backend, reason: String, cause: Throwable?) :
        TcpException(backend, "cannot resolve ${backend.host} of $backend: $reason", cause)

    /** The peer's host answered that nobody listens there. */
    public class Refused internal constructor(backend: Backend, address: String, cause: Throwable?) :
        TcpException(backend, "$backend refused the connection at $address", cause)

    /** Nobody answered within [TcpPolicy.connectTimeout]. */
    public class TimedOut internal constructor(backend: Backend, address: String, policy: TcpPolicy) :
        TcpException(backend, "$backend did not accept at $address within ${policy.connectTimeout}", null)

    /** There is no way to the peer's network or host. */
    public class Unreachable internal constructor(backend: Backend, address: String, cause: Throwable?) :
        TcpException(backend, "$backend cannot be reached at $address: ${cause?.message}", cause)

    /** The peer, or something on the way, broke an open connection off. Bytes may be lost in both directions. */
    public class Reset internal constructor(backend: Backend, address: String, cause: Throwable?) :
        TcpException(backend, "connection to $backend at $address was reset: ${cause?.message}", cause)

    /** No TLS handshake: nothing in common, an alert, or what answered does not speak TLS. The cause says more. */
    public class TlsHandshake internal constructor(backend: Backend, address: String, cause: TlsException) :
        TcpException(backend, tls(backend, address, cause), cause)

    /** The TLS handshake took longer than [TlsPolicy.handshakeTimeout]. */
    public class TlsTimedOut internal constructor(backend: Backend, address: String, cause: TlsException) :
        TcpException(backend, tls(backend, address, cause), cause)

    /**
     * The server's certificate is trusted, but for other names.
     *
     * @property expected the name it had to prove: the backend's authority.
     * @property presented the names in the certificate, at most 16.
     */
    public class TlsIdentity internal constructor(backend: Backend, address: String, cause: TlsException.Identity) :
        TcpException(backend, tls(backend, address, cause), cause) {
        public val expected: String = cause.expected
        public val presented: List<String> = cause.presented
    }

    /** The server's certificate leads to no trusted authority, has expired, or is otherwise not acceptable. */
    public class TlsUntrusted internal constructor(backend: Backend, address: String, cause: TlsException) :
        TcpException(backend, tls(backend, address, cause), cause)

    /** The server needs a client's certificate and none was sent: [TlsPolicy.key] is not set, or of no use to it. */
    public class TlsClientCertificateRequired internal constructor(
        backend: Backend,
        address: String,
        cause: TlsException,
    ) : TcpException(backend, tls(backend, address, cause), cause)

    /** The server does not accept the certificate of [TlsPolicy.key]. */
    public class TlsClientCertificateRefused internal constructor(
        backend: Backend,
        address: String,
        cause: TlsException,
    ) : TcpException(backend, tls(backend, address, cause), cause)

    /** The connection ended without TLS's own end: what was received may be cut short. */
    public class TlsTruncated internal constructor(backend: Backend, address: String, cause: TlsException) :
        TcpException(backend, tls(backend, address, cause), cause)

    /** An open TLS session was broken: a record that is not authentic, an alert, an attempt to renegotiate. */
    public class TlsBroken internal constructor(backend: Backend, address: String, cause: TlsException) :
        TcpException(backend, tls(backend, address, cause), cause)

    /** The key or trust material of [TlsPolicy] cannot be read or used. */
    public class TlsMaterial internal constructor(backend: Backend, address: String, cause: TlsException) :
        TcpException(backend, tls(backend, address, cause), cause)

    /** Any other failure to connect; the cause says which. */
    public class Failed internal constructor(backend: Backend, address: String, cause: Throwable?) :
        TcpException(backend, "cannot connect to $backend at $address: ${cause?.message}", cause)
}

private fun tls(backend: Backend, address: String, cause: TlsException) = "$backend at $address: ${cause.message}"
