package dev.carom.pool;

import dev.carom.pool.internal.BlockingCredentials;

/**
 * Says, anew for each connection, who to log in as, by a call that may block; so that rotated passwords and short-lived
 * tokens need no restart.
 *
 * <p><b>Threads.</b> Each call runs on a thread of {@code Dispatchers.IO}, at most 16 at once for one provider, and is
 * <em>interrupted</em> when the connect it is for is given up.
 */
@FunctionalInterface
public interface BlockingCredentialsProvider {
    /**
     * The credentials for one connection to {@code backend}. May be called by many connects at once.
     *
     * @throws Exception if there are none; fails that one connect
     */
    Credentials credentials(Backend backend) throws Exception;

    /** This provider for a {@link Connector} that suspends. */
    default CredentialsProvider toProvider() {
        return BlockingCredentials.provider(this);
    }
}
