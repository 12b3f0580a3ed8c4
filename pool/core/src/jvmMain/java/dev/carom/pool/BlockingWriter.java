package dev.carom.pool;

import dev.carom.pool.internal.JavaSets;

/**
 * A {@link MessageWriter} whose calls may block.
 *
 * <p><b>Threads.</b> Calls run on virtual threads from JDK 24 on, else on shared threads. A call whose time is up, or which
 * is no longer wanted, is interrupted: it must let itself be.
 *
 * @param <C> the connection
 * @param <M> a message
 */
@FunctionalInterface
public interface BlockingWriter<C, M> {
    /**
     * Writes {@code message}. May block, for at most {@link PersistentPolicyBuilder#writeTimeout()}.
     *
     * @throws Exception if the connection is broken: it is closed, for it may have half a message
     */
    void write(C connection, M message) throws Exception;

    /**
     * What {@code message} counts for in {@link PersistentPolicyBuilder#maxBytes()}: by default the size of a
     * {@code byte[]}, 2 for each character of a {@code String}, and 1 for anything else. Must be quick.
     */
    default long sizeOf(M message) {
        return JavaSets.usualSize(message);
    }

    /** This writer for a {@link PersistentConnection}. */
    default MessageWriter<C, M> toWriter() {
        return JavaSets.writer(this);
    }
}
