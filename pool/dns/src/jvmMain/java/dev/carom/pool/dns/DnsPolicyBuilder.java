package dev.carom.pool.dns;

import java.time.Duration;

/** The numbers of a resolver, from Java: see {@link DnsPolicy}. Not thread-safe; may be built from more than once. */
public final class DnsPolicyBuilder {
    private Duration minInterval = Duration.ofSeconds(1);
    private Duration maxInterval = Duration.ofMinutes(5);
    private double refreshAt = 1.0;
    private double jitter = 0.05;
    private Duration retryStart = Duration.ofSeconds(1);
    private Duration retryMax = Duration.ofSeconds(30);
    private Duration serveStaleFor = Duration.ofDays(1);
    private int negativesToBelieve = 3;
    private Duration roundTimeout = Duration.ofSeconds(15);
    private Duration serverTimeout = Duration.ofSeconds(2);
    private int attempts = 2;
    private int maxTargets = 256;
    private int parallelism = 8;
    private DnsAddresses addresses = DnsAddresses.BOTH;
    private RemovalPolicy removal = RemovalPolicy.IMMEDIATE;
    private int maxKept = 256;

    /** All defaults. */
    public DnsPolicyBuilder() {}

    /** Shortest time from the start of one round of questions to the start of the next. 10 ms to 1 d; default 1 s. */
    public DnsPolicyBuilder minInterval(Duration value) {
        minInterval = value;
        return this;
    }

    /** Longest time between two rounds. At least {@code minInterval}, finite; default 5 min. */
    public DnsPolicyBuilder maxInterval(Duration value) {
        maxInterval = value;
        return this;
    }

    /** The part of its TTL after which a record is asked for again. 0.1 to 1.0; default 1.0. */
    public DnsPolicyBuilder refreshAt(double value) {
        refreshAt = value;
        return this;
    }

    /**
     * The part of a wait that is drawn at random: added to the wait for a TTL, at most 500 ms, and taken off the wait
     * for a retry. 0.0 to 0.5; default 0.05.
     */
    public DnsPolicyBuilder jitter(double value) {
        jitter = value;
        return this;
    }

    /** Wait after the first round that did not answer everything; doubles. At least 10 ms; default 1 s. */
    public DnsPolicyBuilder retryStart(Duration value) {
        retryStart = value;
        return this;
    }

    /** The longest such wait. {@code retryStart} to {@code maxInterval}; default 30 s. */
    public DnsPolicyBuilder retryMax(Duration value) {
        retryMax = value;
        return this;
    }

    /**
     * How long a set outlives its TTL while lookups fail. 0 or more; {@code ChronoUnit.FOREVER.getDuration()} for
     * ever; default 1 d.
     */
    public DnsPolicyBuilder serveStaleFor(Duration value) {
        serveStaleFor = value;
        return this;
    }

    /** How many negative answers in a row are believed. 1 to 1000; default 3. */
    public DnsPolicyBuilder negativesToBelieve(int value) {
        negativesToBelieve = value;
        return this;
    }

    /** Longest round. At least 10 ms, finite; default 15 s. */
    public DnsPolicyBuilder roundTimeout(Duration value) {
        roundTimeout = value;
        return this;
    }

    /** Longest wait for one server's answer to one question. At least 10 ms, finite; default 2 s. */
    public DnsPolicyBuilder serverTimeout(Duration value) {
        serverTimeout = value;
        return this;
    }

    /** How often each server is asked one question. 1 to 10; default 2. */
    public DnsPolicyBuilder attempts(int value) {
        attempts = value;
        return this;
    }

    /** Most SRV records followed in one round. 1 to 4096; default 256. */
    public DnsPolicyBuilder maxTargets(int value) {
        maxTargets = value;
        return this;
    }

    /** Most questions of one round under way at once. 1 to 256; default 8. */
    public DnsPolicyBuilder parallelism(int value) {
        parallelism = value;
        return this;
    }

    /** Which kinds of address are asked for; default both. */
    public DnsPolicyBuilder addresses(DnsAddresses value) {
        addresses = value;
        return this;
    }

    /** When a backend goes that the answers lack; default {@link RemovalPolicy#IMMEDIATE}. */
    public DnsPolicyBuilder removal(RemovalPolicy value) {
        removal = value;
        return this;
    }

    /** Most backends in force that the answers lack. 0 to 4096; default 256. */
    public DnsPolicyBuilder maxKept(int value) {
        maxKept = value;
        return this;
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a number is out of bounds; the message names it, the value and the bound
     */
    public DnsPolicy build() {
        return DnsPolicies.of(
                minInterval, maxInterval, refreshAt, jitter, retryStart, retryMax, serveStaleFor, negativesToBelieve,
                roundTimeout, serverTimeout, attempts, maxTargets, parallelism, addresses, removal, maxKept);
    }
}
