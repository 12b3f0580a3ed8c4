package dev.carom.pool.dns

import org.xbill.DNS.ResolverConfig
import java.net.InetSocketAddress

/**
 * Where to ask, and what unfinished names mean.
 *
 * @property servers the name servers, in order of preference. Not empty; each resolved, with a port.
 * @property search domains that are tried behind a name that is not absolute, in order.
 * @property ndots a name with at least so many dots is tried as it is before [search]. 0..15. The labels of a service
 *   count.
 */
public class DnsConfig
@JvmOverloads
constructor(
    servers: List<InetSocketAddress>,
    search: List<String> = emptyList(),
    public val ndots: Int = 1,
) {
    public val servers: List<InetSocketAddress> = servers.toList()
    public val search: List<String> = search.toList()

    init {
        require(servers.isNotEmpty()) { "servers must not be empty" }
        servers.forEach {
            require(!it.isUnresolved && it.port > 0) { "a name server must be an address with a port, was $it" }
        }
        require(ndots in 0..MAX_NDOTS) { "ndots must be in 0..$MAX_NDOTS, was $ndots" }
    }

    /** All values, for a log line at start. */
    override fun toString(): String = "DnsConfig(servers=$servers, search=$search, ndots=$ndots)"

    public companion object {
        private const val MAX_NDOTS = 15

        /**
         * The system's, read now: `/etc/resolv.conf` on Unix, the registry on Windows, or dnsjava's system properties.
         * A later change is seen by a later call. Reads a small file.
         */
        @JvmStatic
        public fun system(): DnsConfig {
            ResolverConfig.refresh()
            val found = ResolverConfig.getCurrentConfig()
            return DnsConfig(
                found.servers(),
                found.searchPath().map {
                    it.toString()
                },
                found.ndots().coerceIn(0, MAX_NDOTS),
            )
        }
    }
}
