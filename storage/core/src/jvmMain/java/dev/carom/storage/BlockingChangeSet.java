package dev.carom.storage;

import dev.carom.storage.internal.JavaCalls;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** {@link ChangeSet} for threads that block: what is deferred runs at its end, on the thread that runs it, or not at all. */
public final class BlockingChangeSet {
    private final ChangeSet set;

    private BlockingChangeSet(ChangeSet set) {
        this.set = set;
    }

    /**
     * Runs {@code work} with a change set, commits it when that returns and rolls it back when that throws.
     *
     * @param order in which order what undoes is run
     * @return what {@code work} returned
     * @throws StorageException.Interrupted if the thread was interrupted; what undoes has run then
     */
    public static <R extends @Nullable Object> R run(
            FailOrder order, Function<? super BlockingChangeSet, ? extends R> work) {
        return JavaCalls.<R>call(
                "change set",
                k -> ChangeSetKt.<R>changeSet(order, (scope, set, inner) -> work.apply(new BlockingChangeSet(set)), k));
    }

    /** The change set behind this view. */
    public ChangeSet changeSet() {
        return set;
    }

    /** Runs {@code change} at the commit, in order; the first that fails stops the rest. See {@link ChangeSet#defer}. */
    public void defer(Runnable change) {
        set.defer(k -> unit(change));
    }

    /** Runs {@code undo} if the work or a deferred change fails. See {@link ChangeSet#deferFail}. */
    public void deferFail(Runnable undo) {
        set.deferFail(k -> unit(undo));
    }

    private static kotlin.Unit unit(Runnable action) {
        action.run();
        return kotlin.Unit.INSTANCE;
    }

    @Override
    public String toString() {
        return set.toString();
    }
}
