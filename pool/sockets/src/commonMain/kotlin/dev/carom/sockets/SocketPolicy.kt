package dev.carom.sockets

import dev.carom.pool.BackoffPolicy
import dev.carom.sockets.transport.LinkOptions
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The numbers of a socket. Checked when constructed: a value out of bounds is an [IllegalArgumentException] with the
 * value and the bound. What a role has no use for it ignores. From Java: `SocketPolicyBuilder`.
 *
 * @property receiveLimit largest message that is received, in bytes, header included. 0..2^31−9. A peer that announces a
 *   larger one is disconnected before anything is allocated for it ([SocketNotice.PipeClosed] says so), and learns
 *   nothing of it: SP has no word for that.
 * @property sendQueue messages that wait for each slow peer where sending never waits (PUB, BUS, SURVEYOR). 0..65536.
 * @property receiveQueue messages of each peer that may wait here to be received; then the peer has to wait. What one
 *   read brought, 256 KiB at most, is always kept. 1..65536. Few, and a peer's messages go to another receiver sooner;
 *   many, and receiving and reading go on side by side.
 * @property receiveQueueBytes bytes of each peer, in messages that may wait here to be received, however many they are;
 *   then the peer has to wait. The message that reaches the bound is kept, and so is what one read brought. 1..2^30.
 * @property subscriberQueue messages that may wait to be received (SUB). 1..1048576.
 * @property surveyAnswers answers of one survey that may wait for its collector (SURVEYOR). 1..1048576.
 * @property overflow which message is lost when a queue is full where nobody waits (PUB, BUS, SUB).
 * @property openRequests requests that may be neither answered nor closed (REP, RESPONDENT); beyond, the oldest is
 *   forgotten. 1..1048576.
 * @property maxHops most hops of a message: a direct one has made one. Beyond, it is dropped. 1..255.
 * @property resend after how long without a reply a request is sent again (REQ). At least 1 ms; [Duration.INFINITE]: no
 *   request is sent twice, not even when its pipe is lost.
 * @property surveyDeadline how long a survey's answers are waited for. At least 1 ms, finite.
 * @property sendTimeout longest wait of one call that sends. Positive; [Duration.INFINITE] waits for ever.
 * @property receiveTimeout longest wait of one call that receives. Positive; [Duration.INFINITE] waits for ever.
 * @property requestTimeout longest request, over all repetitions (REQ). Positive; [Duration.INFINITE] waits for ever.
 *   Keep it above [resend], or nothing is repeated.
 * @property connectTimeout longest attempt to connect, handshake included. At least 1 ms, finite.
 * @property handshakeTimeout longest handshake of a peer that connected here. At least 1 ms, finite.
 * @property handshakes most peers that have connected here, to all endpoints of the socket, and not yet completed the
 *   handshake; further ones are turned away. 1..65536.
 * @property acceptedPipes most pipes that were accepted; further peers are turned away. 1..1048576.
 * @property backoff how long to wait before connecting again.
 * @property linger how long [MessageSocket.close] tries to send what was accepted. Not negative, finite.
 * @property drainTimeout how long the pipe to a peer that is no longer listed stays open for what is under way. Not
 *   negative, finite.
 * @property link the numbers of each connection.
 * @property noticeBuffer notices kept for a slow collector of [MessageSocket.notices]. 1..65536.
 */
