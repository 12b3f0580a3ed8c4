package dev.carom.storage;

import dev.carom.storage.internal.JavaCalls;
import dev.carom.storage.internal.JavaFutures;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What waits on a pool, a connection and a transaction of any type, by {@link CompletableFuture}. Nothing blocks.
 *
 * <p><b>Cancelling</b> a returned future ends what it stands for; what was granted at that very moment goes back. It
 * does not stop what is beyond recall: a commit that was sent, a release.
 *
 * <p><b>Failures</b> arrive as they are, not inside a {@code CompletionException}. <b>Threads:</b> futures that wait
 * are completed on a shared thread; stages that depend on them must not block.
 */
public final class StorageFutures {
    private StorageFutures() {}

    /** Borrows a session. Whoever takes it out of the future closes it. */
    public static <C extends StorageConn<?>> CompletableFuture<C> conn(StoragePool<? extends C, ?> pool) {
        return JavaFutures.<C>startFuture(StorageFutures::close, k -> pool.conn(k));
    }

    /** Begins a transaction bound to nobody. Whoever takes it out of the future ends it. */
    public static <T extends StorageTxn> CompletableFuture<T> beginTxn(Transactable<? extends T> on, TxnPolicy policy) {
        return JavaFutures.<T>startFuture(StorageFutures::rollback, k -> on.beginTxn(policy.unowned(), k));
    }

    /**
     * Runs {@code work} in a transaction: commits when its stage is complete, rolls back when that fails or the future
     * is cancelled. Runs again as {@link TxnPolicyBuilder#retry} says.
     */
    public static <T extends StorageTxn, R extends @Nullable Object> CompletableFuture<R> txn(
            Transactable<? extends T> on,
            TxnPolicy policy,
            Function<? super T, ? extends CompletionStage<? extends R>> work) {
        return JavaFutures.<T, R>txnFuture(on, policy, work);
    }

    /** Commits. */
    public static CompletableFuture<@Nullable Void> commit(StorageTxn txn) {
        return JavaFutures.startWaiting(txn::commit);
    }

    /** Rolls back. */
    public static CompletableFuture<@Nullable Void> rollback(StorageTxn txn) {
        return JavaFutures.startWaiting(txn::rollback);
    }

    /** Gives a session back. */
    public static CompletableFuture<@Nullable Void> close(StorageConn<?> conn) {
        return JavaFutures.startWaiting(conn::close);
    }

    /** Gives a session back without waiting for what it does. */
    public static CompletableFuture<@Nullable Void> closeNow(StorageConn<?> conn) {
        return JavaFutures.startWaiting(conn::closeNow);
    }

    /** Closes a pool, whose sessions may be used for {@code drain} yet. */
    public static CompletableFuture<@Nullable Void> close(StoragePool<?, ?> pool, Duration drain) {
        long millis = JavaCalls.drainMillis(drain);
        return JavaFutures.startWaiting(k -> pool.close(millis, k));
    }
}
