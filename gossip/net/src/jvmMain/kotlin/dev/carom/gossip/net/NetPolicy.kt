package dev.carom.gossip.net

import dev.carom.gossip.net.internal.AllowList
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * Where a member is reached, and what its sockets may hold. Nothing is looked up or opened here.
 *
 * @property host the local address to bind, or a name of it, looked up when opened. UDP and TCP use the same port.
 * @property port 0..65535; 0: one that is free for both.
 * @property advertiseHost the address the others send to, or a name of it; null: the bound one. Needed when [host] is
 *   the wildcard `0.0.0.0` or `::`.
 * @property advertisePort the port the others send to, 0..65535; 0: the bound one.
 * @property seeds `host:port`, or `[v6]:port`, of members to knock at, for ever. Names are looked up again every
 *   [lookupInterval]; all addresses of a name count. A name that is not found keeps the addresses it had.
 * @property lookupInterval see [seeds]. At least 10 ms; [Duration.INFINITE]: once.
 * @property maxStreams streams of others served at a time; more wait in the system's backlog. 1..1024. Each holds a
 *   request and an answer, 1 MiB each at most.
 * @property streamTimeout how long another member's stream may take from its beginning to its end. At least 1 ms,
 *   finite.
 * @property allow ranges of addresses, `10.0.0.0/8`, `2001:db8::/32`, or a single address: from others no datagram and no
 *   stream is read, and nobody else can be a member. Empty: all. The keys decide who is who; this keeps strangers from costing
 *   anything.
 * @property receiveBuffer bytes of the UDP socket's buffer; 0: the system's choice. 0..16777216.
 */
public class NetPolicy(
    public val host: String,
    public val port: Int = DEFAULT_PORT,
    public val advertiseHost: String? = null,
    public val advertisePort: Int = 0,
    public val seeds: List<String> = emptyList(),
    public val lookupInterval: Duration = 60.seconds,
    public val maxStreams: Int = 16,
    public val streamTimeout: Duration = 10.seconds,
    public val receiveBuffer: Int = 0,
    public val allow: List<String> = emptyList(),
) {
    init {
        require(host.isNotBlank()) { "host must not be blank" }
        require(advertiseHost == null || advertiseHost.isNotBlank()) { "advertiseHost must not be blank" }
        within("port", port, 0..MAX_PORT)
        within("advertisePort", advertisePort, 0..MAX_PORT)
        require(lookupInterval >= 10.milliseconds) { "lookupInterval must be at least 10ms, was $lookupInterval" }
        within("maxStreams", maxStreams, 1..MAX_STREAMS)
        require(streamTimeout >= 1.milliseconds && streamTimeout.isFinite()) {
            "streamTimeout must be finite and at least 1ms, was $streamTimeout"
        }
        within("receiveBuffer", receiveBuffer, 0..MAX_BUFFER)
        seeds.forEach(SeedName::parse)
    }

    internal val allowed = AllowList(allow)

    private fun within(name: String, value: Int, bounds: IntRange) {
        require(value in bounds) { "$name must be in $bounds, was $value" }
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "NetPolicy(host=$host, port=$port, advertiseHost=$advertiseHost, advertisePort=$advertisePort, seeds=$seeds, " +
            "lookupInterval=$lookupInterval, maxStreams=$maxStreams, streamTimeout=$streamTimeout, " +
            "receiveBuffer=$receiveBuffer, allow=$allow)"

    public companion object {
        /** What members listen on if nobody says otherwise. */
        public const val DEFAULT_PORT: Int = 7_946

        internal const val MAX_PORT = 65_535
        private const val MAX_STREAMS = 1_024
        private const val MAX_BUFFER = 16_777_216

        /** A member on this machine only, on a free port, that knocks at [seeds]. */
        @JvmStatic
        public fun loopback(vararg seeds: String): NetPolicy = NetPolicy("127.0.0.1", 0, seeds = seeds.toList())
    }
}

/** A seed as written in a configuration. */
internal class SeedName(val host: String, val port: Int) {
    companion object {
        fun parse(text: String): SeedName {
            val colon = text.lastIndexOf(':')
            val port = if (colon < 1) null else text.substring(colon + 1).toIntOrNull()
            require(port != null && port in 1..NetPolicy.MAX_PORT) {
                "a seed must be host:port with a port in 1..${NetPolicy.MAX_PORT}, was \"$text\""
            }
            val host = text.substring(0, colon)
            val bare = host.removeSurrounding("[", "]")
            require((':' in bare) == (host != bare)) { "an IPv6 seed must be [address]:port, was \"$text\"" }
            return SeedName(bare, port)
        }
    }
}
