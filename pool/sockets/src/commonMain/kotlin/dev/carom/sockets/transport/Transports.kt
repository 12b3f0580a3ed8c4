package dev.carom.sockets.transport

import dev.carom.sockets.SocketException

/**
 * The transports that a socket can use, by scheme. Immutable.
 *
 * @throws IllegalArgumentException if two are for the same scheme.
 */
public class Transports(vararg transports: Transport) {
    private val byScheme: Map<String, Transport> = transports.associateBy { it.scheme }

    init {
        require(byScheme.size == transports.size) {
            "several transports for one scheme: ${transports.joinToString { it.scheme }}"
        }
    }

    /** The schemes there are. */
    public val schemes: Set<String> get() = byScheme.keys

    /** The transport for [scheme], or null. */
    public operator fun get(scheme: String): Transport? = byScheme[scheme]

    /** These, and [transport], also instead of the one with its scheme. */
    public operator fun plus(transport: Transport): Transports =
        Transports(*(byScheme + (transport.scheme to transport)).values.toTypedArray())

    /**
     * Reads [url] as the transport of its scheme does.
     *
     * @throws SocketException.InvalidAddress if it is not valid, to [bind] or to connect to.
     * @throws SocketException.UnknownScheme if there is no transport for it.
     */
    public fun address(url: String, bind: Boolean): SocketAddress =
        SocketAddress.parse(url, forScheme(SocketAddress.schemeOf(url), url).addressing, bind)

    internal fun of(address: SocketAddress): Transport = forScheme(address.scheme, address.toString())

    internal fun forScheme(scheme: String, url: String): Transport =
        byScheme[scheme] ?: throw SocketException.UnknownScheme(url, schemes)

    override fun toString(): String = "Transports(${schemes.joinToString()})"
}
