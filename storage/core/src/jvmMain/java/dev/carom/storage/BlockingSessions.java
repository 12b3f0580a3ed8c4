package dev.carom.storage;

import dev.carom.storage.internal.JavaCalls;
import org.jspecify.annotations.Nullable;

/**
 * Operations of a storage type of one's own, written once for its pool, its connection and its transaction: an
 * interface that extends this one, with default methods that call {@link #use}, {@link #read} and {@link #write}.
 *
 * <p>Work runs on the calling thread. It must not be interrupted in the middle unless it can bear that.
 *
 * @param <S> the session
 */
public interface BlockingSessions<S> {
    /** What this handle gets its sessions from: a {@link PoolCore}, {@link ConnCore} or {@link TxnCore}. */
    Sessions<S> sessions();

    /**
     * Runs one operation with a session.
     *
     * @return what {@code work} returned
     * @throws StorageException if there was no session, or if the platform refused
     * @throws StorageException.Interrupted if the thread was interrupted while it waited
     */
    default <R extends @Nullable Object> R use(OpOptions options, Work<? super S, ? extends R> work) {
        return JavaCalls.<R>call("storage", k -> sessions().<R>use(options, (session, inner) -> work.on(session), k));
    }

    /** {@link #use(OpOptions, Work)} for work that only reads. */
    default <R extends @Nullable Object> R read(Work<? super S, ? extends R> work) {
        return use(OpOptions.Companion.getREAD(), work);
    }

    /** {@link #use(OpOptions, Work)} for work that changes data: refused in read-only transactions. */
    default <R extends @Nullable Object> R write(Work<? super S, ? extends R> work) {
        return use(OpOptions.Companion.getWRITE(), work);
    }

    /**
     * What is done with a session.
     *
     * @param <S> the session
     * @param <R> the result
     */
    @FunctionalInterface
    interface Work<S, R extends @Nullable Object> {
        /** Does it. What is thrown goes to {@link StorageDriver#classify}. */
        R on(S session);
    }
}
