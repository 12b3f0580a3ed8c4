package dev.carom.storage;

import dev.carom.storage.internal.JavaCalls;
import dev.carom.storage.internal.Retrying;
import org.jspecify.annotations.Nullable;

/**
 * Something a thread can start a transaction on: a pool, a connection, or a transaction that has others inside.
 *
 * @param <T> the transaction
 */
public interface BlockingTransactable<T extends BlockingStorageTxn> {
    /**
     * Starts a transaction, bound to nobody: whoever calls ends it, best by try-with-resources.
     *
     * @throws StorageException.UnsupportedIsolation before anything is sent
     * @throws StorageException.Interrupted if the thread was interrupted; nothing is left behind
     */
    T beginTxn(TxnPolicy policy);

    /** {@link #beginTxn(TxnPolicy)} with the platform's defaults. */
    default T beginTxn() {
        return beginTxn(TxnPolicy.Companion.getDEFAULT());
    }

    /**
     * Runs {@code work} in a transaction: commits when it returns, rolls back when it throws, and throws the same. With
     * {@link TxnPolicyBuilder#retry}, runs it again after a failure that may pass, each time in a new transaction.
     *
     * @return what {@code work} returned, after the commit
     * @throws X whatever {@code work} throws
     */
    default <R extends @Nullable Object, X extends Exception> R txn(
            TxnPolicy policy, TxnWork<? super T, ? extends R, X> work) throws X {
        Retrying retrying = new Retrying(policy);
        while (true) {
            StorageException.Platform failure;
            try (T txn = beginTxn(policy)) {
                R result = work.in(txn);
                txn.commit();
                return result;
            } catch (StorageException.Platform failed) {
                failure = failed;
            }
            long pause = retrying.failed(failure);
            if (pause < 0) throw failure;
            try {
                Thread.sleep(pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                failure.addSuppressed(e);
                throw failure;
            }
        }
    }

    /** {@link #txn(TxnPolicy, TxnWork)} with the platform's defaults. */
    default <R extends @Nullable Object, X extends Exception> R txn(TxnWork<? super T, ? extends R, X> work) throws X {
        return txn(TxnPolicy.Companion.getDEFAULT(), work);
    }

    /** For implementations: begins {@code txn} so that no interrupt leaves one behind. */
    static <K extends StorageTxn> K begin(Transactable<? extends K> on, TxnPolicy policy) {
        return JavaCalls.<K>take(
                on.getLane().getName(),
                (late, k) -> late.rollback(k),
                k -> on.beginTxn(policy.unowned(), k));
    }

    /**
     * What is done in a transaction.
     *
     * @param <T> the transaction
     * @param <R> the result
     * @param <X> what it may throw
     */
    @FunctionalInterface
    interface TxnWork<T, R extends @Nullable Object, X extends Exception> {
        /** Does it. */
        R in(T txn) throws X;
    }
}
