package dev.carom.pool;

import dev.carom.pool.internal.BlockingAdapters;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Opens, checks, prepares, cleans and closes one kind of connection, by calls that may block. One instance serves all
 * connections of a pool, from many threads at once.
 *
 * <p><b>Threads.</b> Each call runs on a virtual thread from JDK 24 on (before, virtual threads that block in
 * {@code synchronized} starve each other); on older ones on a thread of {@code Dispatchers.IO}, at most 64 at once
 * for one connector. Hooks that are not overridden cost nothing.
 *
 * <p><b>Time.</b> Each call has its own timeout in {@link PoolPolicy}. When it runs out, and when the pool closes, the
 * thread is <em>interrupted</em>; what has been opened by then is closed. A call that ignores interrupts holds its
 * thread, and its place among {@code maxSlots}, until it ends.
 *
 * <p><b>Failures.</b> Whatever a call throws is a failure of that one connection: the pool closes it, counts it
 * against the backend and opens another after a backoff.
 *
 * @param <C> the connection
 */
public interface BlockingConnector<C> {
    /**
     * Opens a connection to {@code backend}. Must not be lazy: a returned connection is taken to work. One returned
     * after the thread was interrupted is closed at once.
     *
     * @throws Exception if none could be opened
     */
    C connect(Backend backend) throws Exception;

    /**
     * Whether {@code connection} still works. Called while it is idle, about once per
     * {@link PoolPolicyBuilder#healthInterval()}. {@code false} or an exception closes it. Default: {@code true}.
     *
     * @throws Exception why it does not
     */
    default boolean isValid(C connection) throws Exception {
        return true;
    }

    /**
     * Prepares {@code connection} for the caller that has just claimed it, who waits for it. Default: nothing. If it
     * throws, the connection is closed and the claim goes on with another. Overriding it makes every claim slower by
     * a change of threads, and {@code tryClaim} always null.
     *
     * @throws Exception if the connection cannot be used
     */
    default void onAcquire(C connection) throws Exception {}

    /**
     * Cleans {@code connection} after use, before it may be lent again; nobody waits for it. Default: nothing. An
     * exception closes it.
     *
     * @throws Exception if the connection cannot be used again
     */
    default void onRecycle(C connection) throws Exception {}

    /**
     * A stage that ends when the peer has closed or reset {@code connection}, in failure if it is known why; null, the
     * default, if only health checks can tell. Asked once per connection; must not block, for that would cost a
     * thread for each idle connection. The pool never cancels the stage.
     */
    default @Nullable CompletionStage<?> whenClosed(C connection) {
        return null;
    }

    /**
     * What the backend at the other end is for, now. Called for each new connection before anybody can claim it, and then
     * of one idle connection of each backend once per {@link PoolPolicyBuilder#roleInterval()}. An exception closes the
     * connection. Default: {@link Role#Unknown}.
     *
     * @throws Exception if it cannot be told
     */
    default Role probeRole(C connection) throws Exception {
        return Role.Unknown;
    }

    /**
     * What {@code cause}, from a call of this connector or as a caller reported it, says about the backend. Called on any
     * thread; must be quick and never throw. Default: {@link AuthenticationFailed} is {@link Fault#Authentication}, all
     * else {@link Fault#Broken}.
     */
    default Fault classify(Throwable cause) {
        return cause instanceof AuthenticationFailed ? Fault.Authentication : Fault.Broken;
    }

    /**
     * Closes {@code connection}. Called exactly once for each connection that {@link #connect} returned.
     *
     * @throws Exception reported as {@link PoolNotice.CloseFailed}; the connection counts as closed
     */
    void close(C connection) throws Exception;

    /** This connector for a {@link Pool}. */
    default Connector<C> toConnector() {
        return BlockingAdapters.connector(this);
    }
}
