package dev.carom.storage.pooled;

import dev.carom.storage.internal.BlockingIdleCheckAdapter;

/**
 * {@link IdleCheck} by calls that may block: {@link #isAlive} runs on a thread of {@code Dispatchers.IO} and is never
 * interrupted.
 *
 * @param <S> the session
 */
public interface BlockingIdleCheck<S> {
    /** Whether {@code session} is to be looked at. Never waits. */
    boolean isDue(S session);

    /**
     * Whether {@code session} still works. Must be bounded in time.
     *
     * @throws Exception if that cannot be told: the session is closed, and whoever asked for one gets the exception
     */
    boolean isAlive(S session) throws Exception;

    /** This check for {@link PooledSessions}. */
    default IdleCheck<S> toCheck() {
        return new BlockingIdleCheckAdapter<>(this);
    }
}
