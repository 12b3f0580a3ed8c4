package dev.carom.pool

import kotlin.jvm.JvmOverloads

/**
 * One process of a service, as a resolver described it: a *value*.
 *
 * Two backends are the same only if every field is equal. The same [name] at a new address is therefore another
 * backend: the pool retires the old one and opens connections to the new one.
 *
 * @property name what people call it: a host name, an SRV target, a pod. Not empty; need not be unique.
 * @property host what is dialled: an IP address literal, a host name the connector resolves, or, if it begins with `/`,
 *   the path of a Unix-domain socket.
 * @property port 1..65535, or 0 for a Unix-domain socket.
 * @property priority lower is better, 0..65535 (RFC 2782). Backends of a higher number are used only while none of a
 *   lower number is up.
 * @property weight share among equals of one priority, 0..65535 (RFC 2782). A backend of weight 0 beside others gets
 *   the least share that is not nothing; if all are 0, all are equal.
 * @property authority the name the peer must prove in TLS and is addressed by in protocols with virtual hosts.
 *   It survives resolution: for an SRV record it is the target name, not the IP address.
 * @property metadata whatever else the resolver knows (zone, role, version). Part of the identity.
 */
public data class Backend
@JvmOverloads
constructor(
    public val name: String,
    public val host: String,
    public val port: Int,
    public val priority: Int = 0,
    public val weight: Int = 1,
    public val authority: String = name,
    public val metadata: Map<String, String> = emptyMap(),
) {
    init {
        require(name.isNotEmpty()) { "a backend's name must not be empty (host \"$host\", port $port)" }
        require(host.isNotEmpty()) { "host of backend \"$name\" must not be empty" }
        require(port in 0..MAX_16_BIT) { "port of backend \"$name\" must be in 0..65535, was $port" }
        require(port > 0 || host.startsWith("/")) {
            "port of backend \"$name\" must be in 1..65535, was 0: only a Unix-domain socket (a host with a leading /) has none"
        }
        require(priority in 0..MAX_16_BIT) { "priority of backend \"$name\" must be in 0..65535, was $priority" }
        require(weight in 0..MAX_16_BIT) { "weight of backend \"$name\" must be in 0..65535, was $weight" }
    }

    /** The name and address, for people: `db1 (10.0.0.7:5432)`. */
    override fun toString(): String {
        val address = if (port == 0) {
            host
        } else if (':' in host) {
            "[$host]:$port"
        } else {
            "$host:$port"
        }
        return if (name == address || name == host) address else "$name ($address)"
    }

    private companion object {
        const val MAX_16_BIT = 65_535
    }
}
