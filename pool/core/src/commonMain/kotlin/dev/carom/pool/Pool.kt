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
 * **Which backend.** Among the backends in use ([PlacementPolicy]): of equal ones the one with the smallest share of its
 * connections on loan; of weighted ones each in turn by the number of connections it has, which its weight decides.
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
     * [claim] with options: another deadline, a role, certain backends, the reserved lane.
     *
     * A claim that accepts only some backends waits for one of those; connections it does not accept go to whoever comes
     * after it. A claim for a role waits until some backend has it.
     *
     * @throws PoolException if it ends without a connection; the subclass says why.
     */
    public suspend fun claim(options: ClaimOptions): Claim<C>

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

    /** Whether the pool is alive, and whether its service can be used, now. Never suspends. */
    public fun health(): HealthStatus

    /** Why a claim would be served, or not, now. */
    public suspend fun explain(): Explanation

    /**
     * [explain], seen from a claim in hand: the first holder is this claim's, and its summary says where it went and since
     * when. Works for a claim that has ended, too: then the summary says so.
     */
    public suspend fun explain(claim: Claim<C>): Explanation

    /**
     * Takes a listed backend out of use, for maintenance: it gets no more claims, idle connections close, lent ones when they
     * come back or after [PoolPolicy.drainTimeout]. Returns when none is left. Cancelling the caller does not stop the
     * draining; [undrain] does. Lasts until then, or until the resolver no longer lists the backend.
     *
     * @return connections closed; 0 if the backend is not listed.
     */
    public suspend fun drain(backend: Backend): Int

    /** Puts a drained backend back into use. Nothing happens to one that is not drained. */
    public fun undrain(backend: Backend)

    /**
     * Replaces every connection: idle ones now, lent ones when they come back. For new credentials or certificates, or after
     * a fail-over behind one address.
     */
    public fun evict()

    /** [evict] for the connections of one backend. */
    public fun evict(backend: Backend)

    /** Lets claims wait, up to their deadlines, except those of the reserved lane. Nothing happens if paused already. */
    public fun pause()

    /** Ends a [pause]. */
    public fun resume()

    /**
     * Changes the limits. Lowering closes idle connections now and lent ones when they come back; nothing is taken away.
     *
     * @param spares as [PoolPolicy.spares]: 0..[maxSlots].
     * @param maxSlots as [PoolPolicy.maxSlots]: more than [PoolPolicy.reserved], up to [PoolPolicy.ceiling].
     */
    public fun limit(spares: Int, maxSlots: Int)

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
