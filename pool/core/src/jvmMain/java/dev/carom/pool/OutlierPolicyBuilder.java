package dev.carom.pool;

import dev.carom.pool.internal.JavaPolicies;
import java.time.Duration;
import java.util.Objects;

/**
 * Makes an {@link OutlierPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Values are checked by
 * {@link #build}; a builder is for one thread.
 */
public final class OutlierPolicyBuilder {
    private int failuresInARow;
    private double failureShare;
    private int minimumReports;
    private Duration interval;
    private Duration ejection;
    private Duration maxEjection;
    private double maxEjected;

    /** A builder that has the defaults of {@link OutlierPolicy}. */
    public OutlierPolicyBuilder() {
        this(new OutlierPolicy());
    }

    private OutlierPolicyBuilder(OutlierPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static OutlierPolicyBuilder from(OutlierPolicy policy) {
        return new OutlierPolicyBuilder(policy);
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public OutlierPolicy build() {
        return JavaPolicies.build(this);
    }

    /** So many failures without a success between them eject. 1 or more. */
    public OutlierPolicyBuilder failuresInARow(int failuresInARow) {
        this.failuresInARow = failuresInARow;
        return this;
    }

    /** See {@link #failuresInARow(int)}. */
    public int failuresInARow() {
        return failuresInARow;
    }

    /** This share of failures within an interval ejects. Above 0; more than 1 never. */
    public OutlierPolicyBuilder failureShare(double failureShare) {
        this.failureShare = failureShare;
        return this;
    }

    /** See {@link #failureShare(double)}. */
    public double failureShare() {
        return failureShare;
    }

    /** Reports within an interval below which shares are not looked at. 1 or more. */
    public OutlierPolicyBuilder minimumReports(int minimumReports) {
        this.minimumReports = minimumReports;
        return this;
    }

    /** See {@link #minimumReports(int)}. */
    public int minimumReports() {
        return minimumReports;
    }

    /** How often shares are looked at. At least 10 ms, finite. */
    public OutlierPolicyBuilder interval(Duration interval) {
        this.interval = Objects.requireNonNull(interval, "interval");
        return this;
    }

    /** See {@link #interval(Duration)}. */
    public Duration interval() {
        return interval;
    }

    /** How long the first ejection lasts; the n-th in a row lasts n times as long. At least 10 ms, finite. */
    public OutlierPolicyBuilder ejection(Duration ejection) {
        this.ejection = Objects.requireNonNull(ejection, "ejection");
        return this;
    }

    /** See {@link #ejection(Duration)}. */
    public Duration ejection() {
        return ejection;
    }

    /** The longest ejection. At least {@link #ejection()}, finite. */
    public OutlierPolicyBuilder maxEjection(Duration maxEjection) {
        this.maxEjection = Objects.requireNonNull(maxEjection, "maxEjection");
        return this;
    }

    /** See {@link #maxEjection(Duration)}. */
    public Duration maxEjection() {
        return maxEjection;
    }

    /** Largest share of the listed backends that may be ejected at once. 0..1. */
    public OutlierPolicyBuilder maxEjected(double maxEjected) {
        this.maxEjected = maxEjected;
        return this;
    }

    /** See {@link #maxEjected(double)}. */
    public double maxEjected() {
        return maxEjected;
    }
}
