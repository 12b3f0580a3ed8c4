package dev.carom.pool

/** A connection came into a [ConnectionSet] or left it. */
public sealed interface SetChange<C : Any> {
    /** Which. */
    public val connection: SetConnection<C>

    /** It is open, and can be leased. */
    public class Added<C : Any> internal constructor(override val connection: SetConnection<C>) : SetChange<C> {
        override fun toString(): String = "added: $connection"
    }

    /**
     * It left the set. Holders of leases finish what they are doing and end them; it closes then, or has closed already
     * if it broke.
     *
     * @property reason why.
     * @property cause the failure behind it, if there was one.
     */
    public class Removed<C : Any> internal constructor(
        override val connection: SetConnection<C>,
        public val reason: Removal,
        public val cause: Throwable?,
    ) : SetChange<C> {
        override fun toString(): String = "removed: $connection: ${reason.words}"
    }
}

/** Why a connection left its set. */
public enum class Removal(internal val words: String) {
    /** Its backend is no longer listed. */
    Unlisted("its backend is no longer listed"),

    /** Another backend is preferred, and is up. */
    Replaced("another backend is preferred and up"),

    /** The peer closed it, without an error. It is drained, for what came before may not have been read. */
    PeerClosed("the peer closed it"),

    /** It broke: the peer reset it, or a user said so ([SetConnection.fail]). */
    Failed("it failed"),

    /** A check failed. */
    CheckFailed("a check failed"),

    /** The set closes. */
    SetClosed("the set closes"),
}
