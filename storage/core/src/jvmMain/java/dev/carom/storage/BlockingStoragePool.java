package dev.carom.storage;

import dev.carom.storage.internal.FlowPublisher;
import dev.carom.storage.internal.JavaCalls;
import java.time.Duration;
import java.util.concurrent.Flow.Publisher;
import java.util.function.Function;

/**
 * A pool for threads that block, virtual threads included. All methods may be called from any thread; whoever waits for
 * a session is served first come, first served.
 *
 * <p><b>Interruption.</b> What waits can be interrupted: an operation is cancelled and settled then, a place in the
 * queue given back, and {@link StorageException.Interrupted} thrown; the thread stays interrupted.
 *
 * @param <KC> the connection behind
 * @param <K> the transaction behind
 * @param <C> the connection
 * @param <T> the transaction
 */
public abstract class BlockingStoragePool<
                KC extends StorageConn<K>,
                K extends StorageTxn,
                C extends BlockingStorageConn<K, T>,
                T extends BlockingStorageTxn>
        implements BlockingTransactable<T>, AutoCloseable {
    private static final Duration DRAIN = Duration.ofSeconds(30);

    private final StoragePool<? extends KC, ? extends K> pool;
    private final Function<? super KC, ? extends C> conn;
    private final Function<? super K, ? extends T> txn;

    /** Over {@code pool}, with {@code conn} and {@code txn} making its handles. */
    protected BlockingStoragePool(
            StoragePool<? extends KC, ? extends K> pool,
            Function<? super KC, ? extends C> conn,
            Function<? super K, ? extends T> txn) {
        this.pool = pool;
        this.conn = conn;
        this.txn = txn;
    }

    /** Opens the core of a pool that lives until it is closed, for a storage type of one's own. */
    public static <S> PoolCore<S> core(
            String name, StorageDriver<S> driver, SessionSource<S> source, StoragePolicy policy) {
        return JavaCalls.openCore(name, driver, source, policy);
    }

    /** The pool behind this view. */
    public StoragePool<? extends KC, ? extends K> storagePool() {
        return pool;
    }

    /** {@link StorageMode#POOL}. */
    public StorageMode mode() {
        return pool.getMode();
    }

    /** The family of storage. */
    public StorageKind kind() {
        return pool.getKind();
    }

    /** The same for a pool and all that comes from it. */
    public StorageLane lane() {
        return pool.getLane();
    }

    /** The name given at opening; appears in messages and notices. */
    public String name() {
        return pool.getName();
    }

    /** The policy given at opening; {@link StoragePolicyBuilder#from} reads its durations. */
    public StoragePolicy policy() {
        return pool.getPolicy();
    }

    /** What happens beside the calls. Signals come on a shared thread: they must not block. */
    public Publisher<StorageNotice> notices() {
        return new FlowPublisher<>(pool.getNotices());
    }

    /** Counts, now. Works in every state. */
    public StorageStats stats() {
        return pool.stats();
    }

    /**
     * Borrows a session; whoever calls closes it, best by try-with-resources.
     *
     * @throws StorageException.PoolClosed at once, if the pool is closed or closing
     * @throws StorageException.AcquireTimeout after {@link StoragePolicyBuilder#acquireTimeout()}
     * @throws StorageException.Interrupted if the thread was interrupted while it waited
     */
    public C conn() {
        KC taken = JavaCalls.<KC>take(name(), (late, k) -> late.close(k), pool::conn);
        return conn.apply(taken);
    }

    @Override
    public T beginTxn(TxnPolicy policy) {
        return txn.apply(BlockingTransactable.<K>begin(pool, policy));
    }

    /**
     * Closes the pool: refuses and fails what waits, lets what is lent be used for {@code drain}, then cancels, rolls
     * back and destroys. Returns when no session is left.
     *
     * @param drain not negative
     * @throws StorageException.Interrupted if the thread was interrupted while it waited; the closing goes on
     */
    public void close(Duration drain) {
        long millis = JavaCalls.drainMillis(drain);
        JavaCalls.run(name(), k -> pool.close(millis, k));
    }

    /** {@link #close(Duration)} with 30 s, also when the thread is interrupted. */
    @Override
    public void close() {
        long millis = JavaCalls.drainMillis(DRAIN);
        JavaCalls.uninterrupted(name(), k -> pool.close(millis, k));
    }

    @Override
    public String toString() {
        return pool.toString();
    }
}
