package dev.carom.pool.dns

import dev.carom.pool.Backend
import dev.carom.pool.Resolver
import dev.carom.pool.dns.internal.DnsService
import dev.carom.pool.dns.internal.DnsShell
import dev.carom.pool.dns.internal.DnsState
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlin.jvm.JvmOverloads
import kotlin.random.Random
import kotlin.time.TimeSource

/**
 * The backends of a service as DNS describes them, kept fresh by TTL and kept through failures.
 *
 * With a [service], `SERVICE.NAME` is asked for SRV records (RFC 2782): each address of each target is a backend, named
 * after the target, which is also its TLS authority. If there is no such record, or no service, the name itself is
 * asked for addresses, all on [defaultPort]. Once SRV records were seen, only [DnsPolicy.negativesToBelieve] denials in
 * a row lead to the plain name; a failure never does.
 *
 * A failure removes nothing until [DnsPolicy.serveStaleFor] runs out; an empty or negative answer is believed only when
 * repeated. A target whose addresses could not be asked keeps its former ones. A backend that is absent from an answer
 * goes when [DnsPolicy.removal] says so.
 *
 * Plain Java: `DnsResolverBuilder`.
 *
 * @property name a host or domain name. With a trailing dot absolute, else subject to the lookup's search list. Not
 *   empty.
 * @property service the underscored labels before the name, as `_db._tcp`; null looks up addresses only.
 * @property defaultPort the port of plain addresses, 1..65535; 0 means that only SRV records count. Not 0 without a
 *   [service].
 * @property policy the numbers.
 */
public class DnsResolver internal constructor(
    private val lookup: DnsLookup,
    public val name: String,
    public val service: String?,
    public val defaultPort: Int,
    public val policy: DnsPolicy,
    private val listener: DnsListener,
    private val health: BackendHealth?,
    private val time: TimeSource,
    private val random: Random,
) : Resolver {
    /**
     * Asks nothing before the first collection.
     *
     * @param lookup how to ask.
     * @param listener who is told what happens; [DnsCounter] counts it.
     * @param health who knows which backends work; needed by [RemovalPolicy.HealthGated] and used by nothing else.
     * @throws IllegalArgumentException if [name] or [service] is empty, [defaultPort] is out of bounds, there is
     *   neither a service nor a default port, or removal is gated by a health nobody knows.
     */
    @JvmOverloads
    public constructor(
        lookup: DnsLookup,
        name: String,
        service: String?,
        defaultPort: Int = 0,
        policy: DnsPolicy = DnsPolicy(),
        listener: DnsListener = DnsListener.NONE,
        health: BackendHealth? = null,
    ) : this(lookup, name, service, defaultPort, policy, listener, health, TimeSource.Monotonic, Random.Default)

    init {
        require(name.trim('.').isNotEmpty()) { "name must not be empty, was \"$name\"" }
        require(service == null || service.isNotEmpty()) { "service must be null or not empty, for name \"$name\"" }
        require(defaultPort in 0..MAX_PORT) { "defaultPort of \"$name\" must be in 0..$MAX_PORT, was $defaultPort" }
        require(service != null || defaultPort > 0) { "\"$name\" needs a service, a default port above 0, or both" }
        require(policy.removal != RemovalPolicy.HealthGated || health != null) {
            "\"$name\" needs a BackendHealth: its removal policy is HealthGated"
        }
    }

    /**
     * The sets, each different from the one before; nothing before the first answer that is believed. A slow collector
     * misses sets, never the newest. Each collection asks for itself; cancelling it cancels its questions.
     */
    override fun backends(): Flow<Set<Backend>> = channelFlow {
        val known = health ?: BackendHealth { true }
        val state =
            DnsState(DnsService(name.lowercase(), service?.removeSuffix("."), defaultPort), policy, random, known)
        DnsShell(state, lookup, listener, policy.parallelism, ::send).run(time)
    }.conflate().distinctUntilChanged()

    /** What is looked up. */
    override fun toString(): String =
        if (service == null) "DnsResolver($name:$defaultPort)" else "DnsResolver($service.$name)"

    private companion object {
        const val MAX_PORT = 65_535
    }
}
