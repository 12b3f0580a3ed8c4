package dev.carom.pool

import kotlin.time.Duration
import kotlin.time.Duration.Companion.INFINITE
import kotlin.time.Duration.Companion.seconds

/**
 * The numbers of a [PersistentConnection]. Checked when constructed: a value out of bounds is an
 * [IllegalArgumentException] with the value and the bound. From Java: `PersistentPolicyBuilder`.
 *
 * @property maxMessages most messages in the outbox, beside the one that is being written. 1 or more.
 * @property maxBytes most bytes in the outbox, as [MessageWriter.sizeOf] counts them, beside the message that is being
 *   written. 1 or more; no larger message is taken at all.
 * @property overflow what happens to a message for which there is no room.
 * @property attempts most times the writing of one message is begun. 1: at most once, a message whose write failed is
 *   not written again. More: at least once, up to so many failures; the peer may get a message twice. 1 or more.
 * @property writeTimeout longest [MessageWriter.write]. Positive and finite.
 * @property connection how the connection is opened, checked, replaced and closed. Its target must be 1; its lease
 *   timeout does not matter.
 */
public class PersistentPolicy(
    public val maxMessages: Int = 1_024,
    public val maxBytes: Long = 16L * 1_024 * 1_024,
    public val overflow: Overflow = Overflow.Suspend,
    public val attempts: Int = 8,
    public val writeTimeout: Duration = 10.seconds,
    public val connection: SetPolicy = SetPolicy(target = 1, maximum = 1, leaseTimeout = INFINITE),
) {
    init {
        within("maxMessages", maxMessages, 1..Int.MAX_VALUE)
        require(maxBytes >= 1) { "maxBytes must be at least 1, was $maxBytes" }
        within("attempts", attempts, 1..Int.MAX_VALUE)
        bounded("writeTimeout", writeTimeout)
        require(connection.target == 1) { "connection.target must be 1, was ${connection.target}" }
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "PersistentPolicy(maxMessages=$maxMessages, maxBytes=$maxBytes, overflow=$overflow, attempts=$attempts, " +
            "writeTimeout=$writeTimeout, connection=$connection)"
}

/** What happens to a message for which the outbox has no room. */
public enum class Overflow {
    /** Its sender waits. `trySend` says false. */
    Suspend,

    /** The oldest messages are dropped, except the one that is being written. */
    DropOldest,

    /** It is refused: [PersistentException.OutboxFull]. `trySend` says false. */
    Refuse,
}
