package dev.carom.pool.dns;

import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A {@link DnsResolver} from Java, over the system's name servers unless others are given. Not thread-safe; may be
 * built from more than once.
 *
 * <pre>{@code
 * Resolver resolver = new DnsResolverBuilder("shop.example").service("_db._tcp").defaultPort(5432).build();
 * }</pre>
 */
public final class DnsResolverBuilder {
    private final String name;
    private @Nullable String service;
    private int defaultPort;
    private @Nullable DnsConfig config;
    private @Nullable DnsLookup lookup;
    private DnsPolicy policy = new DnsPolicyBuilder().build();
    private DnsListener listener = DnsListener.NONE;
    private @Nullable BackendHealth health;

    /** For a host or domain name; with a trailing dot absolute, else subject to the search list. */
    public DnsResolverBuilder(String name) {
        this.name = name;
    }

    /** The labels before the name that are asked for SRV records, as {@code _db._tcp}; none by default. */
    public DnsResolverBuilder service(String value) {
        service = value;
        return this;
    }

    /** The port of plain addresses, 1 to 65535; by default none, so that only SRV records count. */
    public DnsResolverBuilder defaultPort(int value) {
        defaultPort = value;
        return this;
    }

    /** The name servers to ask, with no search list; by default the system's. */
    public DnsResolverBuilder servers(List<InetSocketAddress> value) {
        config = new DnsConfig(value);
        return this;
    }

    /** The name servers to ask, with search list and ndots; by default the system's. */
    public DnsResolverBuilder config(DnsConfig value) {
        config = value;
        return this;
    }

    /** Another way to ask, in place of the name servers; it then has its own time limits. */
    public DnsResolverBuilder lookup(DnsLookup value) {
        lookup = value;
        return this;
    }

    /** The numbers. */
    public DnsResolverBuilder policy(DnsPolicy value) {
        policy = value;
        return this;
    }

    /** Who is told what the resolver does; {@link DnsCounter} counts it. */
    public DnsResolverBuilder listener(DnsListener value) {
        listener = value;
        return this;
    }

    /** Who knows which backends work, as {@link PoolHealth}; needed by {@link RemovalPolicy#HEALTH_GATED}. */
    public DnsResolverBuilder health(BackendHealth value) {
        health = value;
        return this;
    }

    /**
     * The resolver. Reads the system's settings now if no servers were given; asks nothing yet.
     *
     * @throws IllegalArgumentException if there is neither a service nor a default port, a value is out of bounds, or
     *     removal is gated by a health nobody knows
     */
    public DnsResolver build() {
        DnsLookup asks = lookup;
        if (asks == null) {
            DnsConfig where = config;
            asks = new DnsjavaLookup(where == null ? DnsConfig.system() : where, policy);
        }
        return new DnsResolver(asks, name, service, defaultPort, policy, listener, health);
    }
}
