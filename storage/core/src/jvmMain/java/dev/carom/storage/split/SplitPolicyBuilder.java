package dev.carom.storage.split;

import dev.carom.storage.internal.JavaPolicies;
import java.time.Duration;

/**
 * Makes a {@link SplitPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Values are checked by
 * {@link #build}; a builder is for one thread.
 */
public final class SplitPolicyBuilder {
    private boolean allowPrimaryReads;
    private Duration lagMemory;
    private Duration askAgain;
    private Duration checkTimeout;

    /** A builder that has the defaults. */
    public SplitPolicyBuilder() {
        this(new SplitPolicy());
    }

    private SplitPolicyBuilder(SplitPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static SplitPolicyBuilder from(SplitPolicy policy) {
        return new SplitPolicyBuilder(policy);
    }

    /**
     * The result.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public SplitPolicy build() {
        return JavaPolicies.build(this);
    }

    /** Whether the primary serves a read that no replica can. */
    public SplitPolicyBuilder allowPrimaryReads(boolean allowPrimaryReads) {
        this.allowPrimaryReads = allowPrimaryReads;
        return this;
    }

    /** See {@link #allowPrimaryReads(boolean)}. */
    public boolean allowPrimaryReads() {
        return allowPrimaryReads;
    }

    /** How long an answer about the lag is taken for true, its age added to it. Not negative. */
    public SplitPolicyBuilder lagMemory(Duration lagMemory) {
        this.lagMemory = lagMemory;
        return this;
    }

    /** See {@link #lagMemory(Duration)}. */
    public Duration lagMemory() {
        return lagMemory;
    }

    /** How long a read waits before it asks the replicas again. At least 1 ms. */
    public SplitPolicyBuilder askAgain(Duration askAgain) {
        this.askAgain = askAgain;
        return this;
    }

    /** See {@link #askAgain(Duration)}. */
    public Duration askAgain() {
        return askAgain;
    }

    /** Longest wait for one answer of a replica. At least 1 ms. */
    public SplitPolicyBuilder checkTimeout(Duration checkTimeout) {
        this.checkTimeout = checkTimeout;
        return this;
    }

    /** See {@link #checkTimeout(Duration)}. */
    public Duration checkTimeout() {
        return checkTimeout;
    }
}
