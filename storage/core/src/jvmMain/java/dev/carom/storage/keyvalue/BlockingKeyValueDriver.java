package dev.carom.storage.keyvalue;

import dev.carom.storage.BlockingStorageDriver;
import dev.carom.storage.StorageKind;
import dev.carom.storage.internal.BlockingKeyValueAdapter;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a key-value adapter written in Java adds to a {@link BlockingStorageDriver}, whose rules for threads hold here too.
 * The meaning of each call is that of the operation of the same name of {@link KeyValueOps}; times to live are milliseconds.
 *
 * @param <S> the session
 */
public interface BlockingKeyValueDriver<S> extends BlockingStorageDriver<S> {
    @Override
    default StorageKind kind() {
        return StorageKind.Companion.getKEY_VALUE();
    }

    /** The values of those keys that have one. */
    Map<String, String> getAll(S session, Collection<String> keys) throws Exception;

    /** Whether it was set. */
    boolean set(S session, String key, String value, long ttlMillis, KeyCondition onlyIf) throws Exception;

    /** Whether the value was {@code expected}, null if there was to be none, and is {@code value} now. */
    boolean compareAndSet(S session, String key, @Nullable String expected, String value) throws Exception;

    /** Whether it was there. */
    boolean delete(S session, String key) throws Exception;

    /** Whether it is there, and goes in {@code ttlMillis}. */
    boolean expire(S session, String key, long ttlMillis) throws Exception;

    /** The sum. */
    long increment(S session, String key, long by) throws Exception;

    /** Some keys, and where to go on; a null cursor is the beginning, and the end. */
    ScanPage scan(S session, String prefix, @Nullable Object cursor) throws Exception;

    /** This driver for a {@link BlockingKeyValuePool} or a Kotlin {@code openKeyValue}. */
    default KeyValueDriver<S> toKeyValueDriver() {
        return new BlockingKeyValueAdapter<>(this);
    }
}
