package dev.carom.pool.dns

import dev.carom.pool.dns.internal.hostsIn
import dev.carom.pool.dns.internal.resolvConfIn
import org.xbill.DNS.ResolverConfig
import java.io.File
import java.io.IOException
import java.net.InetSocketAddress

/**
 * Where to ask, and what unfinished names mean.
 *
 * @property servers the name servers, in order of preference. Not empty; each resolved, with a port.
 * @property search domains that are tried behind a name that is not absolute, in order.
 * @property ndots a name with at least so many dots is tried as it is before [search]. 0..15. The labels of a service
 *   count.
 * @property rotate whether each question begins with another server, to spread the load; else with the one that
 *   answered last.
 * @property timeoutSeconds longest wait for one server's answer to one question, 1..30 s; 0 leaves it to
 *   [DnsPolicy.serverTimeout].
 * @property attempts how often each server is asked one question, 1..10; 0 leaves it to [DnsPolicy.attempts].
 * @property hosts address literals by name, as in `/etc/hosts`: who is listed here is not asked for. Names in any case,
 *   without a trailing dot.
 */
public class DnsConfig
@JvmOverloads
constructor(
    servers: List<InetSocketAddress>,
    search: List<String> = emptyList(),
    public val ndots: Int = 1,
    public val rotate: Boolean = false,
    public val timeoutSeconds: Int = 0,
    public val attempts: Int = 0,
    hosts: Map<String, List<String>> = emptyMap(),
) {
    public val servers: List<InetSocketAddress> = servers.toList()
    public val search: List<String> = search.toList()
    public val hosts: Map<String, List<String>> = hosts.entries.associate { it.key.lowercase() to it.value.toList() }

    init {
        require(servers.isNotEmpty()) { "servers must not be empty" }
        servers.forEach {
            require(!it.isUnresolved && it.port > 0) { "a name server must be an address with a port, was $it" }
        }
        require(ndots in 0..MAX_NDOTS) { "ndots must be in 0..$MAX_NDOTS, was $ndots" }
        require(timeoutSeconds in 0..MAX_TIMEOUT) { "timeoutSeconds must be in 0..$MAX_TIMEOUT, was $timeoutSeconds" }
        require(attempts in 0..MAX_ATTEMPTS) { "attempts must be in 0..$MAX_ATTEMPTS, was $attempts" }
    }

    /** The same, but asking [servers]. */
    public fun withServers(servers: List<InetSocketAddress>): DnsConfig =
        DnsConfig(servers, search, ndots, rotate, timeoutSeconds, attempts, hosts)

    /** All values, for a log line at start; of [hosts] only how many. */
    override fun toString(): String =
        "DnsConfig(servers=$servers, search=$search, ndots=$ndots, rotate=$rotate, timeoutSeconds=$timeoutSeconds, " +
            "attempts=$attempts, ${hosts.size} hosts)"

    public companion object {
        internal const val MAX_NDOTS = 15
        internal const val MAX_TIMEOUT = 30
        internal const val MAX_ATTEMPTS = 10

        /**
         * What the text of a `resolv.conf` and of a `hosts` file say, as resolv.conf(5) and hosts(5) read them:
         * `nameserver`, `search` and `domain` (the last of the two counts), `options` `ndots:`, `timeout:`,
         * `attempts:` and `rotate`; numbers beyond their bounds are cut to them. Everything else, and every line that
         * makes no sense, is skipped. Without a name server it is 127.0.0.1, port 53.
         */
        @JvmStatic
        @JvmOverloads
        public fun parse(resolvConf: String, hosts: String = ""): DnsConfig = resolvConfIn(resolvConf, hostsIn(hosts))

        /**
         * The system's, read now: `/etc/resolv.conf` and `/etc/hosts` on Unix, the registry and the hosts file on
         * Windows; dnsjava's system property `dns.server` goes before the files. A later change is seen by a later
         * call. Reads two small files.
         */
        @JvmStatic
        public fun system(): DnsConfig {
            val hosts = text(HOSTS) ?: System.getenv("SystemRoot")?.let { text("$it/System32/drivers/etc/hosts") }
            val resolvConf = text(RESOLV_CONF)
            if (resolvConf != null && System.getProperty("dns.server") == null) {
                return parse(resolvConf, hosts.orEmpty())
            }
            ResolverConfig.refresh()
            val found = ResolverConfig.getCurrentConfig()
            val search = found.searchPath().map { it.toString() }
            val ndots = found.ndots().coerceIn(0, MAX_NDOTS)
            return DnsConfig(found.servers(), search, ndots, hosts = hostsIn(hosts.orEmpty()))
        }

        private const val RESOLV_CONF = "/etc/resolv.conf"
        private const val HOSTS = "/etc/hosts"

        private fun text(path: String): String? = try {
            File(path).takeIf { it.isFile }?.readText()
        } catch (_: IOException) {
            null
        }
    }
}
