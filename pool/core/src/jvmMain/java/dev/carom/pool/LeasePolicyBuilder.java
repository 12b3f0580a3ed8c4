package dev.carom.pool;

import dev.carom.pool.internal.JavaPolicies;
import java.time.Duration;
import java.util.Objects;

/**
 * Makes a {@link LeasePolicy}, and reads one, with {@link Duration}s of {@code java.time}. Values are checked by
 * {@link #build}; a builder is for one thread.
 */
public final class LeasePolicyBuilder {
    private Duration warnAfter;
    private Duration abortAfter;
    private int sites;
    private NestedClaims nested;

    /** A builder that has the defaults of {@link LeasePolicy}. */
    public LeasePolicyBuilder() {
        this(new LeasePolicy());
    }

    private LeasePolicyBuilder(LeasePolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static LeasePolicyBuilder from(LeasePolicy policy) {
        return new LeasePolicyBuilder(policy);
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public LeasePolicy build() {
        return JavaPolicies.build(this);
    }

    /** Age at which a claim is told as stalled, once. At least 10 ms; {@link PoolPolicyBuilder#INFINITE} never. */
    public LeasePolicyBuilder warnAfter(Duration warnAfter) {
        this.warnAfter = Objects.requireNonNull(warnAfter, "warnAfter");
        return this;
    }

    /** See {@link #warnAfter(Duration)}. */
    public Duration warnAfter() {
        return warnAfter;
    }

    /** Age at which a claim is ended under its holder. At least {@link #warnAfter()}; {@link PoolPolicyBuilder#INFINITE} never. */
    public LeasePolicyBuilder abortAfter(Duration abortAfter) {
        this.abortAfter = Objects.requireNonNull(abortAfter, "abortAfter");
        return this;
    }

    /** See {@link #abortAfter(Duration)}. */
    public Duration abortAfter() {
        return abortAfter;
    }

    /** Of how many claims one records where it was made: 0 none, 1 each, 100 one in a hundred. */
    public LeasePolicyBuilder sites(int sites) {
        this.sites = sites;
        return this;
    }

    /** See {@link #sites(int)}. */
    public int sites() {
        return sites;
    }

    /** What to do about a claim inside another claim of the same pool. */
    public LeasePolicyBuilder nested(NestedClaims nested) {
        this.nested = Objects.requireNonNull(nested, "nested");
        return this;
    }

    /** See {@link #nested(NestedClaims)}. */
    public NestedClaims nested() {
        return nested;
    }
}
