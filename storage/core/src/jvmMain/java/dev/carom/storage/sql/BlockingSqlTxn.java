package dev.carom.storage.sql;

import dev.carom.storage.BlockingStorageTxn;
import dev.carom.storage.BlockingTransactable;
import dev.carom.storage.TxnPolicy;

/** A transaction of a relational storage, for threads that block; those begun on it are savepoints. */
public final class BlockingSqlTxn extends BlockingStorageTxn
        implements BlockingTransactable<BlockingSqlTxn>, BlockingSqlOps {
    private final SqlTxn txn;

    private BlockingSqlTxn(SqlTxn txn) {
        super(txn);
        this.txn = txn;
    }

    /** Another view of {@code txn}. */
    public static BlockingSqlTxn of(SqlTxn txn) {
        return new BlockingSqlTxn(txn);
    }

    @Override
    public SqlOps sqlOps() {
        return txn;
    }

    /** The same operations for callers who do not block. */
    public SqlFutures futures() {
        return SqlFutures.of(txn);
    }

    @Override
    public BlockingSqlTxn beginTxn(TxnPolicy policy) {
        return of(BlockingTransactable.<SqlTxn>begin(txn, policy));
    }
}
