package dev.carom.storage.keyvalue;

import dev.carom.storage.BlockingStorageTxn;
import dev.carom.storage.BlockingTransactable;
import dev.carom.storage.TxnPolicy;

/** A transaction of a key-value storage, for threads that block; those begun on it are savepoints. */
public final class BlockingKeyValueTxn extends BlockingStorageTxn
        implements BlockingTransactable<BlockingKeyValueTxn>, BlockingKeyValueOps {
    private final KeyValueTxn txn;

    private BlockingKeyValueTxn(KeyValueTxn txn) {
        super(txn);
        this.txn = txn;
    }

    /** Another view of {@code txn}. */
    public static BlockingKeyValueTxn of(KeyValueTxn txn) {
        return new BlockingKeyValueTxn(txn);
    }

    @Override
    public KeyValueOps keyValueOps() {
        return txn;
    }

    /** The same operations for callers who do not block. */
    public KeyValueFutures futures() {
        return KeyValueFutures.of(txn);
    }

    @Override
    public BlockingKeyValueTxn beginTxn(TxnPolicy policy) {
        return of(BlockingTransactable.<KeyValueTxn>begin(txn, policy));
    }
}
