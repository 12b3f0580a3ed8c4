package dev.carom.pool;

import dev.carom.pool.internal.JavaPolicies;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link PoolPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Each property has a method
 * that sets it and one that gets it. Values are checked by {@link #build}, all against each other; a builder is for
 * one thread.
 */
public final class PoolPolicyBuilder {
    /** No limit. Any duration beyond 146 million years means the same. */
    public static final Duration INFINITE = Duration.ofSeconds(Long.MAX_VALUE);

    private int spares;
    private int maxSlots;
    private int maxSlotsPerBackend;
    private Duration claimTimeout;
    private Duration connectTimeout;
    private Duration acquireTimeout;
    private Duration checkTimeout;
    private Duration recycleTimeout;
    private Duration closeTimeout;
    private int connectParallelism;
    private Duration healthInterval;
    private int healthReserve;
    private BackoffPolicy backoff;
    private Duration maxLifetime;
    private double lifetimeJitter;
    private Duration rebalanceInterval;
    private Duration shrinkInterval;
    private int maxWaiters;
    private QueuePolicy queue;
    private int reserved;
    private double connectRate;
    private BackoffPolicy authBackoff;
    private Duration idleTimeout;
    private Duration drainTimeout;
    private Retention retention;
    private Duration roleInterval;
    private LeasePolicy lease;
    private OutlierPolicy outlier;
    private PlacementPolicy placement;
    private @Nullable Integer ceiling;
    private int noticeBuffer;

    /** A builder that has the defaults of {@link PoolPolicy}. */
    public PoolPolicyBuilder() {
        this(new PoolPolicy());
    }

    private PoolPolicyBuilder(PoolPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static PoolPolicyBuilder from(PoolPolicy policy) {
        return new PoolPolicyBuilder(policy);
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public PoolPolicy build() {
        return JavaPolicies.build(this);
    }

    /** Idle connections to keep beside those on loan, over all backends. 0..{@link #maxSlots()}. */
    public PoolPolicyBuilder spares(int spares) {
        this.spares = spares;
        return this;
    }

    /** See {@link #spares(int)}. */
    public int spares() {
        return spares;
    }

    /** Most connections at any instant, over all backends. 1..4032. */
    public PoolPolicyBuilder maxSlots(int maxSlots) {
        this.maxSlots = maxSlots;
        return this;
    }

    /** See {@link #maxSlots(int)}. */
    public int maxSlots() {
        return maxSlots;
    }

    /** Most connections to one backend. 1 or more; above {@link #maxSlots()} it means that. */
    public PoolPolicyBuilder maxSlotsPerBackend(int maxSlotsPerBackend) {
        this.maxSlotsPerBackend = maxSlotsPerBackend;
        return this;
    }

    /** See {@link #maxSlotsPerBackend(int)}. */
    public int maxSlotsPerBackend() {
        return maxSlotsPerBackend;
    }

    /**
     * Longest wait of one claim, retries included. Positive; {@link #INFINITE} waits for ever.
     * Keep it above {@link #connectTimeout()}.
     */
    public PoolPolicyBuilder claimTimeout(Duration claimTimeout) {
        this.claimTimeout = Objects.requireNonNull(claimTimeout, "claimTimeout");
        return this;
    }

    /** See {@link #claimTimeout(Duration)}. */
    public Duration claimTimeout() {
        return claimTimeout;
    }

    /** Longest {@code connect}. Positive and finite. */
    public PoolPolicyBuilder connectTimeout(Duration connectTimeout) {
        this.connectTimeout = Objects.requireNonNull(connectTimeout, "connectTimeout");
        return this;
    }

    /** See {@link #connectTimeout(Duration)}. */
    public Duration connectTimeout() {
        return connectTimeout;
    }

    /** Longest {@code onAcquire}. Positive and finite; the claim's deadline also bounds it. */
    public PoolPolicyBuilder acquireTimeout(Duration acquireTimeout) {
        this.acquireTimeout = Objects.requireNonNull(acquireTimeout, "acquireTimeout");
        return this;
    }

    /** See {@link #acquireTimeout(Duration)}. */
    public Duration acquireTimeout() {
        return acquireTimeout;
    }

    /** Longest {@code isValid}. Positive and finite. */
    public PoolPolicyBuilder checkTimeout(Duration checkTimeout) {
        this.checkTimeout = Objects.requireNonNull(checkTimeout, "checkTimeout");
        return this;
    }

    /** See {@link #checkTimeout(Duration)}. */
    public Duration checkTimeout() {
        return checkTimeout;
    }

    /** Longest {@code onRecycle}. Positive and finite. */
    public PoolPolicyBuilder recycleTimeout(Duration recycleTimeout) {
        this.recycleTimeout = Objects.requireNonNull(recycleTimeout, "recycleTimeout");
        return this;
    }

    /** See {@link #recycleTimeout(Duration)}. */
    public Duration recycleTimeout() {
        return recycleTimeout;
    }

    /** Longest {@code close} of a connection. Positive and finite. */
    public PoolPolicyBuilder closeTimeout(Duration closeTimeout) {
        this.closeTimeout = Objects.requireNonNull(closeTimeout, "closeTimeout");
        return this;
    }

    /** See {@link #closeTimeout(Duration)}. */
    public Duration closeTimeout() {
        return closeTimeout;
    }

    /** Most connections opening at once to one backend. 1 or more. */
    public PoolPolicyBuilder connectParallelism(int connectParallelism) {
        this.connectParallelism = connectParallelism;
        return this;
    }

    /** See {@link #connectParallelism(int)}. */
    public int connectParallelism() {
        return connectParallelism;
    }

    /** How often an idle connection is checked. At least 1 ms; {@link #INFINITE} never checks. */
    public PoolPolicyBuilder healthInterval(Duration healthInterval) {
        this.healthInterval = Objects.requireNonNull(healthInterval, "healthInterval");
        return this;
    }

    /** See {@link #healthInterval(Duration)}. */
    public Duration healthInterval() {
        return healthInterval;
    }

    /** Idle connections that health checks leave alone. 0..{@link #maxSlots()}. */
    public PoolPolicyBuilder healthReserve(int healthReserve) {
        this.healthReserve = healthReserve;
        return this;
    }

    /** See {@link #healthReserve(int)}. */
    public int healthReserve() {
        return healthReserve;
    }

    /** How long to wait after failures: {@link BackoffPolicyBuilder}. */
    public PoolPolicyBuilder backoff(BackoffPolicy backoff) {
        this.backoff = Objects.requireNonNull(backoff, "backoff");
        return this;
    }

    /** See {@link #backoff(BackoffPolicy)}. */
    public BackoffPolicy backoff() {
        return backoff;
    }

    /** Age at which a connection that is not on loan is replaced. At least 1 s; {@link #INFINITE} never. */
    public PoolPolicyBuilder maxLifetime(Duration maxLifetime) {
        this.maxLifetime = Objects.requireNonNull(maxLifetime, "maxLifetime");
        return this;
    }

    /** See {@link #maxLifetime(Duration)}. */
    public Duration maxLifetime() {
        return maxLifetime;
    }

    /** The part of {@link #maxLifetime()} drawn at random and taken off. 0.1..1.0. */
    public PoolPolicyBuilder lifetimeJitter(double lifetimeJitter) {
        this.lifetimeJitter = lifetimeJitter;
        return this;
    }

    /** See {@link #lifetimeJitter(double)}. */
    public double lifetimeJitter() {
        return lifetimeJitter;
    }

    /** Longest time between two fittings of slots to demand. At least 10 ms and finite. */
    public PoolPolicyBuilder rebalanceInterval(Duration rebalanceInterval) {
        this.rebalanceInterval = Objects.requireNonNull(rebalanceInterval, "rebalanceInterval");
        return this;
    }

    /** See {@link #rebalanceInterval(Duration)}. */
    public Duration rebalanceInterval() {
        return rebalanceInterval;
    }

    /** Time between two steps of shrinking. At least 10 ms and finite. */
    public PoolPolicyBuilder shrinkInterval(Duration shrinkInterval) {
        this.shrinkInterval = Objects.requireNonNull(shrinkInterval, "shrinkInterval");
        return this;
    }

    /** See {@link #shrinkInterval(Duration)}. */
    public Duration shrinkInterval() {
        return shrinkInterval;
    }

    /** Most claims in the queue; another is refused. 0 or more. */
    public PoolPolicyBuilder maxWaiters(int maxWaiters) {
        this.maxWaiters = maxWaiters;
        return this;
    }

    /** See {@link #maxWaiters(int)}. */
    public int maxWaiters() {
        return maxWaiters;
    }

    /** What happens to a claim for which no connection is free; see {@link QueuePolicies}. */
    public PoolPolicyBuilder queue(QueuePolicy queue) {
        this.queue = Objects.requireNonNull(queue, "queue");
        return this;
    }

    /** See {@link #queue(QueuePolicy)}. */
    public QueuePolicy queue() {
        return queue;
    }

    /** Connections kept for claims of the reserved lane. Less than {@link #maxSlots()}. */
    public PoolPolicyBuilder reserved(int reserved) {
        this.reserved = reserved;
        return this;
    }

    /** See {@link #reserved(int)}. */
    public int reserved() {
        return reserved;
    }

    /** Most connects begun per second, over all backends. Above 0; infinite: no limit. */
    public PoolPolicyBuilder connectRate(double connectRate) {
        this.connectRate = connectRate;
        return this;
    }

    /** See {@link #connectRate(double)}. */
    public double connectRate() {
        return connectRate;
    }

    /** How long to wait after a backend did not accept the credentials. */
    public PoolPolicyBuilder authBackoff(BackoffPolicy authBackoff) {
        this.authBackoff = Objects.requireNonNull(authBackoff, "authBackoff");
        return this;
    }

    /** See {@link #authBackoff(BackoffPolicy)}. */
    public BackoffPolicy authBackoff() {
        return authBackoff;
    }

    /** Time without a claim after which a connection is replaced. At least 1 s; {@link #INFINITE} never. */
    public PoolPolicyBuilder idleTimeout(Duration idleTimeout) {
        this.idleTimeout = Objects.requireNonNull(idleTimeout, "idleTimeout");
        return this;
    }

    /** See {@link #idleTimeout(Duration)}. */
    public Duration idleTimeout() {
        return idleTimeout;
    }

    /** Longest a lent connection of a removed or drained backend is left to its holder. At least 10 ms. */
    public PoolPolicyBuilder drainTimeout(Duration drainTimeout) {
        this.drainTimeout = Objects.requireNonNull(drainTimeout, "drainTimeout");
        return this;
    }

    /** See {@link #drainTimeout(Duration)}. */
    public Duration drainTimeout() {
        return drainTimeout;
    }

    /** When connections to a backend that is no longer listed are given up. */
    public PoolPolicyBuilder retention(Retention retention) {
        this.retention = Objects.requireNonNull(retention, "retention");
        return this;
    }

    /** See {@link #retention(Retention)}. */
    public Retention retention() {
        return retention;
    }

    /** How often backends are asked for their roles. At least 10 ms, finite. */
    public PoolPolicyBuilder roleInterval(Duration roleInterval) {
        this.roleInterval = Objects.requireNonNull(roleInterval, "roleInterval");
        return this;
    }

    /** See {@link #roleInterval(Duration)}. */
    public Duration roleInterval() {
        return roleInterval;
    }

    /** What to do about claims that are held; see {@link LeasePolicyBuilder}. */
    public PoolPolicyBuilder lease(LeasePolicy lease) {
        this.lease = Objects.requireNonNull(lease, "lease");
        return this;
    }

    /** See {@link #lease(LeasePolicy)}. */
    public LeasePolicy lease() {
        return lease;
    }

    /** When a backend that fails its callers is left out; see {@link OutlierPolicyBuilder}. */
    public PoolPolicyBuilder outlier(OutlierPolicy outlier) {
        this.outlier = Objects.requireNonNull(outlier, "outlier");
        return this;
    }

    /** See {@link #outlier(OutlierPolicy)}. */
    public OutlierPolicy outlier() {
        return outlier;
    }

    /** Which backends get connections and claims; see {@link PlacementPolicyBuilder}. */
    public PoolPolicyBuilder placement(PlacementPolicy placement) {
        this.placement = Objects.requireNonNull(placement, "placement");
        return this;
    }

    /** See {@link #placement(PlacementPolicy)}. */
    public PlacementPolicy placement() {
        return placement;
    }

    /** Most that {@code limit} can raise {@link #maxSlots()} to. At least that, up to 4032; by default that. */
    public PoolPolicyBuilder ceiling(int ceiling) {
        this.ceiling = ceiling;
        return this;
    }

    /** See {@link #ceiling(int)}. */
    public int ceiling() {
        return ceiling == null ? maxSlots : ceiling;
    }

    /** Notices kept for a slow subscriber. 1..65536. */
    public PoolPolicyBuilder noticeBuffer(int noticeBuffer) {
        this.noticeBuffer = noticeBuffer;
        return this;
    }

    /** See {@link #noticeBuffer(int)}. */
    public int noticeBuffer() {
        return noticeBuffer;
    }
}
