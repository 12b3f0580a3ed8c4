package dev.carom.pool

/**
 * A [ConnectionSet] at one moment.
 *
 * @property name the set's.
 * @property phase open, closing or closed.
 * @property backends in order of preference; removed ones stay as long as they have connections.
 * @property wanted backends the set wants to be connected to, not counting those that are down.
 */
public class SetSnapshot(
    public val name: String,
    public val phase: PoolSnapshot.Phase,
    public val backends: List<SetBackendSnapshot>,
    public val wanted: Int,
) {
    /** Connections in the set. */
    public val live: Int get() = backends.count { it.status == SetBackendSnapshot.Status.Live }

    /** Connections being opened. */
    public val connecting: Int get() = backends.count { it.status == SetBackendSnapshot.Status.Connecting }

    /** Connections that have left the set and are not closed yet. */
    public val draining: Int get() = backends.sumOf { it.draining }

    override fun toString(): String =
        "$name: $phase, $live live of $wanted wanted, $connecting connecting, $draining draining, " +
            "${backends.size} backends"
}

/**
 * One backend at one moment.
 *
 * @property backend which.
 * @property status what its connection is doing.
 * @property listed whether the resolver lists it.
 * @property wanted whether the set wants to be connected to it now. A connection that is not wanted stays until one
 *   that is wanted is up.
 * @property down whether the latest attempt to connect, or the latest connection, failed.
 * @property sinceMillis when its connection was opened, in milliseconds since the set was; null if it has none.
 * @property draining connections to it that have left the set and are not closed yet.
 * @property attempts failed connects in a row.
 * @property failures failed connects, checks and connections since it was added.
 * @property lastError the latest failure; kept after a success.
 */
public class SetBackendSnapshot(
    public val backend: Backend,
    public val status: Status,
    public val listed: Boolean,
    public val wanted: Boolean,
    public val down: Boolean,
    public val sinceMillis: Long?,
    public val draining: Int,
    public val attempts: Int,
    public val failures: Long,
    public val lastError: Throwable?,
) {
    /** What the connection to a backend is doing. */
    public enum class Status {
        /** There is none: not wanted, or waiting to be tried again. */
        Idle,

        /** Being opened. */
        Connecting,

        /** In the set. */
        Live,
    }

    override fun toString(): String =
        "$backend: $status${if (wanted) ", wanted" else ""}${if (listed) "" else ", not listed"}" +
            "${if (down) ", down" else ""}, $draining draining"
}
