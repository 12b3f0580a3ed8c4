package dev.carom.pool

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

/**
 * Connections to every backend of one service, opened ahead of need and lent one caller at a time.
 *
 * Opened by [openPool]; lives in the scope it was opened in: when that scope is cancelled, everything ends and every
 * connection is closed. All functions may be called from any thread.
 *
 * **Order.** Who waits is served first come, first served; nobody who comes later overtakes ([tryClaim] included).
 *
 * **Which backend.** Among the backends of the best priority that is up: the one with the smallest share of its
 * connections on loan. Weights act through the number of connections each backend gets.
 *
 * @param C the connection.
 */
public interface Pool<C : Any> {
    /** The name given at opening; appears in messages and notices. */
    public val name: String

    /** The policy given at opening. */
    public val policy: PoolPolicy

    /**
     * Counts of everything, now. Updated after each event and, while claims go on, every 50 ms; conflated like every
     * StateFlow. Each value is consistent in itself: the counts sum to the connections there are.
     */
    public val snapshot: StateFlow<PoolSnapshot>

    /**
     * What happens, each with its reason, in order. Hot: only what happens during collection is seen. A collector that
     * falls [PoolPolicy.noticeBuffer] behind loses the oldest and is told how many ([PoolNotice.Missed]); it never slows
     * the pool. Claims and returns of ready connections are counted in [snapshot], not told here. Completes when the
     * pool has closed.
     */
    public val notices: Flow<PoolNotice>

    /**
     * Borrows a connection, waiting up to [PoolPolicy.claimTimeout] in all: queueing, preparation and retries included.
     * A ready connection that needs no preparation is lent without suspending.
     *
     * Cancelling gives the place in the queue back; a connection granted at that very moment goes back too.
     *
     * @param holder who claims, for reports; by default the coroutine's name.
     * @throws PoolException if it ends without a connection; the subclass says why.
     */
    public suspend fun claim(holder: String?): Claim<C>

    /** [claim] under the coroutine's own name. */
    public suspend fun claim(): Claim<C> = claim(null)

    /**
     * Borrows a connection if one is ready and nobody waits; else null. Never suspends. Always null if the connector
     * has an [Connector.onAcquire]: a connection that must be prepared is not ready.
     *
     * @param holder who claims, for reports.
     * @throws PoolException.Closed if the pool is closed.
     */
    public fun tryClaim(holder: String?): Claim<C>?

    /** [tryClaim] by an unnamed holder. */
    public fun tryClaim(): Claim<C>? = tryClaim(null)

    /**
     * Waits until [connections] connections are open and checked, on loan or not, and opens them now rather than on
     * demand. Bounded by [PoolPolicy.claimTimeout].
     *
     * @param connections 1..[PoolPolicy.maxSlots].
     * @throws PoolException if that many were not there in time; the message has each backend's last error.
     */
    public suspend fun awaitReady(connections: Int)

    /** [awaitReady] for one connection. */
    public suspend fun awaitReady(): Unit = awaitReady(1)

    /**
     * Closes the pool: refuses new and waiting claims with [PoolException.Closed], closes idle connections, waits up to
     * [graceMillis] for lent ones to come back, then closes those under their holders.
     *
     * Returns within the grace plus [PoolPolicy.closeTimeout], whatever connectors and holders do. Calling again joins
     * the same closing, can only shorten it, and returns the same report. Cancelling the caller does not stop the closing.
     *
     * @param graceMillis milliseconds, not negative.
     */
    public suspend fun close(graceMillis: Long): CloseReport

    /** [close] with a grace of [PoolPolicy.claimTimeout] at most 10 s. */
    public suspend fun close(): CloseReport
}

/**
 * Claims a connection, runs [block] with it and gives it back, whatever happens. A connection whose block threw goes back
 * as well: discard it inside the block (`claim()` and [Claim.discard]) if the failure says it is broken.
 *
 * @throws PoolException if no connection could be had.
 */
public suspend inline fun <C : Any, R> Pool<C>.use(block: (C) -> R): R {
    val claim = claim()
    try {
        return block(claim.connection)
    } finally {
        claim.close()
    }
}
