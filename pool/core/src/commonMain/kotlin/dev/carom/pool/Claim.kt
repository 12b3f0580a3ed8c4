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
     * @param cause why, for [PoolNotice]; reported like [report] with a cause. Null: not a failure of the backend.
     */
    public fun discard(cause: Throwable?)

    /**
     * Says what the backend did for this claim, as often as there is something to say. Failures in a row, or too large a
     * share of them, take the backend out of use for a while ([OutlierPolicy]). Never blocks.
     *
     * @param latencyNanos how long the backend took, in nanoseconds; 0: not measured. Not negative. Used with
     *   [BackendChoice.LeastLatency].
     */
    public fun report(outcome: ClaimOutcome, latencyNanos: Long)

    /** [report] without a latency. */
    public fun report(outcome: ClaimOutcome): Unit = report(outcome, 0)

    /**
     * Says what went wrong; [Connector.classify] decides what that means. [Fault.Demoted] takes the backend out of its role
     * at once, before this returns. The claim goes on: [discard] it if the connection is not to be used again.
     *
     * @return what it was taken for.
     */
    public fun report(cause: Throwable): Fault

    /** Says that the holder is alive: the ages of [LeasePolicy] start anew. Never blocks. */
    public fun renew()

    /** [discard] without a cause. */
    public fun discard(): Unit = discard(null)
}