public class SocketPolicy(
    public val receiveLimit: Int = 1 shl 20,
    public val sendQueue: Int = 16,
    public val receiveQueue: Int = 1024,
    public val receiveQueueBytes: Int = 1 shl 18,
    public val subscriberQueue: Int = 128,
    public val surveyAnswers: Int = 128,
    public val overflow: Overflow = Overflow.DropOldest,
    public val openRequests: Int = 65_536,
    public val maxHops: Int = 8,
    public val resend: Duration = 60.seconds,
    public val surveyDeadline: Duration = 1.seconds,
    public val sendTimeout: Duration = Duration.INFINITE,
    public val receiveTimeout: Duration = Duration.INFINITE,
    public val requestTimeout: Duration = Duration.INFINITE,
    public val connectTimeout: Duration = 5.seconds,
    public val handshakeTimeout: Duration = 5.seconds,
    public val handshakes: Int = 256,
    public val acceptedPipes: Int = 65_536,
    public val backoff: BackoffPolicy = BackoffPolicy(start = 100.milliseconds, max = 5.seconds, jitter = 1.0),
    public val linger: Duration = 1.seconds,
    public val drainTimeout: Duration = 5.seconds,
    public val link: LinkOptions = LinkOptions(),
    public val noticeBuffer: Int = 256,
) {
    init {
        within("receiveLimit", receiveLimit, 0..MOST_BYTES)
        within("sendQueue", sendQueue, 0..MOST)
        within("receiveQueue", receiveQueue, 1..MOST)
        within("receiveQueueBytes", receiveQueueBytes, 1..MOST_QUEUED)
        within("subscriberQueue", subscriberQueue, 1..MANY)
        within("surveyAnswers", surveyAnswers, 1..MANY)
        within("openRequests", openRequests, 1..MANY)
        within("maxHops", maxHops, 1..MOST_HOPS)
        atLeast("resend", resend, 1.milliseconds)
        bounded("surveyDeadline", surveyDeadline, 1.milliseconds)
        positive("sendTimeout", sendTimeout)
        positive("receiveTimeout", receiveTimeout)
        positive("requestTimeout", requestTimeout)
        bounded("connectTimeout", connectTimeout, 1.milliseconds)
        bounded("handshakeTimeout", handshakeTimeout, 1.milliseconds)
        within("handshakes", handshakes, 1..MOST)
        within("acceptedPipes", acceptedPipes, 1..MANY)
        bounded("linger", linger, Duration.ZERO)
        bounded("drainTimeout", drainTimeout, Duration.ZERO)
        within("noticeBuffer", noticeBuffer, 1..MOST)
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "SocketPolicy(receiveLimit=$receiveLimit, sendQueue=$sendQueue, receiveQueue=$receiveQueue, " +
            "receiveQueueBytes=$receiveQueueBytes, subscriberQueue=$subscriberQueue, " +
            "surveyAnswers=$surveyAnswers, overflow=$overflow, " +
            "openRequests=$openRequests, maxHops=$maxHops, resend=$resend, surveyDeadline=$surveyDeadline, " +
            "sendTimeout=$sendTimeout, receiveTimeout=$receiveTimeout, requestTimeout=$requestTimeout, " +
            "connectTimeout=$connectTimeout, handshakeTimeout=$handshakeTimeout, handshakes=$handshakes, " +
            "acceptedPipes=$acceptedPipes, backoff=$backoff, linger=$linger, drainTimeout=$drainTimeout, link=$link, " +
            "noticeBuffer=$noticeBuffer)"

    private companion object {
        const val MOST_BYTES = Int.MAX_VALUE - 8
        const val MOST = 65_536
        const val MOST_QUEUED = 1 shl 30
        const val MANY = 1 shl 20
        const val MOST_HOPS = 255

        fun within(name: String, value: Int, bounds: IntRange) =
            require(value in bounds) { "$name must be in $bounds, was $value" }

        fun atLeast(name: String, value: Duration, least: Duration) =
            require(value >= least) { "$name must be at least $least, was $value" }

        fun positive(name: String, value: Duration) =
            require(value.isPositive()) { "$name must be positive, was $value" }

        fun bounded(name: String, value: Duration, least: Duration) {
            atLeast(name, value, least)
            require(value.isFinite()) { "$name must be finite, was $value" }
        }
    }
}

/** Which message a full queue loses. */
public enum class Overflow {
    /** The one that has waited longest: what is new matters more. */
    DropOldest,

    /** The one that has just come. */
    DropLatest,
}
