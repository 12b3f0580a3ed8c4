package dev.carom.storage;

import dev.carom.storage.internal.BlockingDriverAdapter;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter written in Java tells this library about its sessions, by calls that may block. One instance serves
 * all sessions of a pool; one session is used by one call at a time, {@link #cancel} and {@link #abort} excepted.
 *
 * <p><b>Threads.</b> Calls run on threads of {@code Dispatchers.IO}, at most 64 at once for one driver, and are never
 * interrupted. {@code txnOf}, {@code isClean}, {@code abort} and {@code classify} run anywhere and must not wait.
 *
 * @param <S> the session
 */
public interface BlockingStorageDriver<S> {
    /** The family of storage. */
    StorageKind kind();

    /** What the platform can do. Default: no transactions. */
    default Capabilities capabilities() {
        return new Capabilities(java.util.Set.of(), false, false, false, false);
    }

    /**
     * Begins a transaction.
     *
     * @throws Exception if there is none then
     */
    default void begin(S session, TxnPolicy policy) throws Exception {}

    /**
     * Commits. An exception that {@link #classify} calls broken leaves the outcome unknown; another one means rolled
     * back.
     *
     * @throws Exception why not
     */
    default void commit(S session) throws Exception {}

    /**
     * Rolls back.
     *
     * @throws Exception if the session is not to be used any more
     */
    default void rollback(S session) throws Exception {}

    /**
     * Sets a savepoint.
     *
     * @throws Exception if there is none then
     */
    default void savepoint(S session, String name) throws Exception {}

    /**
     * Forgets a savepoint and keeps what was done since.
     *
     * @throws Exception if the transaction cannot go on
     */
    default void releaseSavepoint(S session, String name) throws Exception {}

    /**
     * Undoes what was done since a savepoint, and forgets it.
     *
     * @throws Exception if the transaction cannot go on
     */
    default void rollbackToSavepoint(S session, String name) throws Exception {}

    /** What the session knows about its transaction. */
    default SessionTxn txnOf(S session) {
        return SessionTxn.IDLE;
    }

    /**
     * Stops what runs on {@code session}; called again and again until that has ended, and harmless when nothing runs.
     * Default: nothing, so that a cancelled operation runs to its end or into the grace.
     *
     * @throws Exception ignored: only the end of the operation counts
     */
    default void cancel(S session) throws Exception {}

    /** Whether {@code session} may be lent again as it is. Default: yes, if no transaction is open. */
    default boolean isClean(S session, ResetLevel level) {
        return txnOf(session) == SessionTxn.IDLE;
    }

    /**
     * Cleans a session that was not clean. Default: rolls back.
     *
     * @throws Exception if the session is not to be used any more
     */
    default void reset(S session, ResetLevel level) throws Exception {
        if (txnOf(session) != SessionTxn.IDLE) rollback(session);
    }

    /** Cuts the session off, at once. */
    default void abort(S session) {}

    /**
     * What {@code error} means; null if it is not the platform's. A {@link CancellationException} never is.
     */
    default @Nullable ErrorInfo classify(Throwable error) {
        return null;
    }

    /**
     * Something by which {@link #outcomeOf} can find out about the open transaction later, or null.
     *
     * @throws Exception taken for null
     */
    default @Nullable Object outcomeToken(S session) throws Exception {
        return null;
    }

    /**
     * On another session: how the commit of {@code token} ended; null while that is not decided.
     *
     * @throws Exception asked again later
     */
    default @Nullable TxnStatus outcomeOf(S session, Object token) throws Exception {
        return null;
    }

    /** This driver for a {@link PoolCore}. */
    default StorageDriver<S> toDriver() {
        return new BlockingDriverAdapter<>(this);
    }
}
