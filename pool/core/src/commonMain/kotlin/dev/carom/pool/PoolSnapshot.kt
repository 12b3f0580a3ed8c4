package dev.carom.pool

/**
 * The pool at one moment.
 *
 * @property name the pool's.
 * @property phase open, closing or closed.
 * @property backends in order of priority, then name; removed ones stay as long as they have connections.
 * @property waiting callers in the queue.
 * @property claims connections lent since the pool was opened.
 * @property refused claims that ended in a [PoolException].
 * @property wanted connections the pool is aiming at.
 * @property maxSlots the limit all connections together never exceed, as it is now.
 * @property opened connections opened since the pool was opened.
 * @property closed connections given up since: closed, or being closed. Always [opened] − [connected].
 * @property paused whether claims of the normal lane wait.
 */
public class PoolSnapshot(
    public val name: String,
    public val phase: Phase,
    public val backends: List<BackendSnapshot>,
    public val waiting: Int,
    public val claims: Long,
    public val refused: Long,
    public val wanted: Int,
    public val maxSlots: Int,
    public val opened: Long,
    public val closed: Long,
    public val paused: Boolean,
) {
    /** Open connections: ready, on loan, being checked or cleaned, or draining. */
    public val connected: Int get() = backends.sumOf { it.connected }

    /** Connections that a claim would get at once. */
    public val ready: Int get() = backends.sumOf { if (it.active) it.ready else 0 }

    /** Connections on loan, also of removed backends. */
    public val claimed: Int get() = backends.sumOf { it.claimed + it.draining }

    /** Every slot, connected or not. Never more than [maxSlots]. */
    public val slots: Int get() = backends.sumOf { it.slots }

    /** Where the pool is in its life. */
    public enum class Phase { Open, Closing, Closed }

    override fun toString(): String =
        "$name: $phase, $connected connected ($ready ready, $claimed claimed), $waiting waiting, " +
            "${backends.count { it.online }} of ${backends.size} backends up"
}

/**
 * One backend at one moment.
 *
 * @property backend which.
 * @property online whether at least one connection to it is open.
 * @property active whether claims go to it: it is listed, and of the best priority that is up.
 * @property removed whether the resolver no longer lists it; it goes when its last connection does.
 * @property connecting connections being opened.
 * @property ready idle connections.
 * @property checking idle connections in a health check.
 * @property claimed connections on loan.
 * @property recycling returned connections being cleaned.
 * @property backingOff slots that wait to connect again.
 * @property draining connections on loan that will be closed when they come back.
 * @property closing connections being closed; they still count against the limit.
 * @property claims loans since the backend was added.
 * @property failures failed connects, checks, preparations and clean-ups since it was added.
 * @property lastError the message of the latest failure.
 * @property circuit whether it is connected to freely, tried with one connect at a time, or left alone for now.
 * @property ejected whether it gets no claims because it failed callers.
 * @property drained whether it gets no claims because of [Pool.drain].
 * @property role what it is for.
 * @property latencyNanos its latency, as callers report it, smoothed; 0: unknown.
 */
public class BackendSnapshot(
    public val backend: Backend,
    public val online: Boolean,
    public val active: Boolean,
    public val removed: Boolean,
    public val connecting: Int,
    public val ready: Int,
    public val checking: Int,
    public val claimed: Int,
    public val recycling: Int,
    public val backingOff: Int,
    public val draining: Int,
    public val closing: Int,
    public val claims: Long,
    public val failures: Long,
    public val lastError: String?,
    public val circuit: Circuit,
    public val ejected: Boolean,
    public val drained: Boolean,
    public val role: Role,
    public val latencyNanos: Long,
) {
    /** Open connections. */
    public val connected: Int get() = ready + checking + claimed + recycling + draining

    /** Every slot, connected or not. */
    public val slots: Int get() = connected + connecting + backingOff + closing

    override fun toString(): String =
        "$backend: ${if (online) "up" else "down"}, $ready ready, $claimed claimed, $connecting connecting"
}

/** How freely a backend is connected to. */
public enum class Circuit {
    /** Freely. */
    Closed,

    /** With one connect at a time, doubling with each success: it failed a moment ago. */
    HalfOpen,

    /** Not now: it failed, and its backoff is not over. */
    Open,
}
