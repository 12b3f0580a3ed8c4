package dev.carom.storage.keyvalue;

import dev.carom.storage.internal.FlowPublisher;
import dev.carom.storage.internal.JavaCalls;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.Flow.Publisher;
import org.jspecify.annotations.Nullable;

/** {@link KeyValueOps} for threads that block: the same on a pool, on a connection and in a transaction. */
public interface BlockingKeyValueOps {
    /** The operations behind this view. */
    KeyValueOps keyValueOps();

    /** The value, or null. */
    default @Nullable String get(String key) {
        return JavaCalls.<@Nullable String>call("key-value", k -> keyValueOps().get(key, k));
    }

    /** The values of those keys that have one. */
    default Map<String, String> getAll(Collection<String> keys) {
        return JavaCalls.call("key-value", k -> keyValueOps().getAll(keys, k));
    }

    /** Sets a value, kept for {@code ttlMillis} milliseconds (0: for ever); false if {@code onlyIf} did not hold. */
    default boolean set(String key, String value, long ttlMillis, KeyCondition onlyIf) {
        return JavaCalls.call("key-value", k -> keyValueOps().set(key, value, ttlMillis, onlyIf, k));
    }

    /** Sets a value if the key has {@code expected} now; null: if it has none. */
    default boolean compareAndSet(String key, @Nullable String expected, String value) {
        return JavaCalls.call("key-value", k -> keyValueOps().compareAndSet(key, expected, value, k));
    }

    /** Removes a key; whether it had a value. */
    default boolean delete(String key) {
        return JavaCalls.call("key-value", k -> keyValueOps().delete(key, k));
    }

    /** Keeps a value for {@code ttlMillis} milliseconds from now on, 0 for ever; whether there is one. */
    default boolean expire(String key, long ttlMillis) {
        return JavaCalls.call("key-value", k -> keyValueOps().expire(key, ttlMillis, k));
    }

    /** Adds to the whole number at {@code key}, 0 if there is none; the sum. */
    default long increment(String key, long by) {
        return JavaCalls.call("key-value", k -> keyValueOps().increment(key, by, k));
    }

    /** Sets a value for ever. */
    default void set(String key, String value) {
        set(key, value, 0, KeyCondition.ALWAYS);
    }

    /** The keys that begin with {@code prefix}, at the subscriber's pace; holds a session meanwhile. */
    default Publisher<String> scan(String prefix) {
        return new FlowPublisher<>(keyValueOps().scan(prefix));
    }
}
