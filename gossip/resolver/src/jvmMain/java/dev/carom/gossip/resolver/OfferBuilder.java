package dev.carom.gossip.resolver;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Builds an {@link Offer}; what is not set has that class's default. Not thread-safe; may be used again. */
public final class OfferBuilder {
    private final String role;
    private final int port;
    private @Nullable String host;
    private @Nullable String zone;
    private int priority;
    private int weight = 1;
    private boolean draining;
    private final Map<String, String> tags = new LinkedHashMap<>();

    /** An offer of {@code role} at {@code port}, at the address the member gossips from. */
    public OfferBuilder(String role, int port) {
        this.role = role;
        this.port = port;
    }

    /** {@link Offer#getHost()}. */
    public OfferBuilder host(@Nullable String value) {
        host = value;
        return this;
    }

    /** {@link Offer#getZone()}. */
    public OfferBuilder zone(@Nullable String value) {
        zone = value;
        return this;
    }

    /** {@link Offer#getPriority()}. */
    public OfferBuilder priority(int value) {
        priority = value;
        return this;
    }

    /** {@link Offer#getWeight()}. */
    public OfferBuilder weight(int value) {
        weight = value;
        return this;
    }

    /** {@link Offer#getDraining()}. */
    public OfferBuilder draining(boolean value) {
        draining = value;
        return this;
    }

    /** Adds one of {@link Offer#getTags()}. */
    public OfferBuilder tag(String key, String value) {
        tags.put(key, value);
        return this;
    }

    /**
     * The offer.
     *
     * @throws IllegalArgumentException if a value is out of its bounds; the message has both
     */
    public Offer build() {
        return new Offer(role, port, host, zone, priority, weight, draining, Map.copyOf(tags));
    }
}
