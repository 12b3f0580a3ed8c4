package dev.carom.pool.net

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The numbers of a TCP connection. Checked when constructed: a value out of bounds is an [IllegalArgumentException] with the
 * value and the bound. From Java: `TcpPolicyBuilder`.
 *
 * A Unix-domain socket uses only the timeouts and [quietWhenIdle].
 *
 * @property connectTimeout longest name lookup, and longest attempt to connect to *one* address. At least 1 ms, finite. The
 *   pool's own `connectTimeout` bounds the whole: keep this below it, or a name's second address is never tried.
 * @property noDelay `TCP_NODELAY`: small writes go out at once instead of waiting for the last one's acknowledgement.
 * @property keepAlive `SO_KEEPALIVE`: the system probes an idle peer, as the next three say, and resets the connection if
 *   there is no answer. By default a peer that vanished without a word is noticed after 45 s, also under a holder who only
 *   reads; not while bytes of this side wait to be acknowledged, which the system gives up on by itself (about 15 min).
 * @property keepAliveIdle `TCP_KEEPIDLE`: how long a peer is silent before it is probed. Whole seconds in 1..32767, or 0 for
 *   the system's own (2 h).
 * @property keepAliveInterval `TCP_KEEPINTVL`: time between two probes. Whole seconds in 1..32767, or 0 for the system's own.
 * @property keepAliveCount `TCP_KEEPCNT`: probes without an answer until the connection is reset. 1..127, or 0 for the
 *   system's own. All three have effect where the JVM has them for this system: Linux, macOS, later Windows.
 * @property receiveBuffer `SO_RCVBUF` in bytes, 1024..67108864, or 0 for the system's own choice.
 * @property sendBuffer `SO_SNDBUF` in bytes, 1024..67108864, or 0 for the system's own choice.
 * @property closeTimeout longest wait for bytes not yet sent when a connection is closed; after it the connection is reset
 *   and they are lost. At least 1 ms, finite. Keep it below the pool's own `closeTimeout`.
 * @property quietWhenIdle `true` says that in this protocol the peer speaks only when asked: a connection that holds bytes
 *   nobody has read is out of step, and [TcpConnector.isValid] is false for it. Leave it `false` for a protocol with
 *   greetings or pushes.
 */
public class TcpPolicy(
    public val connectTimeout: Duration = 2.seconds,
    public val noDelay: Boolean = true,
    public val keepAlive: Boolean = true,
    public val receiveBuffer: Int = 0,
    public val sendBuffer: Int = 0,
    public val closeTimeout: Duration = 1.seconds,
    public val quietWhenIdle: Boolean = false,
    public val keepAliveIdle: Duration = 30.seconds,
    public val keepAliveInterval: Duration = 5.seconds,
    public val keepAliveCount: Int = 3,
) {
    init {
        bounded("connectTimeout", connectTimeout)
        bounded("closeTimeout", closeTimeout)
        buffer("receiveBuffer", receiveBuffer)
        buffer("sendBuffer", sendBuffer)
        probing("keepAliveIdle", keepAliveIdle)
        probing("keepAliveInterval", keepAliveInterval)
        require(keepAliveCount in 0..MAX_PROBES) { "keepAliveCount must be in 0..$MAX_PROBES, was $keepAliveCount" }
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "TcpPolicy(connectTimeout=$connectTimeout, noDelay=$noDelay, keepAlive=$keepAlive, " +
            "receiveBuffer=$receiveBuffer, sendBuffer=$sendBuffer, closeTimeout=$closeTimeout, " +
            "quietWhenIdle=$quietWhenIdle, keepAliveIdle=$keepAliveIdle, keepAliveInterval=$keepAliveInterval, " +
            "keepAliveCount=$keepAliveCount)"
}

private const val MIN_BUFFER = 1_024
private const val MAX_BUFFER = 67_108_864

private const val MAX_PROBES = 127
private const val MAX_PROBE_SECONDS = 32_767L

private fun probing(name: String, value: Duration) {
    val seconds = value.inWholeSeconds
    require(value == seconds.seconds && seconds in 0..MAX_PROBE_SECONDS) {
        "$name must be whole seconds in 0..$MAX_PROBE_SECONDS, was $value"
    }
}

private fun bounded(name: String, value: Duration) {
    require(value >= 1.milliseconds) { "$name must be at least 1ms, was $value" }
    require(value.isFinite()) { "$name must be finite, was $value" }
}

private fun buffer(name: String, value: Int) {
    require(value == 0 || value in MIN_BUFFER..MAX_BUFFER) {
        "$name must be 0 or in $MIN_BUFFER..$MAX_BUFFER bytes, was $value"
    }
}
