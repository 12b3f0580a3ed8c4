package dev.carom.storage.sql;

import dev.carom.storage.BlockingStoragePool;
import dev.carom.storage.SessionSource;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.internal.JavaCalls;
import dev.carom.storage.memory.MemorySql;

/** A pool of a relational storage, for threads that block. */
public final class BlockingSqlPool extends BlockingStoragePool<SqlConn, SqlTxn, BlockingSqlConn, BlockingSqlTxn>
        implements BlockingSqlOps {
    private final SqlPool pool;

    private BlockingSqlPool(SqlPool pool) {
        super(pool, BlockingSqlConn::of, BlockingSqlTxn::of);
        this.pool = pool;
    }

    /** Another view of {@code pool}. Closing it closes {@code pool}. */
    public static BlockingSqlPool of(SqlPool pool) {
        return new BlockingSqlPool(pool);
    }

    /** Opens a pool that lives until it is closed. */
    public static <S> BlockingSqlPool open(
            String name, SqlDriver<S> driver, SessionSource<S> source, StoragePolicy policy) {
        return JavaCalls.inOwnScope(scope -> of(SqlDriverKt.openSql(scope, name, driver, source, policy)));
    }

    /** Opens a pool of {@code sessions} sessions on {@code storage} that lives until it is closed. */
    public static BlockingSqlPool open(String name, MemorySql storage, int sessions, StoragePolicy policy) {
        return JavaCalls.inOwnScope(scope -> of(storage.open(scope, name, sessions, policy)));
    }

    @Override
    public SqlOps sqlOps() {
        return pool;
    }

    /** The same operations for callers who do not block. */
    public SqlFutures futures() {
        return SqlFutures.of(pool);
    }
}
