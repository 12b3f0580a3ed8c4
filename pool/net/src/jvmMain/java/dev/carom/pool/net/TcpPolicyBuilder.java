package dev.carom.pool.net;

import dev.carom.pool.net.internal.TcpPolicyFromJava;
import java.time.Duration;

/**
 * Builds a {@link TcpPolicy} from Java. What is not set keeps its default; bounds are checked by {@link #build()}. Not for
 * use from several threads at once.
 */
public final class TcpPolicyBuilder {
    private static final TcpPolicy DEFAULTS = TcpPolicyFromJava.defaults();

    private Duration connectTimeout = TcpPolicyFromJava.connectTimeout(DEFAULTS);
    private boolean noDelay = DEFAULTS.getNoDelay();
    private boolean keepAlive = DEFAULTS.getKeepAlive();
    private int receiveBuffer = DEFAULTS.getReceiveBuffer();
    private int sendBuffer = DEFAULTS.getSendBuffer();
    private Duration closeTimeout = TcpPolicyFromJava.closeTimeout(DEFAULTS);
    private boolean quietWhenIdle = DEFAULTS.getQuietWhenIdle();
    private Duration keepAliveIdle = TcpPolicyFromJava.keepAliveIdle(DEFAULTS);
    private Duration keepAliveInterval = TcpPolicyFromJava.keepAliveInterval(DEFAULTS);
    private int keepAliveCount = DEFAULTS.getKeepAliveCount();

    /** A builder with every default. */
    public TcpPolicyBuilder() {}

    /** Longest name lookup, and longest attempt to connect to one address. At least 1 ms. Default: 2 s. */
    public TcpPolicyBuilder connectTimeout(Duration value) {
        connectTimeout = value;
        return this;
    }

    /** {@code TCP_NODELAY}: small writes go out at once. Default: {@code true}. */
    public TcpPolicyBuilder noDelay(boolean value) {
        noDelay = value;
        return this;
    }

    /** {@code SO_KEEPALIVE}: the system probes an idle peer. Default: {@code true}. */
    public TcpPolicyBuilder keepAlive(boolean value) {
        keepAlive = value;
        return this;
    }

    /** {@code SO_RCVBUF} in bytes, 1024..67108864, or 0 for the system's own choice (default). */
    public TcpPolicyBuilder receiveBuffer(int bytes) {
        receiveBuffer = bytes;
        return this;
    }

    /** {@code SO_SNDBUF} in bytes, 1024..67108864, or 0 for the system's own choice (default). */
    public TcpPolicyBuilder sendBuffer(int bytes) {
        sendBuffer = bytes;
        return this;
    }

    /** Longest wait for unsent bytes at close; after it the connection is reset. At least 1 ms. Default: 1 s. */
    public TcpPolicyBuilder closeTimeout(Duration value) {
        closeTimeout = value;
        return this;
    }

    /** Whether bytes that arrive while a connection is idle make it invalid. Default: {@code false}. */
    public TcpPolicyBuilder quietWhenIdle(boolean value) {
        quietWhenIdle = value;
        return this;
    }

    /**
     * {@code TCP_KEEPIDLE}: how long a peer is silent before it is probed. Whole seconds in 1..32767, or 0 for the system's
     * own. Default: 30 s.
     */
    public TcpPolicyBuilder keepAliveIdle(Duration value) {
        keepAliveIdle = value;
        return this;
    }

    /** {@code TCP_KEEPINTVL}: time between two probes. Bounds as {@link #keepAliveIdle}. Default: 5 s. */
    public TcpPolicyBuilder keepAliveInterval(Duration value) {
        keepAliveInterval = value;
        return this;
    }

    /** {@code TCP_KEEPCNT}: probes without an answer until a reset. 1..127, or 0 for the system's own. Default: 3. */
    public TcpPolicyBuilder keepAliveCount(int value) {
        keepAliveCount = value;
        return this;
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound.
     */
    public TcpPolicy build() {
        return TcpPolicyFromJava.policy(
                connectTimeout,
                noDelay,
                keepAlive,
                receiveBuffer,
                sendBuffer,
                closeTimeout,
                quietWhenIdle,
                keepAliveIdle,
                keepAliveInterval,
                keepAliveCount);
    }
}
