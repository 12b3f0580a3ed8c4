package dev.carom.pool

/**
 * An open connection of a [ConnectionSet], shared by everybody who wants it.
 *
 * Whoever uses it holds a lease ([lease]) meanwhile: without one it may be closed at any moment, for it is closed as
 * soon as it has left the set and nobody holds one.
 *
 * @param C the connection.
 */
public interface SetConnection<C : Any> {
    /** The connection itself. */
    public val connection: C

    /** Where it leads. */
    public val backend: Backend

    /** Unique within the set; a connection opened later has a higher one. */
    public val id: Long

    /** Leases held now. */
    public val leases: Int

    /** Whether it has left the set: no new leases, and it closes when the last one ends. Never false again. */
    public val isRemoved: Boolean

    /**
     * Holds the connection open: also after it left the set, up to [SetPolicy.drainTimeout]. Null if it has left the
     * set, or is in a health check. Never suspends.
     */
    public fun lease(): SetLease<C>?

    /**
     * Says that it is broken: it leaves the set and is closed at once, whoever uses it, and its backend is connected to
     * again after a backoff. Never suspends; does nothing if it has been closed.
     *
     * @param cause why, for notices.
     */
    public fun fail(cause: Throwable?)

    /** Waits until it leaves the set: time for users to finish and to end their leases. */
    public suspend fun awaitRemoved()
}

/**
 * The right to use a connection that others use too. Ended by [close], from any thread; until then the connection is
 * not closed, unless it broke, or has left the set for longer than [SetPolicy.drainTimeout].
 */
public interface SetLease<C : Any> : AutoCloseable {
    /**
     * The connection.
     * @throws IllegalStateException after the lease ended.
     */
    public val connection: C

    /** The connection as everybody sees it: where it leads, whether it is to be drained. */
    public val source: SetConnection<C>

    /** Ends the lease. Never blocks or suspends; ending it again does nothing. */
    override fun close()
}
