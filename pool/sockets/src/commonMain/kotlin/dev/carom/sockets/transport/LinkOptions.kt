package dev.carom.sockets.transport

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * What a link is asked for. A transport ignores what it has no word for: in-process and Unix-domain links have no silent peers
 * and no small packets. Checked when constructed: a value out of bounds is an [IllegalArgumentException] with the value and the
 * bound. From Java: `LinkOptionsBuilder`.
 *
 * **Peers that are gone without a word.** With [keepAlive] the system finds out: a peer that answers no probe is given up
 * [keepAliveIdle] + [keepAliveCount] × [keepAliveInterval] after its last byte, by default after 45 s, and its pipe closes with
 * the cause. Not while bytes of this side wait to be acknowledged: those are repeated until the system gives up by itself (on
 * Linux after some 15 min, `tcp_retries2`). A peer that is there and only does not read is never given up.
 *
 * @property sendBuffer bytes that may wait in the process before [Link.write] says that it is enough. 1..2^30.
 * @property noDelay whether small messages are sent at once (TCP_NODELAY).
 * @property keepAlive whether the system probes silent peers (SO_KEEPALIVE), as the last three say.
 * @property systemSendBuffer bytes of the system's send buffer (SO_SNDBUF), 0 for the system's own choice. 0..2^30.
 * @property systemReceiveBuffer bytes of the system's receive buffer (SO_RCVBUF), 0 for the system's own choice. 0..2^30.
 * @property backlog connections that may wait to be accepted. 1..65535.
 * @property keepAliveIdle how long a peer is silent before it is probed (TCP_KEEPIDLE). Whole seconds in 1..32767, or 0 for
 *   the system's own, 2 h on Linux.
 * @property keepAliveInterval time between two probes (TCP_KEEPINTVL). Whole seconds in 1..32767, or 0 for the system's own.
 * @property keepAliveCount probes without an answer until the connection is given up (TCP_KEEPCNT). 1..127, or 0 for the
 *   system's own. All three have effect where the JVM has them for this system: Linux, macOS, Windows since JDK 21.
 */
public class LinkOptions(
    public val sendBuffer: Int = 1 shl 18,
    public val noDelay: Boolean = true,
    public val keepAlive: Boolean = true,
    public val systemSendBuffer: Int = 0,
    public val systemReceiveBuffer: Int = 0,
    public val backlog: Int = 128,
    public val keepAliveIdle: Duration = 30.seconds,
    public val keepAliveInterval: Duration = 5.seconds,
    public val keepAliveCount: Int = 3,
) {
    init {
        require(sendBuffer in 1..MOST) { "sendBuffer must be in 1..$MOST bytes, was $sendBuffer" }
        require(systemSendBuffer in 0..MOST) { "systemSendBuffer must be in 0..$MOST bytes, was $systemSendBuffer" }
        require(systemReceiveBuffer in 0..MOST) {
            "systemReceiveBuffer must be in 0..$MOST bytes, was $systemReceiveBuffer"
        }
        require(backlog in 1..MOST_WAITING) { "backlog must be in 1..$MOST_WAITING, was $backlog" }
        probing("keepAliveIdle", keepAliveIdle)
        probing("keepAliveInterval", keepAliveInterval)
        require(keepAliveCount in 0..MOST_PROBES) { "keepAliveCount must be in 0..$MOST_PROBES, was $keepAliveCount" }
    }

    /** All values, for a log line at start. */
    override fun toString(): String = "LinkOptions(sendBuffer=$sendBuffer, noDelay=$noDelay, keepAlive=$keepAlive, " +
        "systemSendBuffer=$systemSendBuffer, systemReceiveBuffer=$systemReceiveBuffer, backlog=$backlog, " +
        "keepAliveIdle=$keepAliveIdle, keepAliveInterval=$keepAliveInterval, keepAliveCount=$keepAliveCount)"

    private companion object {
        const val MOST = 1 shl 30
        const val MOST_WAITING = 65_535
        const val MOST_PROBES = 127
        const val MOST_SECONDS = 32_767L

        fun probing(name: String, value: Duration) {
            val seconds = value.inWholeSeconds
            require(value == seconds.seconds && seconds in 0..MOST_SECONDS) {
                "$name must be whole seconds in 0..$MOST_SECONDS, was $value"
            }
        }
    }
}
