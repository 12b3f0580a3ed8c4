package dev.carom.storage;

import dev.carom.storage.internal.JavaPolicies;
import java.time.Duration;
import java.util.Set;

/**
 * Makes a {@link RetryPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Each property has a method
 * that sets it and one that gets it.
 * Values are checked by {@link #build}; a builder is for one thread.
 */
public final class RetryPolicyBuilder {
    /** No limit. Any duration beyond 146 million years means the same. */
    public static final Duration INFINITE = Duration.ofSeconds(Long.MAX_VALUE);

    private int attempts;
    private Duration start;
    private Duration max;
    private Set<ErrorCategory> categories;

    /** A builder that has the defaults. */
    public RetryPolicyBuilder() {
        this(new RetryPolicy());
    }

    private RetryPolicyBuilder(RetryPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static RetryPolicyBuilder from(RetryPolicy policy) {
        return new RetryPolicyBuilder(policy);
    }

    /**
     * The result.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public RetryPolicy build() {
        return JavaPolicies.build(this);
    }

    /** How many times the work runs at most. 1..100. */
    public RetryPolicyBuilder attempts(int attempts) {
        this.attempts = attempts;
        return this;
    }

    /** See {@link #attempts(int)}. */
    public int attempts() {
        return attempts;
    }

    /** The longest wait before the second run. Not negative. */
    public RetryPolicyBuilder start(Duration start) {
        this.start = start;
        return this;
    }

    /** See {@link #start(Duration)}. */
    public Duration start() {
        return start;
    }

    /** The longest wait of all. At least {@link #start()}, finite. */
    public RetryPolicyBuilder max(Duration max) {
        this.max = max;
        return this;
    }

    /** See {@link #max(Duration)}. */
    public Duration max() {
        return max;
    }

    /** Which failures; not {@link ErrorCategory#CANCELLED}. */
    public RetryPolicyBuilder categories(Set<ErrorCategory> categories) {
        this.categories = categories;
        return this;
    }

    /** See {@link #categories(Set)}. */
    public Set<ErrorCategory> categories() {
        return categories;
    }
}
