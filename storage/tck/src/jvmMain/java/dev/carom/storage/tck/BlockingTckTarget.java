package dev.carom.storage.tck;

import dev.carom.storage.BlockingSessions;
import dev.carom.storage.SessionSource;
import dev.carom.storage.StorageDriver;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * {@link TckTarget} for adapters written in Java: how to make a pool of it, and a handful of operations. Calls come on
 * threads of {@code Dispatchers.IO} and are interrupted when the suite cancels them.
 *
 * @param <S> the session
 */
public interface BlockingTckTarget<S> {
    /** For the names of the cases. */
    String name();

    /** The driver; {@code toDriver()} of one that blocks. */
    StorageDriver<S> driver();

    /** A new source of {@code capacity} sessions on storage that outlives it. */
    SessionSource<S> source(int capacity);

    /** Whether an operation that runs can be stopped before its end. Default: true. */
    default boolean stopsRunning() {
        return true;
    }

    /** Makes the storage empty and ready for {@link #write}. */
    void clear(BlockingSessions<S> on);

    /** Sets the value at {@code key}, new or not. Declared as a write. */
    void write(BlockingSessions<S> on, String key, String value);

    /** The value at {@code key}, or null. Declared as a read. */
    @Nullable String read(BlockingSessions<S> on, String key);

    /** An operation that the platform refuses, without harm to the session. */
    void fail(BlockingSessions<S> on);

    /** An operation that runs for at least {@code millis} milliseconds unless it is stopped. */
    void slow(BlockingSessions<S> on, long millis);

    /** Whether a session has a state of its own that {@link #remember} sets: a setting, a variable. Default: false. */
    default boolean remembers() {
        return false;
    }

    /** Whether a complete reset undoes that state. Default: true. */
    default boolean forgets() {
        return true;
    }

    /** Sets the state of the session. Only if it {@link #remembers}. */
    default void remember(BlockingSessions<S> on, String value) {}

    /** The state of the session; null if nothing was set since it was clean. Only if it {@link #remembers}. */
    default @Nullable String remembered(BlockingSessions<S> on) {
        return null;
    }

    /** Reads {@code count} values, calling {@code each} for one after the other while the session is held. */
    void readMany(BlockingSessions<S> on, int count, IntConsumer each);

    /** This target for {@link StorageTck#cases}. */
    default TckTarget<S> toTarget() {
        return new BlockingTargetAdapter<>(this);
    }
}
