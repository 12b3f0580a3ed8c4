package dev.carom.gossip;

import dev.carom.gossip.internal.JavaPolicies;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link SwimPolicy}, and reads one, with {@link Duration}s of {@code java.time}. Each property has a method
 * that sets it and one that gets it. Values are checked by {@link #build}, all against each other; a builder is for
 * one thread.
 */
public final class SwimPolicyBuilder {
    /** No limit. Any duration beyond 146 million years means the same. */
    public static final Duration INFINITE = Duration.ofSeconds(Long.MAX_VALUE);

    private Duration probePeriod;
    private Duration probeTimeout;
    private int relays;
    private int maxTransmissions;
    private @Nullable Duration suspicionTimeout;
    private int suspicionMultiplier;
    private Duration forgetDownAfter;
    private int maxPacketSize;
    private boolean notifyDown;
    private @Nullable PeriodicPolicy announce;
    private @Nullable PeriodicPolicy announceToDown;
    private @Nullable PeriodicPolicy gossip;
    private Duration seedInterval;
    private Duration syncInterval;
    private Duration streamTimeout;
    private @Nullable LifeguardPolicy lifeguard;
    private long maxIncarnationJump;
    private int maxMembers;
    private int maxBroadcasts;
    private Duration broadcastLifetime;
    private int relaysPerSecond;
    private int feedsPerSecond;

    /** A builder that has the values of {@link SwimPolicy#lan()}. */
    public SwimPolicyBuilder() {
        this(SwimPolicy.lan());
    }

    private SwimPolicyBuilder(SwimPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static SwimPolicyBuilder from(SwimPolicy policy) {
        return new SwimPolicyBuilder(policy);
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public SwimPolicy build() {
        return JavaPolicies.build(this);
    }

    /**
     * Time between two probes. At least 1 ms, finite; two or three times {@link #probeTimeout()} is good. Times (1 +
     * local health) with {@link #lifeguard()}.
     */
    public SwimPolicyBuilder probePeriod(Duration probePeriod) {
        this.probePeriod = Objects.requireNonNull(probePeriod, "probePeriod");
        return this;
    }

    /** See {@link #probePeriod(Duration)}. */
    public Duration probePeriod() {
        return probePeriod;
    }

    /** How long a probe waits for an answer before it asks relays. Positive, below {@link #probePeriod()}. */
    public SwimPolicyBuilder probeTimeout(Duration probeTimeout) {
        this.probeTimeout = Objects.requireNonNull(probeTimeout, "probeTimeout");
        return this;
    }

    /** See {@link #probeTimeout(Duration)}. */
    public Duration probeTimeout() {
        return probeTimeout;
    }

    /** Members asked to probe for us, and told at once of anything urgent. 1..255. */
    public SwimPolicyBuilder relays(int relays) {
        this.relays = relays;
        return this;
    }

    /** See {@link #relays(int)}. */
    public int relays() {
        return relays;
    }

    /** Copies sent of each piece of news. 1..255; 0: as many as the cluster's present size asks for. */
    public SwimPolicyBuilder maxTransmissions(int maxTransmissions) {
        this.maxTransmissions = maxTransmissions;
        return this;
    }

    /** See {@link #maxTransmissions(int)}. */
    public int maxTransmissions() {
        return maxTransmissions;
    }

    /**
     * How long a suspect may refute; with {@link #lifeguard()}, the least of it. Positive and finite; null: as the
     * cluster's present size asks for.
     */
    public SwimPolicyBuilder suspicionTimeout(@Nullable Duration suspicionTimeout) {
        this.suspicionTimeout = suspicionTimeout;
        return this;
    }

    /** See {@link #suspicionTimeout(Duration)}. */
    public @Nullable Duration suspicionTimeout() {
        return suspicionTimeout;
    }

    /** Suspicion in probe periods, when it follows the cluster's size. 1..100. */
    public SwimPolicyBuilder suspicionMultiplier(int suspicionMultiplier) {
        this.suspicionMultiplier = suspicionMultiplier;
        return this;
    }

    /** See {@link #suspicionMultiplier(int)}. */
    public int suspicionMultiplier() {
        return suspicionMultiplier;
    }

    /** How long a dead member is remembered. Positive; {@link #INFINITE} for ever. */
    public SwimPolicyBuilder forgetDownAfter(Duration forgetDownAfter) {
        this.forgetDownAfter = Objects.requireNonNull(forgetDownAfter, "forgetDownAfter");
        return this;
    }

    /** See {@link #forgetDownAfter(Duration)}. */
    public Duration forgetDownAfter() {
        return forgetDownAfter;
    }

    /** Bytes of a packet, sent and accepted. 64..65507. */
    public SwimPolicyBuilder maxPacketSize(int maxPacketSize) {
        this.maxPacketSize = maxPacketSize;
        return this;
    }

    /** See {@link #maxPacketSize(int)}. */
    public int maxPacketSize() {
        return maxPacketSize;
    }

    /** Whether members that are believed dead are told so. */
    public SwimPolicyBuilder notifyDown(boolean notifyDown) {
        this.notifyDown = notifyDown;
        return this;
    }

    /** See {@link #notifyDown(boolean)}. */
    public boolean notifyDown() {
        return notifyDown;
    }

    /** Announces to active members; null: never. */
    public SwimPolicyBuilder announce(@Nullable PeriodicPolicy announce) {
        this.announce = announce;
        return this;
    }

    /** See {@link #announce(PeriodicPolicy)}. */
    public @Nullable PeriodicPolicy announce() {
        return announce;
    }

    /** Announces to dead members; null: never. */
    public SwimPolicyBuilder announceToDown(@Nullable PeriodicPolicy announceToDown) {
        this.announceToDown = announceToDown;
        return this;
    }

    /** See {@link #announceToDown(PeriodicPolicy)}. */
    public @Nullable PeriodicPolicy announceToDown() {
        return announceToDown;
    }

    /** News beside the probes, while there is any; null: never. */
    public SwimPolicyBuilder gossip(@Nullable PeriodicPolicy gossip) {
        this.gossip = gossip;
        return this;
    }

    /** See {@link #gossip(PeriodicPolicy)}. */
    public @Nullable PeriodicPolicy gossip() {
        return gossip;
    }

    /** How often seeds that are not active members are announced to. At least 10 ms; {@link #INFINITE} never. */
    public SwimPolicyBuilder seedInterval(Duration seedInterval) {
        this.seedInterval = Objects.requireNonNull(seedInterval, "seedInterval");
        return this;
    }

    /** See {@link #seedInterval(Duration)}. */
    public Duration seedInterval() {
        return seedInterval;
    }

    /** How often the whole membership is compared with another's. At least 10 ms; {@link #INFINITE} never. */
    public SwimPolicyBuilder syncInterval(Duration syncInterval) {
        this.syncInterval = Objects.requireNonNull(syncInterval, "syncInterval");
        return this;
    }

    /** See {@link #syncInterval(Duration)}. */
    public Duration syncInterval() {
        return syncInterval;
    }

    /** How long a stream's answer may take. At least 1 ms, finite. */
    public SwimPolicyBuilder streamTimeout(Duration streamTimeout) {
        this.streamTimeout = Objects.requireNonNull(streamTimeout, "streamTimeout");
        return this;
    }

    /** See {@link #streamTimeout(Duration)}. */
    public Duration streamTimeout() {
        return streamTimeout;
    }

    /** What makes false alarms rare; null: plain SWIM. */
    public SwimPolicyBuilder lifeguard(@Nullable LifeguardPolicy lifeguard) {
        this.lifeguard = lifeguard;
        return this;
    }

    /** See {@link #lifeguard(LifeguardPolicy)}. */
    public @Nullable LifeguardPolicy lifeguard() {
        return lifeguard;
    }

    /** How far ahead of ours a suspicion's incarnation may be to be believed. 1 or more. */
    public SwimPolicyBuilder maxIncarnationJump(long maxIncarnationJump) {
        this.maxIncarnationJump = maxIncarnationJump;
        return this;
    }

    /** See {@link #maxIncarnationJump(long)}. */
    public long maxIncarnationJump() {
        return maxIncarnationJump;
    }

    /** Most records, dead ones counted. 1..1000000. */
    public SwimPolicyBuilder maxMembers(int maxMembers) {
        this.maxMembers = maxMembers;
        return this;
    }

    /** See {@link #maxMembers(int)}. */
    public int maxMembers() {
        return maxMembers;
    }

    /** Most broadcasts queued. 1..65536. */
    public SwimPolicyBuilder maxBroadcasts(int maxBroadcasts) {
        this.maxBroadcasts = maxBroadcasts;
        return this;
    }

    /** See {@link #maxBroadcasts(int)}. */
    public int maxBroadcasts() {
        return maxBroadcasts;
    }

    /** How long a broadcast may wait in the queue. At least 10 ms; {@link #INFINITE} for ever. */
    public SwimPolicyBuilder broadcastLifetime(Duration broadcastLifetime) {
        this.broadcastLifetime = Objects.requireNonNull(broadcastLifetime, "broadcastLifetime");
        return this;
    }

    /** See {@link #broadcastLifetime(Duration)}. */
    public Duration broadcastLifetime() {
        return broadcastLifetime;
    }

    /** Most probes relayed for others. 1..1000000. */
    public SwimPolicyBuilder relaysPerSecond(int relaysPerSecond) {
        this.relaysPerSecond = relaysPerSecond;
        return this;
    }

    /** See {@link #relaysPerSecond(int)}. */
    public int relaysPerSecond() {
        return relaysPerSecond;
    }

    /** Most answers to announces. 1..1000000. */
    public SwimPolicyBuilder feedsPerSecond(int feedsPerSecond) {
        this.feedsPerSecond = feedsPerSecond;
        return this;
    }

    /** See {@link #feedsPerSecond(int)}. */
    public int feedsPerSecond() {
        return feedsPerSecond;
    }
}
