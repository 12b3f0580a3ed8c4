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
    public class UnknownScheme(public val url: String, schemes: Set<String>) :
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
    public class BindFailed(public val url: String, cause: Throwable?) :
        SocketException("cannot listen at $url: ${cause?.message ?: "the listener was closed"}", cause)
}
