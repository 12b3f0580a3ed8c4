package dev.carom.sockets.internal.wire

import dev.carom.sockets.Protocol

/** Why a pipe must be closed: its peer does not speak the protocol, or says more than we listen to. */
internal sealed interface Violation {
    /** The first four bytes of the handshake are not `00 53 50 00`; this one was wrong first. */
    data class NotSp(val index: Int, val octet: Int) : Violation

    /** Bytes 6 and 7 of the handshake must be zero. */
    data class Reserved(val value: Int) : Violation

    data class WrongPeer(val own: Protocol, val code: Int) : Violation

    /** In front of an IPC message stands its type, and only 1 is known. */
    data class UnknownType(val octet: Int) : Violation

    /**
     * A frame of [announced] bytes (without sign) over the [limit]. [head] is its first word, if that had already come:
     * the id of the request whose reply is too large.
     */
    data class TooLarge(val announced: ULong, val limit: Int, val head: Int?) : Violation

    /** A frame of [size] bytes, too short for the header of this protocol. */
    data class ShortHeader(val size: Int) : Violation

    data class BadHeader(val word: Int) : Violation

    /** The peer's role does not send. */
    data class UnexpectedFrame(val size: Int) : Violation
}
