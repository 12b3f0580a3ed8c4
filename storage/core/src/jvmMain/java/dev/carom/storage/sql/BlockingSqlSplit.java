package dev.carom.storage.sql;

import dev.carom.storage.BlockingTransactable;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.TxnPolicy;
import dev.carom.storage.internal.JavaCalls;
import dev.carom.storage.split.Consistency;
import dev.carom.storage.split.Split;
import dev.carom.storage.split.SplitPool;
import dev.carom.storage.split.SplitStats;
import dev.carom.storage.split.WriteToken;
import dev.carom.storage.split.Written;
import org.jspecify.annotations.Nullable;

/**
 * A relational storage with several servers, for threads that block: writes go to the primary, reads to a replica that
 * is far enough for them.
 */
public final class BlockingSqlSplit implements AutoCloseable {
    private final SplitPool<? extends SqlPool, SqlTxn> split;
    private final BlockingSqlPool pool;

    private BlockingSqlSplit(SplitPool<? extends SqlPool, SqlTxn> split) {
        this.split = split;
        this.pool = BlockingSqlPool.of(split.getPool());
    }

    /** Another view of {@code split}. Closing it closes its pool. */
    public static BlockingSqlSplit of(SplitPool<? extends SqlPool, SqlTxn> split) {
        return new BlockingSqlSplit(split);
    }

    /** Opens a pool that lives until it is closed. */
    public static <S> BlockingSqlSplit open(
            String name, SqlDriver<S> driver, Split<S> split, StoragePolicy policy) {
        return JavaCalls.inOwnScope(scope -> of(SqlDriverKt.openSqlSplit(scope, name, driver, split, policy)));
    }

    /** Everything else; its operations go to the primary. */
    public BlockingSqlPool pool() {
        return pool;
    }

    /**
     * Runs {@code work} in a read-only transaction on a replica that serves {@code consistency}; on the primary if none
     * does and {@link dev.carom.storage.split.SplitPolicy#getAllowPrimaryReads} says so.
     *
     * @throws X whatever {@code work} throws
     * @throws dev.carom.storage.StorageException.AcquireTimeout if no server serves it in time
     */
    public <R extends @Nullable Object, X extends Exception> R read(
            Consistency consistency, TxnPolicy policy, BlockingTransactable.TxnWork<? super BlockingSqlTxn, ? extends R, X> work)
            throws X {
        BlockingTransactable<BlockingSqlTxn> reader = asked -> BlockingSqlTxn.of(JavaCalls.<SqlTxn>take(
                pool.name(),
                (late, k) -> late.rollback(k),
                k -> split.beginRead(consistency, asked, k)));
        return reader.txn(policy, work);
    }

    /** {@link #read(Consistency, TxnPolicy, BlockingTransactable.TxnWork)} with the platform's defaults. */
    public <R extends @Nullable Object, X extends Exception> R read(
            Consistency consistency, BlockingTransactable.TxnWork<? super BlockingSqlTxn, ? extends R, X> work) throws X {
        return read(consistency, TxnPolicy.Companion.getDEFAULT(), work);
    }

    /**
     * Runs {@code work} in a transaction on the primary. What it returns comes with a token by which a read elsewhere sees
     * what was written.
     *
     * @throws X whatever {@code work} throws
     */
    public <R extends @Nullable Object, X extends Exception> Written<R> write(
            TxnPolicy policy, BlockingTransactable.TxnWork<? super BlockingSqlTxn, ? extends R, X> work) throws X {
        R value = pool.<R, X>txn(policy.readOnly(false), work);
        return new Written<>(value, token());
    }

    /** {@link #write(TxnPolicy, BlockingTransactable.TxnWork)} with the platform's defaults. */
    public <R extends @Nullable Object, X extends Exception> Written<R> write(
            BlockingTransactable.TxnWork<? super BlockingSqlTxn, ? extends R, X> work) throws X {
        return write(TxnPolicy.Companion.getDEFAULT(), work);
    }

    /** A place in the primary's log behind everything that is committed now. */
    public WriteToken token() {
        return JavaCalls.<WriteToken>call(pool.name(), split::token);
    }

    /** Where reads went. */
    public SplitStats stats() {
        return split.stats();
    }

    /** Closes the pool; see {@link BlockingSqlPool#close()}. */
    @Override
    public void close() {
        pool.close();
    }
}
