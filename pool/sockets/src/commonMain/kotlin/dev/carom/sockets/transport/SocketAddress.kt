package dev.carom.sockets.transport

import dev.carom.sockets.SocketException
import kotlin.jvm.JvmOverloads
import kotlin.jvm.JvmStatic

/**
 * Where a socket listens or connects: a value, and the same as its [toString], the URL. [authority] counts as well.
 *
 * @property scheme which [Transport] leads there.
 * @property host a name or a numeric address, without brackets; `*` or empty to listen on all. Empty unless the
 *   addressing is [Addressing.HostPort].
 * @property port 0..65535; 0 to listen where the system likes.
 * @property path the path of [Addressing.Path], or the name of [Addressing.Name]; empty otherwise.
 * @property local the address to connect from, null if the system may choose.
 * @property authority the name that the peer must prove where there is security. The host, unless discovery says
 *   otherwise.
 */
public class SocketAddress private constructor(
    public val scheme: String,
    public val host: String,
    public val port: Int,
    public val path: String,
    public val local: String?,
    public val authority: String,
) {
    /** This address with the [port] that the system chose. */
    public fun withPort(port: Int): SocketAddress = hostPort(scheme, host, port, local, authority)

    override fun equals(other: Any?): Boolean =
        other is SocketAddress && toString() == other.toString() && authority == other.authority

    override fun hashCode(): Int = toString().hashCode()

    /** The URL. */
    override fun toString(): String = buildString {
        append(scheme).append("://").append(path)
        if (path.isEmpty()) {
            local?.let { append(bracketed(it)).append(';') }
            append(bracketed(host)).append(':').append(port)
        }
    }

    private fun bracketed(host: String) = if (':' in host) "[$host]" else host

    public companion object {
        /**
         * A host and port.
         *
         * @throws IllegalArgumentException if [port] is not in 0..65535.
         */
        @JvmStatic
        @JvmOverloads
        public fun hostPort(
            scheme: String,
            host: String,
            port: Int,
            local: String? = null,
            authority: String = host,
        ): SocketAddress {
            require(port in 0..MAX_PORT) { "port must be in 0..$MAX_PORT, was $port" }
            return SocketAddress(scheme, host, port, "", local, authority)
        }

        /** A path or a name: whatever stands behind `://`. Not empty. */
        @JvmStatic
        public fun path(scheme: String, path: String): SocketAddress {
            require(path.isNotEmpty()) { "the path behind $scheme:// must not be empty" }
            return SocketAddress(scheme, "", 0, path, null, path)
        }

        /**
         * Reads a URL: `tcp://host:port`, `tcp://[::1]:port`, `tcp://local;host:port`, `ipc://path`, `inproc://name`.
         * Host names are those of RFC 1123; a label may also contain `_`. To [bind], the host may be `*` or empty and
         * the port 0.
         *
         * @param addressing that of the scheme's transport.
         * @throws SocketException.InvalidAddress with what is wrong.
         */
        @JvmStatic
        public fun parse(url: String, addressing: Addressing, bind: Boolean): SocketAddress =
            AddressParser(url).parse(addressing, bind)

        /**
         * The scheme of [url], in lower case.
         *
         * @throws SocketException.InvalidAddress if there is none.
         */
        @JvmStatic
        public fun schemeOf(url: String): String = AddressParser(url).scheme

        private const val MAX_PORT = 65_535
    }
}
