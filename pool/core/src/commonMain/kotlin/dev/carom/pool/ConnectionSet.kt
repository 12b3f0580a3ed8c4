package dev.carom.pool

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

/**
 * At most one live connection to each backend of a service, shared by all users: for protocols that carry many
 * conversations on one connection.
 *
 * Connections are opened at once, opened again by themselves, and moved when discovery changes. Opened by
 * [openConnectionSet]; lives in the scope it was opened in: when that scope is cancelled, every connection is closed.
 * All functions may be called from any thread.
 *
 * **Which backends.** Those of the best [Backend.priority] that is up; of these as many as [SetPolicy.target] says, in
 * an order of the set's own: random, by [Backend.weight]. Backends that are down are tried again after
 * [SetPolicy.backoff]; meanwhile others take their place.
 *
 * **Make before break.** A connection is given up for another only when the other is open. The connection to a backend
 * that is no longer listed stays until its replacement is open, or [SetPolicy.replaceWithin] has passed. The last
 * connection that works is never given up, even if nothing is listed any more ([SetNotice.Kept]).
 *
 * **Sharing.** [Connector.onAcquire] and [Connector.onRecycle] are not called.
 *
 * @param C the connection.
 */
public interface ConnectionSet<C : Any> {
    /** The name given at opening; appears in messages and notices. */
    public val name: String

    /** The policy given at opening. */
    public val policy: SetPolicy

    /** The connections in the set, the oldest first. Empty for good once the set closes. */
    public val connections: StateFlow<List<SetConnection<C>>>

    /**
     * What comes and goes: each collection begins with [SetChange.Added] for the connections there are, then follows
     * [connections]. However slow the collector: for every Added it sees exactly one [SetChange.Removed], in order; a
     * connection that came and went while it was busy is not told at all. Never more is kept than the connections there
     * are. Completes when the set has closed, after the last Removed.
     */
    public val changes: Flow<SetChange<C>>

    /** Each backend's state, now. Updated after each event, conflated like every StateFlow. */
    public val snapshot: StateFlow<SetSnapshot>

    /**
     * What happens, each with its reason, in order. Hot: only what happens during collection is seen. A collector that
     * falls [SetPolicy.noticeBuffer] behind loses the oldest and is told how many ([SetNotice.Missed]); it never slows
     * the set. Completes when the set has closed.
     */
    public val notices: Flow<SetNotice>

    /**
     * Leases a connection: of the best priority, the one with the fewest leases for its weight. If there is none, waits
     * up to [SetPolicy.leaseTimeout]. Cancelling takes nothing.
     *
     * @throws PoolException if there was none in time; the subclass says why.
     */
    public suspend fun lease(): SetLease<C>

    /**
     * [lease], but null if there is no connection now. Never suspends.
     *
     * @throws PoolException.Closed if the set is closed.
     */
    public fun tryLease(): SetLease<C>?

    /**
     * Waits until [connections] connections are in the set. Bounded by [SetPolicy.leaseTimeout].
     *
     * @param connections 1..[SetPolicy.target].
     * @throws PoolException if that many were not there in time; the message has each backend's last error.
     */
    public suspend fun awaitReady(connections: Int)

    /** [awaitReady] for one connection. */
    public suspend fun awaitReady(): Unit = awaitReady(1)

    /**
     * Closes the set: [connections] becomes empty, no more leases are given, and each connection is closed when its
     * last lease ends or [graceMillis] have passed.
     *
     * Returns within the grace plus [SetPolicy.closeTimeout], whatever connectors and users do. Calling again joins the
     * same closing, can only shorten it, and returns the same report. Cancelling the caller does not stop the closing.
     *
     * @param graceMillis milliseconds, not negative.
     */
    public suspend fun close(graceMillis: Long): CloseReport

    /** [close] with a grace of [SetPolicy.drainTimeout], at most 10 s. */
    public suspend fun close(): CloseReport
}

/**
 * Leases a connection, runs [block] with it and ends the lease, whatever happens. A connection whose block threw stays
 * in the set: [SetConnection.fail] it if the failure says it is broken.
 *
 * @throws PoolException if there was no connection in time.
 */
public suspend inline fun <C : Any, R> ConnectionSet<C>.use(block: (C) -> R): R {
    val lease = lease()
    try {
        return block(lease.connection)
    } finally {
        lease.close()
    }
}
