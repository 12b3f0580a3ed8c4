package dev.carom.gossip.net

import java.io.IOException

/** Why a member could not be opened on the network, or a socket was lost. */
public sealed class TransportException(message: String, cause: Throwable?) : IOException(message, cause) {
    /** The local address could not be bound. */
    public class BindFailed internal constructor(address: String, cause: Throwable) :
        TransportException("cannot bind UDP and TCP at $address: ${cause.message}", cause)

    /** A name has no address. */
    public class UnknownHost internal constructor(host: String, cause: Throwable?) :
        TransportException("$host has no address", cause)

    /** The wildcard was bound and nobody said what the others should send to. */
    public class NoAddress internal constructor(bound: String) :
        TransportException("bound to the wildcard $bound: say in advertiseHost where others reach it", null)

    /** The transport is closed, or the socket is being opened again. */
    public class NotOpen internal constructor(what: String) : TransportException("$what is not open", null)
}
