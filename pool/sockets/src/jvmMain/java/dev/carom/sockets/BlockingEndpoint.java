package dev.carom.sockets;

import dev.carom.sockets.internal.JavaCalls;

/** A {@link SocketEndpoint} for threads that may block. */
public final class BlockingEndpoint implements AutoCloseable {
    private final SocketEndpoint endpoint;

    BlockingEndpoint(SocketEndpoint endpoint) {
        this.endpoint = endpoint;
    }

    /** The endpoint behind this view. */
    public SocketEndpoint endpoint() {
        return endpoint;
    }

    /** Where: with the port that the system chose; for a service, its scheme and {@code service}. */
    public String url() {
        return endpoint.getUrl();
    }

    /** Whether it listens. Otherwise it connects. */
    public boolean isBound() {
        return endpoint.isBound();
    }

    /**
     * Stops listening or connecting, drains its pipes, and waits for the end, within {@link
     * SocketPolicyBuilder#drainTimeout()}. An interrupt ends the waiting, not the closing: this returns at once, and the
     * thread is still interrupted.
     */
    @Override
    public void close() {
        try {
            JavaCalls.begin(k -> endpoint.close(k));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** {@code BlockingEndpoint} and the URL. */
    @Override
    public String toString() {
        return "BlockingEndpoint(" + url() + ")";
    }
}
