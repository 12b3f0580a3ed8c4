package dev.carom.pool.net

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How TLS is spoken, by a client ([TcpConnector]) or either side ([TlsEngine]). Checked when constructed: a value out of
 * bounds is an [IllegalArgumentException] with the value and the bound. From Java: `TlsPolicyBuilder`.
 *
 * There is no way to fall back to plain text: where TLS fails, the connection fails.
 *
 * @property trust which authorities the peer's certificate may come from.
 * @property key this side's own certificate and key; null for a client that has none. A server must have one.
 * @property protocols what may be negotiated: `TLSv1.3` (RFC 8446), `TLSv1.2` (RFC 5246), or both. Nothing older.
 * @property verifyHost whether a server's certificate must be for the name that was asked for (RFC 9110, section 4.3.4). Only
 *   a client looks at it. `false` lets every holder of any trusted certificate pose as every server.
 * @property alpn application protocols in order of preference (RFC 7301), or none. At most 16, each 1..255 bytes.
 * @property clientAuth what a server asks of its clients. A client ignores it.
 * @property handshakeTimeout longest handshake. At least 1 ms, finite. The pool's own `connectTimeout` bounds the whole: keep
 *   this and [TcpPolicy.connectTimeout] together below it.
 * @property refusalTimeout in TLS 1.3 a server refuses a client's certificate, or the lack of one, only after the client's
 *   handshake is done. A client that was asked for one waits so long for the server's first word, so that a refusal is an
 *   error of connecting. Nearly all servers send a session ticket at once: then it costs a round trip. 0 does not wait.
 *   Finite.
 * @property reloadInterval how often, at most, files of [trust] and [key] are looked at again; it happens when somebody
 *   connects. At least 1 ms; [Duration.INFINITE] never. New connections use what was read last; open ones go on.
 * @property listener is told of reloads.
 */
public class TlsPolicy(
    public val trust: TlsTrust = TlsTrust.system(),
    public val key: TlsKey? = null,
    public val protocols: List<String> = listOf("TLSv1.3", "TLSv1.2"),
    public val verifyHost: Boolean = true,
    public val alpn: List<String> = emptyList(),
    public val clientAuth: TlsClientAuth = TlsClientAuth.NONE,
    public val handshakeTimeout: Duration = 2.seconds,
    public val refusalTimeout: Duration = 500.milliseconds,
    public val reloadInterval: Duration = 10.seconds,
    public val listener: TlsListener = TlsListener.NONE,
) {
    init {
        require(protocols.isNotEmpty() && KNOWN.containsAll(protocols)) {
            "protocols must be one or both of $KNOWN, was $protocols"
        }
        require(alpn.size <= MAX_ALPN) { "alpn must have at most $MAX_ALPN protocols, had ${alpn.size}" }
        alpn.forEach {
            val size = it.encodeToByteArray().size
            require(size in 1..MAX_ALPN_BYTES) { "each of alpn must have 1..$MAX_ALPN_BYTES bytes, \"$it\" has $size" }
        }
        require(handshakeTimeout >= 1.milliseconds && handshakeTimeout.isFinite()) {
            "handshakeTimeout must be at least 1ms and finite, was $handshakeTimeout"
        }
        require(!refusalTimeout.isNegative() && refusalTimeout.isFinite()) {
            "refusalTimeout must be at least 0s and finite, was $refusalTimeout"
        }
        require(reloadInterval >= 1.milliseconds) { "reloadInterval must be at least 1ms, was $reloadInterval" }
    }

    /** All values but the listener, for a log line at start; no secrets. */
    override fun toString(): String =
        "TlsPolicy(trust=$trust, key=$key, protocols=$protocols, verifyHost=$verifyHost, alpn=$alpn, " +
            "clientAuth=$clientAuth, handshakeTimeout=$handshakeTimeout, refusalTimeout=$refusalTimeout, " +
            "reloadInterval=$reloadInterval)"

    private companion object {
        val KNOWN = listOf("TLSv1.3", "TLSv1.2")
        const val MAX_ALPN = 16
        const val MAX_ALPN_BYTES = 255
    }
}

/** What a server asks of its clients. */
public enum class TlsClientAuth {
    /** No certificate. */
    NONE,

    /** A certificate, if the client has one; one that is not trusted is refused. */
    WANT,

    /** A trusted certificate. */
    NEED,
}

/** Is told when key and trust material is read from disk again. Called while somebody connects: must neither block nor throw. */
public interface TlsListener {
    /** [source] has changed on disk; new connections use what it says now. */
    public fun reloaded(source: String) {}

    /** [source] has changed on disk but cannot be used; new connections go on with what was read before. */
    public fun reloadFailed(source: String, cause: Throwable) {}

    public companion object {
        /** Listens to nothing. */
        @JvmField
        public val NONE: TlsListener = object : TlsListener {}
    }
}
