package dev.carom.pool;

import dev.carom.pool.internal.JavaSets;
import java.time.Duration;
import java.util.Objects;

/**
 * Makes a {@link PersistentPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Each property has a method
 * that sets it and one that gets it. Values are checked by {@link #build}; a builder is for one thread.
 */
public final class PersistentPolicyBuilder {
    private int maxMessages;
    private long maxBytes;
    private Overflow overflow;
    private int attempts;
    private Duration writeTimeout;
    private SetPolicy connection;

    /** A builder that has the defaults of {@link PersistentPolicy}. */
    public PersistentPolicyBuilder() {
        this(new PersistentPolicy());
    }

    private PersistentPolicyBuilder(PersistentPolicy from) {
        JavaSets.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static PersistentPolicyBuilder from(PersistentPolicy policy) {
        return new PersistentPolicyBuilder(policy);
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public PersistentPolicy build() {
        return JavaSets.build(this);
    }

    /** Most messages in the outbox, beside the one that is being written. 1 or more. */
    public PersistentPolicyBuilder maxMessages(int maxMessages) {
        this.maxMessages = maxMessages;
        return this;
    }

    /** See {@link #maxMessages(int)}. */
    public int maxMessages() {
        return maxMessages;
    }

    /** Most bytes in the outbox, beside the message that is being written. 1 or more. */
    public PersistentPolicyBuilder maxBytes(long maxBytes) {
        this.maxBytes = maxBytes;
        return this;
    }

    /** See {@link #maxBytes(long)}. */
    public long maxBytes() {
        return maxBytes;
    }

    /** What happens to a message for which there is no room. */
    public PersistentPolicyBuilder overflow(Overflow overflow) {
        this.overflow = Objects.requireNonNull(overflow, "overflow");
        return this;
    }

    /** See {@link #overflow(Overflow)}. */
    public Overflow overflow() {
        return overflow;
    }

    /**
     * Most times the writing of one message is begun: 1 is at most once, more is at least once up to so many
     * failures.
     */
    public PersistentPolicyBuilder attempts(int attempts) {
        this.attempts = attempts;
        return this;
    }

    /** See {@link #attempts(int)}. */
    public int attempts() {
        return attempts;
    }

    /** Longest {@code write}. Positive and finite. */
    public PersistentPolicyBuilder writeTimeout(Duration writeTimeout) {
        this.writeTimeout = Objects.requireNonNull(writeTimeout, "writeTimeout");
        return this;
    }

    /** See {@link #writeTimeout(Duration)}. */
    public Duration writeTimeout() {
        return writeTimeout;
    }

    /**
     * How the connection is opened, checked, replaced and closed. Its target must be 1: {@link SetPolicyBuilder}.
     */
    public PersistentPolicyBuilder connection(SetPolicy connection) {
        this.connection = Objects.requireNonNull(connection, "connection");
        return this;
    }

    /** See {@link #connection(SetPolicy)}. */
    public SetPolicy connection() {
        return connection;
    }
}
