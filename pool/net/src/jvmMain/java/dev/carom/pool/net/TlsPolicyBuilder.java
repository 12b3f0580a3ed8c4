package dev.carom.pool.net;

import dev.carom.pool.net.internal.TlsPolicyFromJava;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Builds a {@link TlsPolicy} from Java. What is not set keeps its default; bounds are checked by {@link #build()}. Not for
 * use from several threads at once.
 */
public final class TlsPolicyBuilder {
    private static final TlsPolicy DEFAULTS = TlsPolicyFromJava.defaults();

    private TlsTrust trust = DEFAULTS.getTrust();
    private @Nullable TlsKey key = DEFAULTS.getKey();
    private List<String> protocols = DEFAULTS.getProtocols();
    private boolean verifyHost = DEFAULTS.getVerifyHost();
    private List<String> alpn = DEFAULTS.getAlpn();
    private TlsClientAuth clientAuth = DEFAULTS.getClientAuth();
    private Duration handshakeTimeout = TlsPolicyFromJava.handshakeTimeout(DEFAULTS);
    private Duration refusalTimeout = TlsPolicyFromJava.refusalTimeout(DEFAULTS);
    private Duration reloadInterval = TlsPolicyFromJava.reloadInterval(DEFAULTS);
    private TlsListener listener = DEFAULTS.getListener();

    /** A builder with every default. */
    public TlsPolicyBuilder() {}

    /** Which authorities the peer's certificate may come from. Default: the system's. */
    public TlsPolicyBuilder trust(TlsTrust value) {
        trust = value;
        return this;
    }

    /** This side's own certificate and key; a server must have one. Default: none. */
    public TlsPolicyBuilder key(@Nullable TlsKey value) {
        key = value;
        return this;
    }

    /** {@code TLSv1.3}, {@code TLSv1.2}, or both. Default: both. */
    public TlsPolicyBuilder protocols(String... value) {
        protocols = List.of(value);
        return this;
    }

    /** Whether a server's certificate must be for the name that was asked for. Default: {@code true}. */
    public TlsPolicyBuilder verifyHost(boolean value) {
        verifyHost = value;
        return this;
    }

    /** Application protocols in order of preference (RFC 7301). Default: none. */
    public TlsPolicyBuilder alpn(String... value) {
        alpn = List.of(value);
        return this;
    }

    /** What a server asks of its clients. Default: nothing. */
    public TlsPolicyBuilder clientAuth(TlsClientAuth value) {
        clientAuth = value;
        return this;
    }

    /** Longest handshake. At least 1 ms. Default: 2 s. */
    public TlsPolicyBuilder handshakeTimeout(Duration value) {
        handshakeTimeout = value;
        return this;
    }

    /**
     * How long a TLS 1.3 client that was asked for a certificate waits for the server's first word, which may be a refusal. 0
     * does not wait. Default: 500 ms.
     */
    public TlsPolicyBuilder refusalTimeout(Duration value) {
        refusalTimeout = value;
        return this;
    }

    /** How often, at most, files are looked at again. At least 1 ms. Default: 10 s. */
    public TlsPolicyBuilder reloadInterval(Duration value) {
        reloadInterval = value;
        return this;
    }

    /** Is told of reloads. Default: nobody. */
    public TlsPolicyBuilder listener(TlsListener value) {
        listener = value;
        return this;
    }

    /**
     * The policy.
     *
     * @throws IllegalArgumentException if a value is out of bounds; the message has the value and the bound.
     */
    public TlsPolicy build() {
        return TlsPolicyFromJava.policy(
                trust,
                key,
                protocols,
                verifyHost,
                alpn,
                clientAuth,
                handshakeTimeout,
                refusalTimeout,
                reloadInterval,
                listener);
    }
}
