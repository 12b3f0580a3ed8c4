package dev.carom.sockets

/** Why a call of a socket failed. Never a `CancellationException`: a time limit does not look like cancellation. */
public sealed class SocketException(message: String, cause: Throwable? = null) : RuntimeException(message, cause) {
    /**
     * The URL cannot be bound or connected to.
     *
     * @property url as it was given.
     * @property reason what is wrong with it.
     */
    public class InvalidAddress(public val url: String, public val reason: String) :
        SocketException("\"$url\" is no address: $reason")

    /**
     * There is no transport for the URL's scheme.
     *
     * @property url as it was given.
     */
    public class UnknownScheme internal constructor(public val url: String, schemes: Set<String>) :
        SocketException("\"$url\": no transport has this scheme, there are ${schemes.sorted().joinToString()}")

    /**
     * Somebody else listens there.
     *
     * @property url where.
     */
    public class AddressInUse(public val url: String, cause: Throwable? = null) :
        SocketException("$url is in use: somebody else listens there", cause)

    /**
     * Listening failed.
     *
     * @property url where.
     */
    public class BindFailed internal constructor(public val url: String, cause: Throwable?) :
        SocketException("cannot listen at $url: ${cause?.message ?: "the listener was closed"}", cause)

    /**
     * The socket is closed.
     *
     * @property socket its name.
     */
    public class Closed internal constructor(public val socket: String) :
        SocketException("socket \"$socket\" is closed")

    /**
     * The time limit of the policy passed.
     *
     * @property socket the socket's name.
     * @property millis the limit in milliseconds.
     */
    public class TimedOut internal constructor(public val socket: String, public val millis: Long, what: String) :
        SocketException("socket \"$socket\": $what within $millis ms")

    /**
     * The request was answered, closed or forgotten before.
     *
     * @property socket the socket's name.
     */
    public class NoSuchRequest internal constructor(public val socket: String) :
        SocketException("socket \"$socket\": the request is not open any more, it was answered, closed or forgotten")

    /**
     * There is no such subscription to undo.
     *
     * @property socket the socket's name.
     */
    public class NotSubscribed internal constructor(public val socket: String) :
        SocketException("socket \"$socket\" has not subscribed to this topic")

    /**
     * The pipe that carried the request is gone, and the policy says not to send it twice. Nobody knows whether it was
     * carried out.
     *
     * @property socket the socket's name.
     * @property pipe the pipe's id.
     */
    public class PeerLost internal constructor(public val socket: String, public val pipe: Int) :
        SocketException("socket \"$socket\": pipe $pipe is lost, and the request that it carried is not repeated")

    /**
     * The reply is larger than what is received. The request was carried out, and is not repeated.
     *
     * @property socket the socket's name.
     * @property bytes the announced size, [Long.MAX_VALUE] if it is more than that.
     * @property limit [SocketPolicy.receiveLimit].
     */
    public class ReplyTooLarge internal constructor(
        public val socket: String,
        public val bytes: Long,
        public val limit: Int,
    ) : SocketException("socket \"$socket\": the reply has $bytes bytes, at most $limit are received")
}
