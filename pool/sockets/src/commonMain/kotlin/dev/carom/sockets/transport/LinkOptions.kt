package dev.carom.sockets.transport

import kotlin.jvm.JvmOverloads

/**
 * What a link is asked for. A transport ignores what it has no word for.
 *
 * @property sendBuffer bytes that may wait in the process before [Link.write] says that it is enough. 1..2^30.
 * @property noDelay whether small messages are sent at once (TCP_NODELAY).
 * @property keepAlive whether the system probes silent peers (SO_KEEPALIVE).
 * @property systemSendBuffer bytes of the system's send buffer (SO_SNDBUF), 0 for the system's own choice. 0..2^30.
 * @property systemReceiveBuffer bytes of the system's receive buffer (SO_RCVBUF), 0 for the system's own choice. 0..2^30.
 * @property backlog connections that may wait to be accepted. 1..65535.
 */
public class LinkOptions
@JvmOverloads
constructor(
    public val sendBuffer: Int = DEFAULT_SEND_BUFFER,
    public val noDelay: Boolean = true,
    public val keepAlive: Boolean = false,
    public val systemSendBuffer: Int = 0,
    public val systemReceiveBuffer: Int = 0,
    public val backlog: Int = DEFAULT_BACKLOG,
) {
    init {
        require(sendBuffer in 1..MOST) { "sendBuffer must be in 1..$MOST bytes, was $sendBuffer" }
        require(systemSendBuffer in 0..MOST) { "systemSendBuffer must be in 0..$MOST bytes, was $systemSendBuffer" }
        require(systemReceiveBuffer in 0..MOST) {
            "systemReceiveBuffer must be in 0..$MOST bytes, was $systemReceiveBuffer"
        }
        require(backlog in 1..MOST_WAITING) { "backlog must be in 1..$MOST_WAITING, was $backlog" }
    }

    override fun toString(): String = "LinkOptions(sendBuffer=$sendBuffer, noDelay=$noDelay, keepAlive=$keepAlive, " +
        "systemSendBuffer=$systemSendBuffer, systemReceiveBuffer=$systemReceiveBuffer, backlog=$backlog)"

    private companion object {
        const val DEFAULT_SEND_BUFFER = 1 shl 18
        const val DEFAULT_BACKLOG = 128
        const val MOST = 1 shl 30
        const val MOST_WAITING = 65_535
    }
}
