package dev.carom.storage;

import dev.carom.storage.internal.JavaPolicies;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link TxnPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Each property has a method
 * that sets it and one that gets it.
 * Values are checked by {@link #build}; a builder is for one thread.
 */
public final class TxnPolicyBuilder {
    /** No limit. Any duration beyond 146 million years means the same. */
    public static final Duration INFINITE = Duration.ofSeconds(Long.MAX_VALUE);

    private Isolation isolation;
    private @Nullable Boolean readOnly;
    private Duration timeout;
    private Propagation propagation;
    private boolean lazy;
    private ConcurrentUse concurrentUse;
    private JoinFailure joinFailure;
    private RetryPolicy retry;
    private boolean strictHooks;
    private boolean owned;
    private String label;
    private Duration idleTimeout;
    private boolean autoSavepoint;

    /** A builder that has the defaults. */
    public TxnPolicyBuilder() {
        this(new TxnPolicy());
    }

    private TxnPolicyBuilder(TxnPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static TxnPolicyBuilder from(TxnPolicy policy) {
        return new TxnPolicyBuilder(policy);
    }

    /**
     * The result.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public TxnPolicy build() {
        return JavaPolicies.build(this);
    }

    /** {@link Isolation#DEFAULT} sends nothing. */
    public TxnPolicyBuilder isolation(Isolation isolation) {
        this.isolation = isolation;
        return this;
    }

    /** See {@link #isolation(Isolation)}. */
    public Isolation isolation() {
        return isolation;
    }

    /** Null sends nothing; true refuses writes. */
    public TxnPolicyBuilder readOnly(@Nullable Boolean readOnly) {
        this.readOnly = readOnly;
        return this;
    }

    /** See {@link #readOnly(Boolean)}. */
    public @Nullable Boolean readOnly() {
        return readOnly;
    }

    /** Longest time from its begin to the sending of its commit. Positive. */
    public TxnPolicyBuilder timeout(Duration timeout) {
        this.timeout = timeout;
        return this;
    }

    /** See {@link #timeout(Duration)}. */
    public Duration timeout() {
        return timeout;
    }

    /** About a transaction that is already open in a coroutine; Java passes transactions on. */
    public TxnPolicyBuilder propagation(Propagation propagation) {
        this.propagation = propagation;
        return this;
    }

    /** See {@link #propagation(Propagation)}. */
    public Propagation propagation() {
        return propagation;
    }

    /** Takes a session and begins at the first operation. */
    public TxnPolicyBuilder lazy(boolean lazy) {
        this.lazy = lazy;
        return this;
    }

    /** See {@link #lazy(boolean)}. */
    public boolean lazy() {
        return lazy;
    }

    /** About a second thread. */
    public TxnPolicyBuilder concurrentUse(ConcurrentUse concurrentUse) {
        this.concurrentUse = concurrentUse;
        return this;
    }

    /** See {@link #concurrentUse(ConcurrentUse)}. */
    public ConcurrentUse concurrentUse() {
        return concurrentUse;
    }

    /** About a joined block that throws. */
    public TxnPolicyBuilder joinFailure(JoinFailure joinFailure) {
        this.joinFailure = joinFailure;
        return this;
    }

    /** See {@link #joinFailure(JoinFailure)}. */
    public JoinFailure joinFailure() {
        return joinFailure;
    }

    /** Whether the runner runs its work again. */
    public TxnPolicyBuilder retry(RetryPolicy retry) {
        this.retry = retry;
        return this;
    }

    /** See {@link #retry(RetryPolicy)}. */
    public RetryPolicy retry() {
        return retry;
    }

    /** Whether a failing hook after the commit is thrown. */
    public TxnPolicyBuilder strictHooks(boolean strictHooks) {
        this.strictHooks = strictHooks;
        return this;
    }

    /** See {@link #strictHooks(boolean)}. */
    public boolean strictHooks() {
        return strictHooks;
    }

    /** Whether a coroutine that begins it owns it; a thread never does. */
    public TxnPolicyBuilder owned(boolean owned) {
        this.owned = owned;
        return this;
    }

    /** See {@link #owned(boolean)}. */
    public boolean owned() {
        return owned;
    }

    /** For reports; may be empty. */
    public TxnPolicyBuilder label(String label) {
        this.label = label;
        return this;
    }

    /** See {@link #label(String)}. */
    public String label() {
        return label;
    }

    /** Longest time without an operation; then it is rolled back. At least 1 ms; {@link #INFINITE} never. */
    public TxnPolicyBuilder idleTimeout(Duration idleTimeout) {
        this.idleTimeout = idleTimeout;
        return this;
    }

    /** See {@link #idleTimeout(Duration)}. */
    public Duration idleTimeout() {
        return idleTimeout;
    }

    /** Whether each operation has a savepoint of its own, so that one that fails is undone alone. */
    public TxnPolicyBuilder autoSavepoint(boolean autoSavepoint) {
        this.autoSavepoint = autoSavepoint;
        return this;
    }

    /** See {@link #autoSavepoint(boolean)}. */
    public boolean autoSavepoint() {
        return autoSavepoint;
    }
}
