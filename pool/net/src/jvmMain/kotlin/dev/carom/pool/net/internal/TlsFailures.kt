package dev.carom.pool.net.internal

import dev.carom.pool.Backend
import dev.carom.pool.net.TcpException
import dev.carom.pool.net.TlsException
import java.io.IOException
import java.security.cert.CertificateException
import javax.net.ssl.SSLException

/** Says what a failure of the engine or of the channels below it means. */
internal class TlsFailures(private val account: TlsAccount, private val peer: String, private val server: Boolean) {
    /** During the handshake. */
    fun during(cause: IOException): TlsException = when {
        cause is TlsException -> cause
        cause !is SSLException -> TlsException.Handshake("the connection broke: ${cause.message}", cause)
        else -> refusal(cause) ?: TlsException.Handshake(text(cause), cause)
    }

    /** After the handshake. In TLS 1.3 the peer looks at this side's certificate only then. */
    fun afterwards(cause: Throwable): IOException = when (cause) {
        is TlsException -> cause
        is SSLException -> refusal(cause) ?: TlsException.Broken(text(cause), cause)
        is IOException -> cause
        else -> IOException("the TLS session is closed", cause)
    }

    private fun refusal(cause: SSLException): TlsException? {
        val ours = account.refusal
        val alert = text(cause).substringAfter(ALERT, "")
        return when {
            ours != null -> refusedByUs(ours, cause)

            server && "Empty client certificate chain" in text(cause) ->
                TlsException.ClientCertificateRequired(text(cause), cause)

            alert == "certificate_required" -> TlsException.ClientCertificateRequired(alert, cause)

            alert !in ABOUT_CERTIFICATES || !account.askedForCertificate -> null

            account.sentCertificate -> TlsException.ClientCertificateRefused(alert, cause)

            else -> TlsException.ClientCertificateRequired(alert, cause)
        }
    }

    private fun refusedByUs(ours: CertificateException, cause: SSLException): TlsException {
        val names = account.otherNames ?: return TlsException.Untrusted(printable(ours.message.orEmpty()), cause)
        return TlsException.Identity(peer, names, cause)
    }

    private companion object {
        const val ALERT = "Received fatal alert: "

        // RFC 8446, section 6.2; servers of TLS 1.2 say handshake_failure or bad_certificate for a missing one.
        val ABOUT_CERTIFICATES = setOf(
            "bad_certificate",
            "unsupported_certificate",
            "certificate_revoked",
            "certificate_expired",
            "certificate_unknown",
            "unknown_ca",
            "access_denied",
            "handshake_failure",
        )

        fun text(cause: SSLException): String = printable(cause.message ?: cause.javaClass.simpleName)
    }
}

/** [cause] as a failure of the connection to [backend] at [address]. */
internal fun tcpFailure(backend: Backend, address: String, cause: TlsException): TcpException = when (cause) {
    is TlsException.Handshake -> TcpException.TlsHandshake(backend, address, cause)
    is TlsException.TimedOut -> TcpException.TlsTimedOut(backend, address, cause)
    is TlsException.Identity -> TcpException.TlsIdentity(backend, address, cause)
    is TlsException.Untrusted -> TcpException.TlsUntrusted(backend, address, cause)
    is TlsException.ClientCertificateRequired -> TcpException.TlsClientCertificateRequired(backend, address, cause)
    is TlsException.ClientCertificateRefused -> TcpException.TlsClientCertificateRefused(backend, address, cause)
    is TlsException.Truncated -> TcpException.TlsTruncated(backend, address, cause)
    is TlsException.Broken -> TcpException.TlsBroken(backend, address, cause)
    is TlsException.Material -> TcpException.TlsMaterial(backend, address, cause)
}
