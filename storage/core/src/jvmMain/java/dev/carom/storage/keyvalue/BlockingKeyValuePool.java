package dev.carom.storage.keyvalue;

import dev.carom.storage.BlockingStoragePool;
import dev.carom.storage.SessionSource;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.internal.JavaCalls;
import dev.carom.storage.memory.MemoryKeyValue;

/** A pool of a key-value storage, for threads that block. */
public final class BlockingKeyValuePool
        extends BlockingStoragePool<KeyValueConn, KeyValueTxn, BlockingKeyValueConn, BlockingKeyValueTxn>
        implements BlockingKeyValueOps {
    private final KeyValuePool pool;

    private BlockingKeyValuePool(KeyValuePool pool) {
        super(pool, BlockingKeyValueConn::of, BlockingKeyValueTxn::of);
        this.pool = pool;
    }

    /** Another view of {@code pool}. Closing it closes {@code pool}. */
    public static BlockingKeyValuePool of(KeyValuePool pool) {
        return new BlockingKeyValuePool(pool);
    }

    /** Opens a pool that lives until it is closed. */
    public static <S> BlockingKeyValuePool open(
            String name, KeyValueDriver<S> driver, SessionSource<S> source, StoragePolicy policy) {
        return JavaCalls.inOwnScope(scope -> of(KeyValueKt.openKeyValue(scope, name, driver, source, policy)));
    }

    /** Opens a pool of {@code sessions} sessions on {@code storage} that lives until it is closed. */
    public static BlockingKeyValuePool open(String name, MemoryKeyValue storage, int sessions, StoragePolicy policy) {
        return JavaCalls.inOwnScope(scope -> of(storage.open(scope, name, sessions, policy)));
    }

    @Override
    public KeyValueOps keyValueOps() {
        return pool;
    }

    /** The same operations for callers who do not block. */
    public KeyValueFutures futures() {
        return KeyValueFutures.of(pool);
    }
}
