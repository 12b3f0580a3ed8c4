package dev.carom.pool

/**
 * Why a message was not written. Never a `CancellationException`.
 *
 * @property connection the persistent connection's name.
 */
public sealed class PersistentException(public val connection: String, message: String, cause: Throwable?) :
    RuntimeException(message, cause) {

    /** There is no room for the message, and the policy is [Overflow.Refuse]. */
    public class OutboxFull internal constructor(connection: String, message: String) :
        PersistentException(connection, message, null)

    /** The message is larger than the whole outbox. */
    public class TooLarge internal constructor(connection: String, message: String) :
        PersistentException(connection, message, null)

    /** The message was in the outbox and was dropped to make room for newer ones ([Overflow.DropOldest]). */
    public class Dropped internal constructor(connection: String, message: String) :
        PersistentException(connection, message, null)

    /** Writing failed [attempts] times. Part of the message, or all of it, may have reached a peer. */
    public class NotWritten internal constructor(
        connection: String,
        message: String,
        public val attempts: Int,
        cause: Throwable,
    ) : PersistentException(connection, message, cause)

    /** The connection is closed or closing, or its scope was cancelled; a message that was waiting was not written. */
    public class Closed internal constructor(connection: String, message: String) :
        PersistentException(connection, message, null)
}
