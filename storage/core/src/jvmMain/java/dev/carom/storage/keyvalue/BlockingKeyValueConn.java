package dev.carom.storage.keyvalue;

import dev.carom.storage.BlockingStorageConn;

/** A connection of a key-value storage, for threads that block. */
public final class BlockingKeyValueConn extends BlockingStorageConn<KeyValueTxn, BlockingKeyValueTxn>
        implements BlockingKeyValueOps {
    private final KeyValueConn conn;

    private BlockingKeyValueConn(KeyValueConn conn) {
        super(conn, BlockingKeyValueTxn::of);
        this.conn = conn;
    }

    /** Another view of {@code conn}. Closing it closes {@code conn}. */
    public static BlockingKeyValueConn of(KeyValueConn conn) {
        return new BlockingKeyValueConn(conn);
    }

    @Override
    public KeyValueOps keyValueOps() {
        return conn;
    }

    /** The same operations for callers who do not block. */
    public KeyValueFutures futures() {
        return KeyValueFutures.of(conn);
    }
}
