package dev.carom.pool

import kotlinx.coroutines.awaitCancellation

/**
 * Opens, checks, prepares, cleans and closes one kind of connection. One instance serves all connections of a pool, from
 * many threads at once.
 *
 * Every call is bounded by its own timeout in [PoolPolicy] and cancelled when it runs out. Whatever a call throws, also a
 * `CancellationException` of its own making, is a failure of that one connection: the pool closes it, counts it against
 * the backend and opens another after a backoff. Calls must not block their thread: wrap blocking code (from Java:
 * `BlockingConnector`).
 *
 * @param C the connection.
 */
public interface Connector<C : Any> {
    /**
     * Opens a connection to [backend]. Must not be lazy: a returned connection is taken to work.
     *
     * *Cancelled* when [PoolPolicy.connectTimeout] runs out, when the backend is removed, or when the pool closes. An
     * implementation that is cancelled after the peer accepted closes what it opened before it returns.
     */
    public suspend fun connect(backend: Backend): C

    /**
     * Whether [connection] still works. Called while it is idle, about once per [PoolPolicy.healthInterval]; during the
     * call nobody can claim it. `false` or an exception closes it. Default: `true`.
     *
     * *Cancelled* when [PoolPolicy.checkTimeout] runs out or the pool closes; the connection is closed then.
     */
    public suspend fun isValid(connection: C): Boolean = true

    /**
     * Prepares [connection] for the caller that has just claimed it, in that caller's coroutine. Default: nothing.
     * If it throws, the connection is closed and the claim goes on with another, keeping its place and its deadline.
     *
     * *Cancelled* when [PoolPolicy.acquireTimeout] or the claim's deadline runs out, or when the caller is cancelled; the
     * connection is closed then, for nobody knows what state it is in.
     */
    public suspend fun onAcquire(connection: C) {}

    /**
     * Cleans [connection] after use, before it may be lent again. Default: nothing. An exception closes it.
     * Not called for a connection that is to be closed anyway.
     *
     * *Cancelled* when [PoolPolicy.recycleTimeout] runs out or the pool closes; the connection is closed then.
     */
    public suspend fun onRecycle(connection: C) {}

    /**
     * Returns when the peer has closed or reset [connection], and throws if it knows why. Runs beside everything else
     * for as long as the connection lives, so it must not read what a user would read. Default: never returns, so that
     * only health checks find a dead connection.
     *
     * *Cancelled* when the connection is closed from this side.
     */
    public suspend fun awaitClosed(connection: C): Unit = awaitCancellation()

    /**
     * What the backend at the other end is for, now. Called for each new connection before anybody can claim it, and then
     * of one idle connection of each backend once per [PoolPolicy.roleInterval]. An exception closes the connection.
     * Default: [Role.Unknown].
     *
     * *Cancelled* when [PoolPolicy.checkTimeout] runs out or the pool closes; the connection is closed then.
     */
    public suspend fun probeRole(connection: C): Role = Role.Unknown

    /**
     * What [cause], from a call of this connector or as a caller reported it, says about the backend. Called on any thread;
     * must be quick and never throw. Default: [AuthenticationFailed] is [Fault.Authentication], all else [Fault.Broken].
     */
    public fun classify(cause: Throwable): Fault =
        if (cause is AuthenticationFailed) Fault.Authentication else Fault.Broken

    /**
     * Closes [connection]. Called exactly once for each connection that [connect] returned, even after failures and
     * after the pool's scope was cancelled; it runs where cancellation cannot reach it, bounded by
     * [PoolPolicy.closeTimeout]. Exceptions are reported as [PoolNotice.CloseFailed].
     */
    public suspend fun close(connection: C)
}
