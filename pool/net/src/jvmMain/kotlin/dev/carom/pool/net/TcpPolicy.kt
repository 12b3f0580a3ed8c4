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
 * @property keepAlive `SO_KEEPALIVE`: the system probes an idle peer, at intervals of its own (hours, by default), and
 *   resets the connection if there is no answer.
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
) {
    init {
        bounded("connectTimeout", connectTimeout)
        bounded("closeTimeout", closeTimeout)
        buffer("receiveBuffer", receiveBuffer)
        buffer("sendBuffer", sendBuffer)
    }

    /** All values, for a log line at start. */
    override fun toString(): String =
        "TcpPolicy(connectTimeout=$connectTimeout, noDelay=$noDelay, keepAlive=$keepAlive, " +
            "receiveBuffer=$receiveBuffer, sendBuffer=$sendBuffer, closeTimeout=$closeTimeout, " +
            "quietWhenIdle=$quietWhenIdle)"
}

private const val MIN_BUFFER = 1_024
private const val MAX_BUFFER = 67_108_864

private fun bounded(name: String, value: Duration) {
    require(value >= 1.milliseconds) { "$name must be at least 1ms, was $value" }
    require(value.isFinite()) { "$name must be finite, was $value" }
}

private fun buffer(name: String, value: Int) {
    require(value == 0 || value in MIN_BUFFER..MAX_BUFFER) {
        "$name must be 0 or in $MIN_BUFFER..$MAX_BUFFER bytes, was $value"
    }
}
