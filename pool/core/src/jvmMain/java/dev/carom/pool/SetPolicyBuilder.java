package dev.carom.pool;

import dev.carom.pool.internal.JavaSets;
import java.time.Duration;
import java.util.Objects;

/**
 * Makes a {@link SetPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Each property has a method that
 * sets it and one that gets it. Values are checked by {@link #build}, all against each other; a builder is for one thread.
 */
public final class SetPolicyBuilder {
    /** No limit. Any duration beyond 146 million years means the same. */
    public static final Duration INFINITE = Duration.ofSeconds(Long.MAX_VALUE);

    private int target;
    private int maximum;
    private Duration connectTimeout;
    private Duration closeTimeout;
    private Duration checkInterval;
    private Duration checkTimeout;
    private boolean checkLeased;
    private Duration drainTimeout;
    private Duration replaceWithin;
    private Duration leaseTimeout;
    private Duration decoherenceInterval;
    private BackoffPolicy backoff;
    private int noticeBuffer;

    /** A builder that has the defaults of {@link SetPolicy}. */
    public SetPolicyBuilder() {
        this(new SetPolicy());
    }

    private SetPolicyBuilder(SetPolicy from) {
        JavaSets.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static SetPolicyBuilder from(SetPolicy policy) {
        return new SetPolicyBuilder(policy);
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public SetPolicy build() {
        return JavaSets.build(this);
    }

    /**
     * To how many backends to be connected at once. 1..{@link #maximum()}; {@code Integer.MAX_VALUE}: all.
     */
    public SetPolicyBuilder target(int target) {
        this.target = target;
        return this;
    }

    /** See {@link #target(int)}. */
    public int target() {
        return target;
    }

    /**
     * Most connections that are open or being opened at once. At least {@link #target()}. Exceeded by one while a
     * connection is being swapped for another; draining ones are not counted.
     */
    public SetPolicyBuilder maximum(int maximum) {
        this.maximum = maximum;
        return this;
    }

    /** See {@link #maximum(int)}. */
    public int maximum() {
        return maximum;
    }

    /** Longest {@code connect}. Positive and finite. */
    public SetPolicyBuilder connectTimeout(Duration connectTimeout) {
        this.connectTimeout = Objects.requireNonNull(connectTimeout, "connectTimeout");
        return this;
    }

    /** See {@link #connectTimeout(Duration)}. */
    public Duration connectTimeout() {
        return connectTimeout;
    }

    /** Longest {@code close} of a connection. Positive and finite. */
    public SetPolicyBuilder closeTimeout(Duration closeTimeout) {
        this.closeTimeout = Objects.requireNonNull(closeTimeout, "closeTimeout");
        return this;
    }

    /** See {@link #closeTimeout(Duration)}. */
    public Duration closeTimeout() {
        return closeTimeout;
    }

    /** How often a connection is checked. At least 1 ms; {@link #INFINITE} never checks. */
    public SetPolicyBuilder checkInterval(Duration checkInterval) {
        this.checkInterval = Objects.requireNonNull(checkInterval, "checkInterval");
        return this;
    }

    /** See {@link #checkInterval(Duration)}. */
    public Duration checkInterval() {
        return checkInterval;
    }

    /** Longest {@code isValid}. Positive and finite. */
    public SetPolicyBuilder checkTimeout(Duration checkTimeout) {
        this.checkTimeout = Objects.requireNonNull(checkTimeout, "checkTimeout");
        return this;
    }

    /** See {@link #checkTimeout(Duration)}. */
    public Duration checkTimeout() {
        return checkTimeout;
    }

    /** Whether connections are checked while users hold leases of them. */
    public SetPolicyBuilder checkLeased(boolean checkLeased) {
        this.checkLeased = checkLeased;
        return this;
    }

    /** See {@link #checkLeased(boolean)}. */
    public boolean checkLeased() {
        return checkLeased;
    }

    /**
     * How long a connection that left the set stays open for the users who still hold a lease of it. Not negative,
     * finite.
     */
    public SetPolicyBuilder drainTimeout(Duration drainTimeout) {
        this.drainTimeout = Objects.requireNonNull(drainTimeout, "drainTimeout");
        return this;
    }

    /** See {@link #drainTimeout(Duration)}. */
    public Duration drainTimeout() {
        return drainTimeout;
    }

    /**
     * How long a backend that is no longer listed may keep its connection while those that replace it are not up.
     * Not negative, finite. The last connection that works is kept beyond it.
     */
    public SetPolicyBuilder replaceWithin(Duration replaceWithin) {
        this.replaceWithin = Objects.requireNonNull(replaceWithin, "replaceWithin");
        return this;
    }

    /** See {@link #replaceWithin(Duration)}. */
    public Duration replaceWithin() {
        return replaceWithin;
    }

    /** Longest wait for a lease. Positive; {@link #INFINITE} waits for ever. */
    public SetPolicyBuilder leaseTimeout(Duration leaseTimeout) {
        this.leaseTimeout = Objects.requireNonNull(leaseTimeout, "leaseTimeout");
        return this;
    }

    /** See {@link #leaseTimeout(Duration)}. */
    public Duration leaseTimeout() {
        return leaseTimeout;
    }

    /**
     * How often one backend, chosen at random, gets another place in the order of preference. At least 10 ms; {@link
     * #INFINITE} never.
     */
    public SetPolicyBuilder decoherenceInterval(Duration decoherenceInterval) {
        this.decoherenceInterval = Objects.requireNonNull(decoherenceInterval, "decoherenceInterval");
        return this;
    }

    /** See {@link #decoherenceInterval(Duration)}. */
    public Duration decoherenceInterval() {
        return decoherenceInterval;
    }

    /** How long to wait after failures: {@link BackoffPolicyBuilder}. */
    public SetPolicyBuilder backoff(BackoffPolicy backoff) {
        this.backoff = Objects.requireNonNull(backoff, "backoff");
        return this;
    }

    /** See {@link #backoff(BackoffPolicy)}. */
    public BackoffPolicy backoff() {
        return backoff;
    }

    /** Notices kept for a slow subscriber. 1..65536. */
    public SetPolicyBuilder noticeBuffer(int noticeBuffer) {
        this.noticeBuffer = noticeBuffer;
        return this;
    }

    /** See {@link #noticeBuffer(int)}. */
    public int noticeBuffer() {
        return noticeBuffer;
    }
}
