package dev.carom.storage.sql;

import dev.carom.storage.BlockingStorageConn;

/** A connection of a relational storage, for threads that block. */
public final class BlockingSqlConn extends BlockingStorageConn<SqlTxn, BlockingSqlTxn> implements BlockingSqlOps {
    private final SqlConn conn;

    private BlockingSqlConn(SqlConn conn) {
        super(conn, BlockingSqlTxn::of);
        this.conn = conn;
    }

    /** Another view of {@code conn}. Closing it closes {@code conn}. */
    public static BlockingSqlConn of(SqlConn conn) {
        return new BlockingSqlConn(conn);
    }

    @Override
    public SqlOps sqlOps() {
        return conn;
    }

    /** The same operations for callers who do not block. */
    public SqlFutures futures() {
        return SqlFutures.of(conn);
    }
}
