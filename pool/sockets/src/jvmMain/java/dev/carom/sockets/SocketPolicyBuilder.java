package dev.carom.sockets;

import dev.carom.pool.BackoffPolicy;
import dev.carom.sockets.internal.JavaPolicies;
import dev.carom.sockets.transport.LinkOptions;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link SocketPolicy}, and reads one, with {@link Duration}s of {@code java.time}; null stands for no limit. Each
 * property has a method that sets it and one that gets it. Values are checked by {@link #build}; a builder is for one
 * thread.
 */
public final class SocketPolicyBuilder {
    private int receiveLimit;
    private int sendQueue;
    private int receiveQueue;
    private int receiveQueueBytes;
    private int subscriberQueue;
    private int surveyAnswers;
    private Overflow overflow;
    private int openRequests;
    private int maxHops;
    private @Nullable Duration resend;
    private Duration surveyDeadline;
    private @Nullable Duration sendTimeout;
    private @Nullable Duration receiveTimeout;
    private @Nullable Duration requestTimeout;
    private Duration connectTimeout;
    private Duration handshakeTimeout;
    private int handshakes;
    private int acceptedPipes;
    private BackoffPolicy backoff;
    private Duration linger;
    private Duration drainTimeout;
    private LinkOptions link;
    private int noticeBuffer;

    /** A builder that has the defaults of {@link SocketPolicy}. */
    public SocketPolicyBuilder() {
        this(new SocketPolicy());
    }

    private SocketPolicyBuilder(SocketPolicy from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code policy}: to change some, or to read them. */
    public static SocketPolicyBuilder from(SocketPolicy policy) {
        return new SocketPolicyBuilder(policy);
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public SocketPolicy build() {
        return JavaPolicies.build(this);
    }

    /** Largest message that is received, in bytes, header included. 0..2^31-9. */
    public SocketPolicyBuilder receiveLimit(int receiveLimit) {
        this.receiveLimit = receiveLimit;
        return this;
    }

    /** See {@link #receiveLimit(int)}. */
    public int receiveLimit() {
        return receiveLimit;
    }

    /** Messages that wait for each slow peer where sending never waits. 0..65536. */
    public SocketPolicyBuilder sendQueue(int sendQueue) {
        this.sendQueue = sendQueue;
        return this;
    }

    /** See {@link #sendQueue(int)}. */
    public int sendQueue() {
        return sendQueue;
    }

    /** Messages of each peer that may wait here to be received. 1..65536. */
    public SocketPolicyBuilder receiveQueue(int receiveQueue) {
        this.receiveQueue = receiveQueue;
        return this;
    }

    /** See {@link #receiveQueue(int)}. */
    public int receiveQueue() {
        return receiveQueue;
    }

    /** Bytes of each peer, in messages that may wait here to be received. 1..2^30. */
    public SocketPolicyBuilder receiveQueueBytes(int receiveQueueBytes) {
        this.receiveQueueBytes = receiveQueueBytes;
        return this;
    }

    /** See {@link #receiveQueueBytes(int)}. */
    public int receiveQueueBytes() {
        return receiveQueueBytes;
    }

    /** Messages that may wait to be received by a SUB socket. 1..1048576. */
    public SocketPolicyBuilder subscriberQueue(int subscriberQueue) {
        this.subscriberQueue = subscriberQueue;
        return this;
    }

    /** See {@link #subscriberQueue(int)}. */
    public int subscriberQueue() {
        return subscriberQueue;
    }

    /** Answers of one survey that may wait to be taken. 1..1048576. */
    public SocketPolicyBuilder surveyAnswers(int surveyAnswers) {
        this.surveyAnswers = surveyAnswers;
        return this;
    }

    /** See {@link #surveyAnswers(int)}. */
    public int surveyAnswers() {
        return surveyAnswers;
    }

    /** Which message is lost when a queue is full where nobody waits. */
    public SocketPolicyBuilder overflow(Overflow overflow) {
        this.overflow = Objects.requireNonNull(overflow, "overflow");
        return this;
    }

    /** See {@link #overflow(Overflow)}. */
    public Overflow overflow() {
        return overflow;
    }

    /** Requests that may be neither answered nor closed. 1..1048576. */
    public SocketPolicyBuilder openRequests(int openRequests) {
        this.openRequests = openRequests;
        return this;
    }

    /** See {@link #openRequests(int)}. */
    public int openRequests() {
        return openRequests;
    }

    /** Most hops of a message, a direct one has made one. 1..255. */
    public SocketPolicyBuilder maxHops(int maxHops) {
        this.maxHops = maxHops;
        return this;
    }

    /** See {@link #maxHops(int)}. */
    public int maxHops() {
        return maxHops;
    }

    /** After how long without a reply a request is sent again, at least 1 ms; null: never twice. */
    public SocketPolicyBuilder resend(@Nullable Duration resend) {
        this.resend = resend;
        return this;
    }

    /** See {@link #resend(Duration)}. */
    public @Nullable Duration resend() {
        return resend;
    }

    /** How long a survey's answers are waited for. At least 1 ms. */
    public SocketPolicyBuilder surveyDeadline(Duration surveyDeadline) {
        this.surveyDeadline = Objects.requireNonNull(surveyDeadline, "surveyDeadline");
        return this;
    }

    /** See {@link #surveyDeadline(Duration)}. */
    public Duration surveyDeadline() {
        return surveyDeadline;
    }

    /** Longest wait of one call that sends. Positive; null waits for ever. */
    public SocketPolicyBuilder sendTimeout(@Nullable Duration sendTimeout) {
        this.sendTimeout = sendTimeout;
        return this;
    }

    /** See {@link #sendTimeout(Duration)}. */
    public @Nullable Duration sendTimeout() {
        return sendTimeout;
    }

    /** Longest wait of one call that receives. Positive; null waits for ever. */
    public SocketPolicyBuilder receiveTimeout(@Nullable Duration receiveTimeout) {
        this.receiveTimeout = receiveTimeout;
        return this;
    }

    /** See {@link #receiveTimeout(Duration)}. */
    public @Nullable Duration receiveTimeout() {
        return receiveTimeout;
    }

    /** Longest request, over all repetitions. Positive; null waits for ever. */
    public SocketPolicyBuilder requestTimeout(@Nullable Duration requestTimeout) {
        this.requestTimeout = requestTimeout;
        return this;
    }

    /** See {@link #requestTimeout(Duration)}. */
    public @Nullable Duration requestTimeout() {
        return requestTimeout;
    }

    /** Longest attempt to open a connection: name lookups, TCP, TLS. At least 1 ms. */
    public SocketPolicyBuilder connectTimeout(Duration connectTimeout) {
        this.connectTimeout = Objects.requireNonNull(connectTimeout, "connectTimeout");
        return this;
    }

    /** See {@link #connectTimeout(Duration)}. */
    public Duration connectTimeout() {
        return connectTimeout;
    }

    /** Longest handshake of a peer, once ours is said; of one that connected here, and before that, also of TLS. At least 1 ms. */
    public SocketPolicyBuilder handshakeTimeout(Duration handshakeTimeout) {
        this.handshakeTimeout = Objects.requireNonNull(handshakeTimeout, "handshakeTimeout");
        return this;
    }

    /** See {@link #handshakeTimeout(Duration)}. */
    public Duration handshakeTimeout() {
        return handshakeTimeout;
    }

    /** Most peers that have connected here and not yet completed the handshake. 1..65536. */
    public SocketPolicyBuilder handshakes(int handshakes) {
        this.handshakes = handshakes;
        return this;
    }

    /** See {@link #handshakes(int)}. */
    public int handshakes() {
        return handshakes;
    }

    /** Most pipes that were accepted. 1..1048576. */
    public SocketPolicyBuilder acceptedPipes(int acceptedPipes) {
        this.acceptedPipes = acceptedPipes;
        return this;
    }

    /** See {@link #acceptedPipes(int)}. */
    public int acceptedPipes() {
        return acceptedPipes;
    }

    /** How long to wait before connecting again. */
    public SocketPolicyBuilder backoff(BackoffPolicy backoff) {
        this.backoff = Objects.requireNonNull(backoff, "backoff");
        return this;
    }

    /** See {@link #backoff(BackoffPolicy)}. */
    public BackoffPolicy backoff() {
        return backoff;
    }

    /** How long closing tries to send what was accepted. Not negative. */
    public SocketPolicyBuilder linger(Duration linger) {
        this.linger = Objects.requireNonNull(linger, "linger");
        return this;
    }

    /** See {@link #linger(Duration)}. */
    public Duration linger() {
        return linger;
    }

    /** How long the pipe to a peer that is no longer listed stays open. Not negative. */
    public SocketPolicyBuilder drainTimeout(Duration drainTimeout) {
        this.drainTimeout = Objects.requireNonNull(drainTimeout, "drainTimeout");
        return this;
    }

    /** See {@link #drainTimeout(Duration)}. */
    public Duration drainTimeout() {
        return drainTimeout;
    }

    /** The numbers of each connection. */
    public SocketPolicyBuilder link(LinkOptions link) {
        this.link = Objects.requireNonNull(link, "link");
        return this;
    }

    /** See {@link #link(LinkOptions)}. */
    public LinkOptions link() {
        return link;
    }

    /** Notices kept for a slow collector. 1..65536. */
    public SocketPolicyBuilder noticeBuffer(int noticeBuffer) {
        this.noticeBuffer = noticeBuffer;
        return this;
    }

    /** See {@link #noticeBuffer(int)}. */
    public int noticeBuffer() {
        return noticeBuffer;
    }
}
