package dev.carom.gossip;

import dev.carom.gossip.internal.JavaPolicies;
import java.time.Duration;

/** Builds a {@link GossipPolicy}; what is not set has that class's default. Not thread-safe; may be used again. */
public final class GossipPolicyBuilder {
    private SwimPolicy swim = SwimPolicy.lan();
    private int noticeBuffer = 1_024;
    private int outbox = 1_024;
    private Duration leaveTimeout = Duration.ofSeconds(5);
    private Duration joinTimeout = Duration.ofSeconds(30);
    private Duration closeTimeout = Duration.ofSeconds(5);
    private Duration reopenMin = Duration.ofMillis(50);
    private Duration reopenMax = Duration.ofSeconds(10);

    /** All defaults. */
    public GossipPolicyBuilder() {}

    /** The protocol's numbers: {@link SwimPolicyBuilder}. */
    public GossipPolicyBuilder swim(SwimPolicy value) {
        swim = value;
        return this;
    }

    /** {@link GossipPolicy#getNoticeBuffer()}. */
    public GossipPolicyBuilder noticeBuffer(int value) {
        noticeBuffer = value;
        return this;
    }

    /** {@link GossipPolicy#getOutbox()}. */
    public GossipPolicyBuilder outbox(int value) {
        outbox = value;
        return this;
    }

    /** How long leaving may spend on spreading the news. Positive. */
    public GossipPolicyBuilder leaveTimeout(Duration value) {
        leaveTimeout = value;
        return this;
    }

    /** How long joining waits for the first member. Positive; {@code ofSeconds(Long.MAX_VALUE)}: for ever. */
    public GossipPolicyBuilder joinTimeout(Duration value) {
        joinTimeout = value;
        return this;
    }

    /** How long the transport may take to close. Positive. */
    public GossipPolicyBuilder closeTimeout(Duration value) {
        closeTimeout = value;
        return this;
    }

    /** Pauses before lost sockets are opened again: the first, at least 1 ms, and the longest. */
    public GossipPolicyBuilder reopen(Duration min, Duration max) {
        reopenMin = min;
        reopenMax = max;
        return this;
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of its bounds; the message has both
     */
    public GossipPolicy build() {
        return JavaPolicies.build(
                swim, noticeBuffer, outbox, leaveTimeout, joinTimeout, closeTimeout, reopenMin, reopenMax);
    }
}
