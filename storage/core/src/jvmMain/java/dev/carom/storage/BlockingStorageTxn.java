package dev.carom.storage;

import dev.carom.storage.internal.JavaCalls;
import java.util.function.Consumer;

/**
 * A transaction for threads that block. In try-with-resources, what was not committed is rolled back.
 *
 * <p>A transaction is passed on, not found: none travels with a thread. While one thread uses it another one is refused
 * ({@link StorageException.ConcurrentTxnUse}), unless its policy says {@link ConcurrentUse#QUEUE}.
 */
public abstract class BlockingStorageTxn implements AutoCloseable {
    private final StorageTxn txn;

    /** Over {@code txn}. */
    protected BlockingStorageTxn(StorageTxn txn) {
        this.txn = txn;
    }

    /** The transaction behind this view. */
    public StorageTxn storageTxn() {
        return txn;
    }

    /** {@link StorageMode#TXN}. */
    public StorageMode mode() {
        return txn.getMode();
    }

    /** The family of storage. */
    public StorageKind kind() {
        return txn.getKind();
    }

    /** The same for a pool and all that comes from it. */
    public StorageLane lane() {
        return txn.getLane();
    }

    /** Where it stands now. */
    public TxnStatus status() {
        return txn.getStatus();
    }

    /**
     * Ends the transaction and keeps what was done. Once the commit was sent, an interrupt no longer reaches it.
     *
     * @throws StorageException.TxnFinished if it has ended before
     * @throws StorageException.TxnFailed if the platform would only accept a rollback; it is rolled back
     * @throws StorageException.CommitOutcomeUnknown if no answer came
     * @throws StorageException.Interrupted if the thread was interrupted before the commit was sent; it is rolled back
     */
    public void commit() {
        try {
            JavaCalls.run(lane().getName(), txn::commit);
        } catch (StorageException.Interrupted e) {
            // The interrupt came too late to stop it; the thread stays interrupted.
            if (status() != TxnStatus.COMMITTED) throw e;
        }
    }

    /**
     * Ends the transaction and drops what was done; also when the thread is interrupted.
     *
     * @throws StorageException.TxnFinished if it has ended before
     */
    public void rollback() {
        JavaCalls.uninterrupted(lane().getName(), txn::rollback);
    }

    /** Rolls back if it has not ended; else nothing. */
    @Override
    public void close() {
        if (status().isEnded()) return;
        try {
            rollback();
        } catch (StorageException.TxnFinished ended) {
            // By somebody else, meanwhile.
            return;
        }
    }

    /** Makes its end a rollback: {@link #commit} rolls back and throws {@link StorageException.TxnRollbackOnly}. */
    public void setRollbackOnly() {
        RunnerKt.setRollbackOnly(txn);
    }

    /** Runs {@code hook} inside the transaction, before the commit is sent. See {@link TxnHooks#beforeCommit}. */
    public void beforeCommit(Runnable hook) {
        txn.getHooks().beforeCommit(k -> unit(hook));
    }

    /** Runs {@code hook} after the commit, when the session is back. See {@link TxnHooks#afterCommit}. */
    public void afterCommit(Runnable hook) {
        txn.getHooks().afterCommit(k -> unit(hook));
    }

    /** Runs {@code hook} after a rollback, the last one first. See {@link TxnHooks#afterRollback}. */
    public void afterRollback(Runnable hook) {
        txn.getHooks().afterRollback(k -> unit(hook));
    }

    /** Runs {@code hook} if the outcome of the commit is unknown. See {@link TxnHooks#onUnknown}. */
    public void onUnknown(Runnable hook) {
        txn.getHooks().onUnknown(k -> unit(hook));
    }

    /** Runs {@code hook} in any case, after the others. See {@link TxnHooks#afterCompletion}. */
    public void afterCompletion(Consumer<TxnStatus> hook) {
        txn.getHooks().afterCompletion((status, k) -> unit(() -> hook.accept(status)));
    }

    private static kotlin.Unit unit(Runnable hook) {
        hook.run();
        return kotlin.Unit.INSTANCE;
    }

    @Override
    public String toString() {
        return txn.toString();
    }
}
