package dev.carom.storage;

import dev.carom.storage.internal.JavaPolicies;
import java.time.Duration;

/**
 * Makes a {@link OpOptions}, and reads one, with {@link Duration}s of {@code java.time}. Each property has a method
 * that sets it and one that gets it.
 * Values are checked by {@link #build}; a builder is for one thread.
 */
public final class OpOptionsBuilder {
    /** No limit. Any duration beyond 146 million years means the same. */
    public static final Duration INFINITE = Duration.ofSeconds(Long.MAX_VALUE);

    private Duration timeout;
    private Access access;
    private int fetchSize;
    private long maxRows;
    private boolean generatedKeys;
    private boolean owned;
    private String label;

    /** A builder that has the defaults. */
    public OpOptionsBuilder() {
        this(new OpOptions());
    }

    private OpOptionsBuilder(OpOptions from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static OpOptionsBuilder from(OpOptions policy) {
        return new OpOptionsBuilder(policy);
    }

    /**
     * The result.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public OpOptions build() {
        return JavaPolicies.build(this);
    }

    /** Longest run of the operation, each page of rows counted alone. Positive. */
    public OpOptionsBuilder timeout(Duration timeout) {
        this.timeout = timeout;
        return this;
    }

    /** See {@link #timeout(Duration)}. */
    public Duration timeout() {
        return timeout;
    }

    /** What it does to the data. */
    public OpOptionsBuilder access(Access access) {
        this.access = access;
        return this;
    }

    /** See {@link #access(Access)}. */
    public Access access() {
        return access;
    }

    /** Rows asked for at once. 1..100000. */
    public OpOptionsBuilder fetchSize(int fetchSize) {
        this.fetchSize = fetchSize;
        return this;
    }

    /** See {@link #fetchSize(int)}. */
    public int fetchSize() {
        return fetchSize;
    }

    /** Rows delivered at most; 0 is no limit. */
    public OpOptionsBuilder maxRows(long maxRows) {
        this.maxRows = maxRows;
        return this;
    }

    /** See {@link #maxRows(long)}. */
    public long maxRows() {
        return maxRows;
    }

    /** Whether an insert reports the keys it made. */
    public OpOptionsBuilder generatedKeys(boolean generatedKeys) {
        this.generatedKeys = generatedKeys;
        return this;
    }

    /** See {@link #generatedKeys(boolean)}. */
    public boolean generatedKeys() {
        return generatedKeys;
    }

    /** Whether open rows belong to the coroutine that opened them; to a thread they never do. */
    public OpOptionsBuilder owned(boolean owned) {
        this.owned = owned;
        return this;
    }

    /** See {@link #owned(boolean)}. */
    public boolean owned() {
        return owned;
    }

    /** For reports; may be empty. */
    public OpOptionsBuilder label(String label) {
        this.label = label;
        return this;
    }

    /** See {@link #label(String)}. */
    public String label() {
        return label;
    }
}
