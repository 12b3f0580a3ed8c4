package dev.carom.sockets.transport;

import dev.carom.sockets.internal.JavaPolicies;
import java.time.Duration;
import java.util.Objects;

/**
 * Makes {@link LinkOptions}, and reads them, with {@link Duration}s of {@code java.time}. Each property has a method that sets
 * it and one that gets it. Values are checked by {@link #build}; a builder is for one thread.
 */
public final class LinkOptionsBuilder {
    private int sendBuffer;
    private boolean noDelay;
    private boolean keepAlive;
    private int systemSendBuffer;
    private int systemReceiveBuffer;
    private int backlog;
    private Duration keepAliveIdle;
    private Duration keepAliveInterval;
    private int keepAliveCount;

    /** A builder that has the defaults of {@link LinkOptions}. */
    public LinkOptionsBuilder() {
        this(new LinkOptions());
    }

    private LinkOptionsBuilder(LinkOptions from) {
        JavaPolicies.fill(this, from);
    }

    /** A builder that has the values of {@code options}: to change some, or to read them. */
    public static LinkOptionsBuilder from(LinkOptions options) {
        return new LinkOptionsBuilder(options);
    }

    /**
     * The options.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound
     */
    public LinkOptions build() {
        return JavaPolicies.build(this);
    }

    /** Bytes that may wait in the process before a link says that it is enough. 1..2^30. Default: 262144. */
    public LinkOptionsBuilder sendBuffer(int sendBuffer) {
        this.sendBuffer = sendBuffer;
        return this;
    }

    /** See {@link #sendBuffer(int)}. */
    public int sendBuffer() {
        return sendBuffer;
    }

    /** Whether small messages are sent at once (TCP_NODELAY). Default: true. */
    public LinkOptionsBuilder noDelay(boolean noDelay) {
        this.noDelay = noDelay;
        return this;
    }

    /** See {@link #noDelay(boolean)}. */
    public boolean noDelay() {
        return noDelay;
    }

    /** Whether the system probes silent peers (SO_KEEPALIVE), as the last three say. Default: true. */
    public LinkOptionsBuilder keepAlive(boolean keepAlive) {
        this.keepAlive = keepAlive;
        return this;
    }

    /** See {@link #keepAlive(boolean)}. */
    public boolean keepAlive() {
        return keepAlive;
    }

    /** Bytes of the system's send buffer (SO_SNDBUF), 0 for the system's own choice. 0..2^30. Default: 0. */
    public LinkOptionsBuilder systemSendBuffer(int systemSendBuffer) {
        this.systemSendBuffer = systemSendBuffer;
        return this;
    }

    /** See {@link #systemSendBuffer(int)}. */
    public int systemSendBuffer() {
        return systemSendBuffer;
    }

    /** Bytes of the system's receive buffer (SO_RCVBUF), 0 for the system's own choice. 0..2^30. Default: 0. */
    public LinkOptionsBuilder systemReceiveBuffer(int systemReceiveBuffer) {
        this.systemReceiveBuffer = systemReceiveBuffer;
        return this;
    }

    /** See {@link #systemReceiveBuffer(int)}. */
    public int systemReceiveBuffer() {
        return systemReceiveBuffer;
    }

    /** Connections that may wait to be accepted. 1..65535. Default: 128. */
    public LinkOptionsBuilder backlog(int backlog) {
        this.backlog = backlog;
        return this;
    }

    /** See {@link #backlog(int)}. */
    public int backlog() {
        return backlog;
    }

    /**
     * How long a peer is silent before it is probed (TCP_KEEPIDLE). Whole seconds in 1..32767, or 0 for the system's own.
     * Default: 30 s.
     */
    public LinkOptionsBuilder keepAliveIdle(Duration keepAliveIdle) {
        this.keepAliveIdle = Objects.requireNonNull(keepAliveIdle, "keepAliveIdle");
        return this;
    }

    /** See {@link #keepAliveIdle(Duration)}. */
    public Duration keepAliveIdle() {
        return keepAliveIdle;
    }

    /**
     * Time between two probes (TCP_KEEPINTVL). Whole seconds in 1..32767, or 0 for the system's own. Default: 5 s.
     */
    public LinkOptionsBuilder keepAliveInterval(Duration keepAliveInterval) {
        this.keepAliveInterval = Objects.requireNonNull(keepAliveInterval, "keepAliveInterval");
        return this;
    }

    /** See {@link #keepAliveInterval(Duration)}. */
    public Duration keepAliveInterval() {
        return keepAliveInterval;
    }

    /**
     * Probes without an answer until the connection is given up (TCP_KEEPCNT). 1..127, or 0 for the system's own.
     * Default: 3.
     */
    public LinkOptionsBuilder keepAliveCount(int keepAliveCount) {
        this.keepAliveCount = keepAliveCount;
        return this;
    }

    /** See {@link #keepAliveCount(int)}. */
    public int keepAliveCount() {
        return keepAliveCount;
    }
}
