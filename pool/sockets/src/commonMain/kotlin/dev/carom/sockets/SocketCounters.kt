package dev.carom.sockets

/** Why a message was dropped: once counted under one of these, it reaches nobody. */
public enum class DropReason {
    /** The queue is full, and its owner prefers losing messages to waiting. */
    Overflow,

    /** More hops than allowed. */
    HopLimit,

    /** No subscription matches. */
    Filtered,

    /** The pipe is gone. */
    PeerGone,

    /** Answers nothing that anybody still waits for. */
    Stale,

    /** Has no header that could be answered to, or was sent by a role that does not send. */
    Malformed,

    /** The socket is closed. */
    Closed,
}

/**
 * What has gone through a pipe, or through all pipes of a socket. Nothing gets lost between the numbers:
 *
 * * [accepted] = [sent] + [unsent] + what was dropped on the way out ([droppedOut]);
 * * [received] = [delivered] + [queued] + what was dropped on the way in ([droppedIn]);
 * * what one socket has [sent] over a pipe that ended in order, its peer has [received].
 *
 * A message to several pipes counts once for each. Read at one moment.
 *
 * @property accepted messages to be sent.
 * @property sent messages passed on in full: to the operating system, or to the peer if there is none in between.
 * @property unsent messages that wait to be sent.
 * @property received messages that came in.
 * @property delivered messages handed to a caller.
 * @property queued messages that wait for a caller.
 * @property acceptedBytes bytes of [accepted], headers included, without the length in front.
 * @property receivedBytes bytes of [received], likewise.
 * @property droppedOut messages dropped on the way out, by reason; those without are missing.
 * @property droppedIn messages dropped on the way in, by reason; those without are missing.
 */
public class SocketCounters internal constructor(
    public val accepted: Long,
    public val sent: Long,
    public val unsent: Long,
    public val received: Long,
    public val delivered: Long,
    public val queued: Long,
    public val acceptedBytes: Long,
    public val receivedBytes: Long,
    public val droppedOut: Map<DropReason, Long>,
    public val droppedIn: Map<DropReason, Long>,
) {
    override fun toString(): String = "out: $accepted accepted = $sent sent + $unsent unsent + $droppedOut dropped; " +
        "in: $received received = $delivered delivered + $queued queued + $droppedIn dropped"
}

/**
 * A live connection to another socket, whose handshake is done.
 */
public interface SocketPipe {
    /** Unique within the process for as long as the pipe lives: 1..2^31−1, from a random start. */
    public val id: Int

    /** The endpoint's address: where it was accepted, or what was connected to. */
    public val url: String

    /** The other end, for people: `127.0.0.1:4242`. */
    public val remote: String

    /** Who the other end has proved to be, such as the subject of its certificate; null if nobody asked. */
    public val identity: String?

    /** Whether the peer connected to us. */
    public val isAccepted: Boolean

    /** What has gone through it, now. */
    public val counters: SocketCounters
}
