package dev.carom.gossip.resolver;

import dev.carom.gossip.BlockingGossip;
import dev.carom.gossip.Gossip;
import dev.carom.gossip.Identity;
import dev.carom.gossip.NodeId;
import dev.carom.gossip.resolver.internal.JavaOfferings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Builds a {@link GossipResolver}; what is not set has the default of {@link GossipResolverPolicy}. Not thread-safe; may be
 * used again.
 */
public final class GossipResolverBuilder<I extends Identity<I>> {
    private final Gossip<I> gossip;
    private final OfferReader<I> reader;
    private @Nullable String role;
    private @Nullable String zone;
    private int suspectWeight = 100;
    private Duration keepWhenAlone = Duration.ofMinutes(5);

    /** Offers of the members of {@code gossip}, as {@code reader} reads them. */
    public GossipResolverBuilder(BlockingGossip<I> gossip, OfferReader<I> reader) {
        this.gossip = gossip.gossip();
        this.reader = reader;
    }

    /** Offers of members at IP addresses. */
    public static GossipResolverBuilder<NodeId> nodes(BlockingGossip<NodeId> gossip) {
        return new GossipResolverBuilder<>(gossip, OfferReader.nodes());
    }

    /** {@link GossipResolverPolicy#getRole()}. */
    public GossipResolverBuilder<I> role(@Nullable String value) {
        role = value;
        return this;
    }

    /** {@link GossipResolverPolicy#getZone()}. */
    public GossipResolverBuilder<I> zone(@Nullable String value) {
        zone = value;
        return this;
    }

    /** {@link GossipResolverPolicy#getSuspectWeight()}. */
    public GossipResolverBuilder<I> suspectWeight(int perCent) {
        suspectWeight = perCent;
        return this;
    }

    /** How long the last backends stay when no member is known. 0 or more; {@code ofSeconds(Long.MAX_VALUE)}: for ever. */
    public GossipResolverBuilder<I> keepWhenAlone(Duration value) {
        keepWhenAlone = value;
        return this;
    }

    /**
     * The resolver.
     *
     * @throws IllegalArgumentException if a value is out of its bounds; the message has both
     */
    public GossipResolver<I> build() {
        return JavaOfferings.build(gossip, reader, role, zone, suspectWeight, keepWhenAlone);
    }
}
