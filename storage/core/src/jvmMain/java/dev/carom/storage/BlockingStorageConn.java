package dev.carom.storage;

import dev.carom.storage.internal.JavaCalls;
import java.util.function.Function;

/**
 * A connection for threads that block. Closing it gives the session back; rows and a transaction that this thread left
 * open on it are ended.
 *
 * @param <K> the transaction behind
 * @param <T> the transaction
 */
public abstract class BlockingStorageConn<K extends StorageTxn, T extends BlockingStorageTxn>
        implements BlockingTransactable<T>, AutoCloseable {
    private final StorageConn<? extends K> conn;
    private final Function<? super K, ? extends T> txn;

    /** Over {@code conn}, with {@code txn} making the transactions. */
    protected BlockingStorageConn(StorageConn<? extends K> conn, Function<? super K, ? extends T> txn) {
        this.conn = conn;
        this.txn = txn;
    }

    /** The connection behind this view. */
    public StorageConn<? extends K> storageConn() {
        return conn;
    }

    /** {@link StorageMode#CONN}. */
    public StorageMode mode() {
        return conn.getMode();
    }

    /** The family of storage. */
    public StorageKind kind() {
        return conn.getKind();
    }

    /** The same for a pool and all that comes from it. */
    public StorageLane lane() {
        return conn.getLane();
    }

    /** Where it stands now. */
    public ConnStatus status() {
        return conn.getStatus();
    }

    /** The loan behind it. */
    public LeaseInfo leaseInfo() {
        return conn.getLeaseInfo();
    }

    @Override
    public T beginTxn(TxnPolicy policy) {
        return txn.apply(BlockingTransactable.<K>begin(conn, policy));
    }

    /** Gives the session back, after what runs and what waits on it; also when the thread is interrupted. */
    @Override
    public void close() {
        JavaCalls.uninterrupted(lane().getName(), conn::close);
    }

    /** {@link #close} that cancels what runs, refuses what waits and rolls back what is open. */
    public void closeNow() {
        JavaCalls.uninterrupted(lane().getName(), conn::closeNow);
    }

    /** Tells that the session must not be used again: it is destroyed at {@link #close}. */
    public void markBroken(Throwable cause) {
        conn.markBroken(cause);
    }

    @Override
    public String toString() {
        return conn.toString();
    }
}
