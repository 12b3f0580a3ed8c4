package dev.carom.storage.keyvalue;

import dev.carom.storage.internal.FlowPublisher;
import dev.carom.storage.internal.JavaFutures;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow.Publisher;
import org.jspecify.annotations.Nullable;

/**
 * {@link KeyValueOps} by {@link CompletableFuture}, of a pool, a connection or a transaction. Nothing blocks.
 * Cancelling a returned future cancels the operation.
 *
 * @see dev.carom.storage.StorageFutures for connections and transactions
 */
public final class KeyValueFutures {
    private final KeyValueOps ops;

    private KeyValueFutures(KeyValueOps ops) {
        this.ops = ops;
    }

    /** Another view of {@code ops}. */
    public static KeyValueFutures of(KeyValueOps ops) {
        return new KeyValueFutures(ops);
    }

    /** The operations behind this view. */
    public KeyValueOps keyValueOps() {
        return ops;
    }

    /** The value, or null. */
    public CompletableFuture<@Nullable String> get(String key) {
        return JavaFutures.<@Nullable String>startFuture(late -> {}, k -> ops.get(key, k));
    }

    /** The values of those keys that have one. */
    public CompletableFuture<Map<String, String>> getAll(Collection<String> keys) {
        return JavaFutures.startFuture(late -> {}, k -> ops.getAll(keys, k));
    }

    /** Sets a value, kept for {@code ttlMillis} milliseconds (0: for ever); false if {@code onlyIf} did not hold. */
    public CompletableFuture<Boolean> set(String key, String value, long ttlMillis, KeyCondition onlyIf) {
        return JavaFutures.startFuture(late -> {}, k -> ops.set(key, value, ttlMillis, onlyIf, k));
    }

    /** Sets a value if the key has {@code expected} now; null: if it has none. */
    public CompletableFuture<Boolean> compareAndSet(String key, @Nullable String expected, String value) {
        return JavaFutures.startFuture(late -> {}, k -> ops.compareAndSet(key, expected, value, k));
    }

    /** Removes a key; whether it had a value. */
    public CompletableFuture<Boolean> delete(String key) {
        return JavaFutures.startFuture(late -> {}, k -> ops.delete(key, k));
    }

    /** Keeps a value for {@code ttlMillis} milliseconds from now on, 0 for ever; whether there is one. */
    public CompletableFuture<Boolean> expire(String key, long ttlMillis) {
        return JavaFutures.startFuture(late -> {}, k -> ops.expire(key, ttlMillis, k));
    }

    /** Adds to the whole number at {@code key}, 0 if there is none; the sum. */
    public CompletableFuture<Long> increment(String key, long by) {
        return JavaFutures.startFuture(late -> {}, k -> ops.increment(key, by, k));
    }

    /** Sets a value for ever. */
    public CompletableFuture<@Nullable Void> set(String key, String value) {
        return JavaFutures.startWaiting(k -> ops.set(key, value, k));
    }

    /** The keys that begin with {@code prefix}, at the subscriber's pace; holds a session meanwhile. */
    public Publisher<String> scan(String prefix) {
        return new FlowPublisher<>(ops.scan(prefix));
    }
}
