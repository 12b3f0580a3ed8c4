package dev.carom.gossip.net;

import dev.carom.gossip.net.internal.JavaOpening;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Builds a {@link NetPolicy}; what is not set has that class's default. Not thread-safe; may be used again. */
public final class NetPolicyBuilder {
    private final String host;
    private int port = NetPolicy.DEFAULT_PORT;
    private @Nullable String advertiseHost;
    private int advertisePort;
    private List<String> seeds = List.of();
    private Duration lookupInterval = Duration.ofSeconds(60);
    private int maxStreams = 16;
    private Duration streamTimeout = Duration.ofSeconds(10);
    private int receiveBuffer;
    private List<String> allow = List.of();

    /** A policy for a member bound to {@code host}. */
    public NetPolicyBuilder(String host) {
        this.host = host;
    }

    /** {@link NetPolicy#getPort()}. */
    public NetPolicyBuilder port(int value) {
        port = value;
        return this;
    }

    /** {@link NetPolicy#getAdvertiseHost()} and {@link NetPolicy#getAdvertisePort()}. */
    public NetPolicyBuilder advertise(String host, int port) {
        advertiseHost = host;
        advertisePort = port;
        return this;
    }

    /** {@link NetPolicy#getSeeds()}. */
    public NetPolicyBuilder seeds(String... value) {
        seeds = List.of(value);
        return this;
    }

    /** How often names of seeds are looked up again. At least 10 ms; {@code ofSeconds(Long.MAX_VALUE)}: once. */
    public NetPolicyBuilder lookupInterval(Duration value) {
        lookupInterval = value;
        return this;
    }

    /** {@link NetPolicy#getMaxStreams()}. */
    public NetPolicyBuilder maxStreams(int value) {
        maxStreams = value;
        return this;
    }

    /** How long another member's stream may take. At least 1 ms. */
    public NetPolicyBuilder streamTimeout(Duration value) {
        streamTimeout = value;
        return this;
    }

    /** {@link NetPolicy#getReceiveBuffer()}. */
    public NetPolicyBuilder receiveBuffer(int value) {
        receiveBuffer = value;
        return this;
    }

    /** {@link NetPolicy#getAllow()}. */
    public NetPolicyBuilder allow(String... value) {
        allow = List.of(value);
        return this;
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of its bounds; the message has both
     */
    public NetPolicy build() {
        return JavaOpening.build(
                host,
                port,
                advertiseHost,
                advertisePort,
                seeds,
                lookupInterval,
                maxStreams,
                streamTimeout,
                receiveBuffer,
                allow);
    }
}
