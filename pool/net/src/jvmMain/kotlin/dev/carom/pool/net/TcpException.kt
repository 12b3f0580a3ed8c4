package dev.carom.pool.net

import dev.carom.pool.Backend
import java.io.IOException

/**
 * A connection could not be opened, or was lost. The subclass is the reason; the message names the backend and the address.
 *
 * When a name has several addresses, the exception is that of the last one tried and the others are its suppressed ones.
 *
 * @property backend the backend that was dialled.
 */
public sealed class TcpException(public val backend: Backend, message: String, cause: Throwable?) :
    IOException(message, cause) {
    /** The backend's host is a name that has no address, an address that cannot be read, or its lookup took too long. */
    public class UnknownHost internal constructor(backend: Backend, reason: String, cause: Throwable?) :
        TcpException(backend, "cannot resolve ${backend.host} of $backend: $reason", cause)

    /** The peer's host answered that nobody listens there. */
    public class Refused internal constructor(backend: Backend, address: String, cause: Throwable?) :
        TcpException(backend, "$backend refused the connection at $address", cause)

    /** Nobody answered within [TcpPolicy.connectTimeout]. */
    public class TimedOut internal constructor(backend: Backend, address: String, policy: TcpPolicy) :
        TcpException(backend, "$backend did not accept at $address within ${policy.connectTimeout}", null)

    /** There is no way to the peer's network or host. */
    public class Unreachable internal constructor(backend: Backend, address: String, cause: Throwable?) :
        TcpException(backend, "$backend cannot be reached at $address: ${cause?.message}", cause)

    /** The peer, or something on the way, broke an open connection off. Bytes may be lost in both directions. */
    public class Reset internal constructor(backend: Backend, address: String, cause: Throwable?) :
        TcpException(backend, "connection to $backend at $address was reset: ${cause?.message}", cause)

    /** Any other failure to connect; the cause says which. */
    public class Failed internal constructor(backend: Backend, address: String, cause: Throwable?) :
        TcpException(backend, "cannot connect to $backend at $address: ${cause?.message}", cause)
}
