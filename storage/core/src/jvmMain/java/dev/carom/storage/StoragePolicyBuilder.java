package dev.carom.storage;

import dev.carom.storage.internal.JavaPolicies;
import java.time.Duration;

/**
 * Makes a {@link StoragePolicy}, and reads one, with {@link Duration}s of {@code java.time}. Each property has a method
 * that sets it and one that gets it.
 * Values are checked by {@link #build}; a builder is for one thread.
 */
public final class StoragePolicyBuilder {
    /** No limit. Any duration beyond 146 million years means the same. */
    public static final Duration INFINITE = Duration.ofSeconds(Long.MAX_VALUE);

    private Duration acquireTimeout;
    private int maxWaiters;
    private Duration cancelGrace;
    private Duration cancelRepeat;
    private CancelRoute cancelRoute;
    private Duration beginTimeout;
    private Duration commitTimeout;
    private Duration rollbackTimeout;
    private Duration resetTimeout;
    private Duration hookTimeout;
    private Duration resolveTimeout;
    private OpsDuringTxn opsDuringTxn;
    private ResetLevel reset;
    private Duration leakAfter;
    private boolean traceLeases;
    private CancelMode cancelMode;

    /** A builder that has the defaults. */
    public StoragePolicyBuilder() {
        this(new StoragePolicy());
    }

    private StoragePolicyBuilder(StoragePolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static StoragePolicyBuilder from(StoragePolicy policy) {
        return new StoragePolicyBuilder(policy);
    }

    /**
     * The result.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public StoragePolicy build() {
        return JavaPolicies.build(this);
    }

    /** Longest wait for a session. Positive. */
    public StoragePolicyBuilder acquireTimeout(Duration acquireTimeout) {
        this.acquireTimeout = acquireTimeout;
        return this;
    }

    /** See {@link #acquireTimeout(Duration)}. */
    public Duration acquireTimeout() {
        return acquireTimeout;
    }

    /** Most callers waiting for a session. Not negative. */
    public StoragePolicyBuilder maxWaiters(int maxWaiters) {
        this.maxWaiters = maxWaiters;
        return this;
    }

    /** See {@link #maxWaiters(int)}. */
    public int maxWaiters() {
        return maxWaiters;
    }

    /** How long a cancelled operation may take to end. At least 1 ms, finite. */
    public StoragePolicyBuilder cancelGrace(Duration cancelGrace) {
        this.cancelGrace = cancelGrace;
        return this;
    }

    /** See {@link #cancelGrace(Duration)}. */
    public Duration cancelGrace() {
        return cancelGrace;
    }

    /** Time between the first and the second cancel request. At least 1 ms, finite. */
    public StoragePolicyBuilder cancelRepeat(Duration cancelRepeat) {
        this.cancelRepeat = cancelRepeat;
        return this;
    }

    /** See {@link #cancelRepeat(Duration)}. */
    public Duration cancelRepeat() {
        return cancelRepeat;
    }

    /** Whether a late cancel request is possible. */
    public StoragePolicyBuilder cancelRoute(CancelRoute cancelRoute) {
        this.cancelRoute = cancelRoute;
        return this;
    }

    /** See {@link #cancelRoute(CancelRoute)}. */
    public CancelRoute cancelRoute() {
        return cancelRoute;
    }

    /** Longest wait for the answer to a begin. At least 1 ms, finite. */
    public StoragePolicyBuilder beginTimeout(Duration beginTimeout) {
        this.beginTimeout = beginTimeout;
        return this;
    }

    /** See {@link #beginTimeout(Duration)}. */
    public Duration beginTimeout() {
        return beginTimeout;
    }

    /** Longest wait for the answer to a commit. At least 1 ms, finite. */
    public StoragePolicyBuilder commitTimeout(Duration commitTimeout) {
        this.commitTimeout = commitTimeout;
        return this;
    }

    /** See {@link #commitTimeout(Duration)}. */
    public Duration commitTimeout() {
        return commitTimeout;
    }

    /** Longest wait for the answer to a rollback. At least 1 ms, finite. */
    public StoragePolicyBuilder rollbackTimeout(Duration rollbackTimeout) {
        this.rollbackTimeout = rollbackTimeout;
        return this;
    }

    /** See {@link #rollbackTimeout(Duration)}. */
    public Duration rollbackTimeout() {
        return rollbackTimeout;
    }

    /** Longest clean-up of a session that comes back. At least 1 ms, finite. */
    public StoragePolicyBuilder resetTimeout(Duration resetTimeout) {
        this.resetTimeout = resetTimeout;
        return this;
    }

    /** See {@link #resetTimeout(Duration)}. */
    public Duration resetTimeout() {
        return resetTimeout;
    }

    /** Longest run of one hook after the end. At least 1 ms, finite. */
    public StoragePolicyBuilder hookTimeout(Duration hookTimeout) {
        this.hookTimeout = hookTimeout;
        return this;
    }

    /** See {@link #hookTimeout(Duration)}. */
    public Duration hookTimeout() {
        return hookTimeout;
    }

    /** Longest search for the outcome of an unanswered commit; zero never searches. Finite. */
    public StoragePolicyBuilder resolveTimeout(Duration resolveTimeout) {
        this.resolveTimeout = resolveTimeout;
        return this;
    }

    /** See {@link #resolveTimeout(Duration)}. */
    public Duration resolveTimeout() {
        return resolveTimeout;
    }

    /** About operations on a connection whose transaction another caller has. */
    public StoragePolicyBuilder opsDuringTxn(OpsDuringTxn opsDuringTxn) {
        this.opsDuringTxn = opsDuringTxn;
        return this;
    }

    /** See {@link #opsDuringTxn(OpsDuringTxn)}. */
    public OpsDuringTxn opsDuringTxn() {
        return opsDuringTxn;
    }

    /** How thoroughly a session is cleaned after it was lent as a connection. */
    public StoragePolicyBuilder reset(ResetLevel reset) {
        this.reset = reset;
        return this;
    }

    /** See {@link #reset(ResetLevel)}. */
    public ResetLevel reset() {
        return reset;
    }

    /** How long nothing may run on a session that somebody has before it is told as a leak. At least 10 ms. */
    public StoragePolicyBuilder leakAfter(Duration leakAfter) {
        this.leakAfter = leakAfter;
        return this;
    }

    /** See {@link #leakAfter(Duration)}. */
    public Duration leakAfter() {
        return leakAfter;
    }

    /** Whether each loan remembers where it was taken; costs a stack trace each. */
    public StoragePolicyBuilder traceLeases(boolean traceLeases) {
        this.traceLeases = traceLeases;
        return this;
    }

    /** See {@link #traceLeases(boolean)}. */
    public boolean traceLeases() {
        return traceLeases;
    }

    /** What becomes of a running operation whose caller is cancelled. */
    public StoragePolicyBuilder cancelMode(CancelMode cancelMode) {
        this.cancelMode = cancelMode;
        return this;
    }

    /** See {@link #cancelMode(CancelMode)}. */
    public CancelMode cancelMode() {
        return cancelMode;
    }
}
