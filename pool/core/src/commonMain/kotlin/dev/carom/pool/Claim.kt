package dev.carom.pool

/**
 * A connection on loan: nobody else has it until [close] or [discard].
 *
 * Safe to close from any thread. Everything except [close], [discard], [id] and `toString` throws
 * [IllegalStateException] once the claim has ended.
 */
public interface Claim<C : Any> : AutoCloseable {
    /**
     * The connection.
     * @throws IllegalStateException after the claim ended: the connection may be somebody else's by now.
     */
    public val connection: C

    /** Where the connection leads. */
    public val backend: Backend

    /** Unique within the pool; higher 32 bits: the connection, lower 32 bits: its how-manieth loan. */
    public val id: Long

    /** How long this claim has been held, in milliseconds, to about 50 ms. */
    public val ageMillis: Long

    /**
     * Gives the connection back. Never blocks or suspends; closing again does nothing.
     * Clean-up ([Connector.onRecycle]) happens afterwards, elsewhere.
     */
    override fun close()

    /**
     * Ends the claim and the connection with it: for a caller who knows it is broken or in a state nobody should get.
     * Never blocks or suspends; does nothing after [close]. The pool opens another connection in its place.
     *
     * @param cause why, for [PoolNotice]; not counted as a failure of the backend when null.
     */
    public fun discard(cause: Throwable?)

    /** [discard] without a cause. */
    public fun discard(): Unit = discard(null)
}
