package dev.carom.storage.redis;

import dev.carom.storage.internal.JavaCalls;
import dev.carom.storage.internal.JavaFutures;
import dev.carom.storage.keyvalue.BlockingKeyValueOps;
import dev.carom.storage.keyvalue.KeyValueOps;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** {@link RedisOps} for threads that block, and by future. */
public final class BlockingRedisOps implements BlockingKeyValueOps {
    private final RedisOps ops;

    BlockingRedisOps(RedisOps ops) {
        this.ops = ops;
    }

    @Override
    public KeyValueOps keyValueOps() {
        return ops;
    }

    /**
     * Runs commands of Lettuce on this handle's connection, and waits for the stage that {@code commands} returns. What
     * they leave on the connection is there for the next call on the same connection, and gone when it is given back.
     *
     * @throws dev.carom.storage.StorageException.Interrupted if the thread was interrupted; what blocks on the server
     *     is ended then
     */
    public <R extends @Nullable Object> R call(
            Function<? super RedisAsyncCommands<String, String>, ? extends CompletionStage<R>> commands) {
        return JavaCalls.<R>call("redis", k -> ops.call(commands::apply, k));
    }

    /** {@link #call} by future; cancelling it ends what blocks on the server. */
    public <R extends @Nullable Object> CompletableFuture<R> callLater(
            Function<? super RedisAsyncCommands<String, String>, ? extends CompletionStage<R>> commands) {
        return JavaFutures.<R>startFuture(late -> {}, k -> ops.call(commands::apply, k));
    }

    /** Appends to the list at {@code key}; its new length. */
    public long push(String key, String value) {
        return JavaCalls.<Long>call("redis", k -> ops.push(key, value, k));
    }

    /**
     * Takes the first element of the list at {@code key}, waiting for one; null if none came in time. An element that is
     * taken at the moment of an interrupt is put back.
     *
     * @param timeout longest wait; zero waits for ever
     */
    public @Nullable String blockingPop(String key, Duration timeout) {
        return JavaCalls.<@Nullable String>call("redis", k -> ops.blockingPop(key, timeout.toMillis(), k));
    }
}
