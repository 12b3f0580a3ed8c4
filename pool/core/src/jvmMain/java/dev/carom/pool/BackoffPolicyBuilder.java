package dev.carom.pool;

import dev.carom.pool.internal.JavaPolicies;
import java.time.Duration;
import java.util.Objects;

/**
 * Makes a {@link BackoffPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Each property has a method
 * that sets it and one that gets it. Values are checked by {@link #build}; a builder is for one thread.
 */
public final class BackoffPolicyBuilder {
    private Duration start;
    private Duration max;
    private double jitter;
    private Duration memory;

    /** A builder that has the defaults of {@link BackoffPolicy}. */
    public BackoffPolicyBuilder() {
        this(new BackoffPolicy());
    }

    private BackoffPolicyBuilder(BackoffPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static BackoffPolicyBuilder from(BackoffPolicy policy) {
        return new BackoffPolicyBuilder(policy);
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public BackoffPolicy build() {
        return JavaPolicies.build(this);
    }

    /** The wait after the first failure. At least 1 ms. */
    public BackoffPolicyBuilder start(Duration start) {
        this.start = Objects.requireNonNull(start, "start");
        return this;
    }

    /** See {@link #start(Duration)}. */
    public Duration start() {
        return start;
    }

    /** The longest wait. At least {@link #start()}, finite. */
    public BackoffPolicyBuilder max(Duration max) {
        this.max = Objects.requireNonNull(max, "max");
        return this;
    }

    /** See {@link #max(Duration)}. */
    public Duration max() {
        return max;
    }

    /** 0.1..1.0: a wait lies between (1 - jitter) and 1 times the nominal one. */
    public BackoffPolicyBuilder jitter(double jitter) {
        this.jitter = jitter;
        return this;
    }

    /** See {@link #jitter(double)}. */
    public double jitter() {
        return jitter;
    }

    /** Time without a failure after which the next one counts as the first. At least {@link #max()}, finite. */
    public BackoffPolicyBuilder memory(Duration memory) {
        this.memory = Objects.requireNonNull(memory, "memory");
        return this;
    }

    /** See {@link #memory(Duration)}. */
    public Duration memory() {
        return memory;
    }
}
