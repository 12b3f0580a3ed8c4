package dev.carom.pool;

import dev.carom.pool.internal.JavaPolicies;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link PlacementPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Values are checked by
 * {@link #build}; a builder is for one thread.
 */
public final class PlacementPolicyBuilder {
    private @Nullable String zone;
    private double spillBelow;
    private Duration hold;
    private int subset;
    private Duration decoherence;
    private BackendChoice choice;
    private Duration slowStart;

    /** A builder that has the defaults of {@link PlacementPolicy}. */
    public PlacementPolicyBuilder() {
        this(new PlacementPolicy());
    }

    private PlacementPolicyBuilder(PlacementPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static PlacementPolicyBuilder from(PlacementPolicy policy) {
        return new PlacementPolicyBuilder(policy);
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public PlacementPolicy build() {
        return JavaPolicies.build(this);
    }

    /** Where the caller is; null: zones do not matter. */
    public PlacementPolicyBuilder zone(@Nullable String zone) {
        this.zone = zone;
        return this;
    }

    /** See {@link #zone(String)}. */
    public @Nullable String zone() {
        return zone;
    }

    /** Share of working backends in a tier below which the next one helps. 0..1. */
    public PlacementPolicyBuilder spillBelow(double spillBelow) {
        this.spillBelow = spillBelow;
        return this;
    }

    /** See {@link #spillBelow(double)}. */
    public double spillBelow() {
        return spillBelow;
    }

    /** Least time between two changes of the tiers in use. Finite, not negative. */
    public PlacementPolicyBuilder hold(Duration hold) {
        this.hold = Objects.requireNonNull(hold, "hold");
        return this;
    }

    /** See {@link #hold(Duration)}. */
    public Duration hold() {
        return hold;
    }

    /** Most backends of a tier to use at once. 1 or more. */
    public PlacementPolicyBuilder subset(int subset) {
        this.subset = subset;
        return this;
    }

    /** See {@link #subset(int)}. */
    public int subset() {
        return subset;
    }

    /** How often the preference list is stirred. At least 1 s; {@link PoolPolicyBuilder#INFINITE} never. */
    public PlacementPolicyBuilder decoherence(Duration decoherence) {
        this.decoherence = Objects.requireNonNull(decoherence, "decoherence");
        return this;
    }

    /** See {@link #decoherence(Duration)}. */
    public Duration decoherence() {
        return decoherence;
    }

    /** Which backend a claim goes to when several have a connection free. */
    public PlacementPolicyBuilder choice(BackendChoice choice) {
        this.choice = Objects.requireNonNull(choice, "choice");
        return this;
    }

    /** See {@link #choice(BackendChoice)}. */
    public BackendChoice choice() {
        return choice;
    }

    /** Time over which a backend that has come up grows to its whole share. Finite; zero: at once. */
    public PlacementPolicyBuilder slowStart(Duration slowStart) {
        this.slowStart = Objects.requireNonNull(slowStart, "slowStart");
        return this;
    }

    /** See {@link #slowStart(Duration)}. */
    public Duration slowStart() {
        return slowStart;
    }
}
