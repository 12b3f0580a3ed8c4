package dev.carom.sockets.internal.shell

import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration

/**
 * Waits until [pipe] is attached, or has failed: [untilOpen] for its link to open, security included, and then
 * [dev.carom.sockets.SocketPolicy.handshakeTimeout] for the handshake of its peer.
 *
 * Both sides say their handshake at once (sp-tcp-mapping, section 2), and whoever has heard the other's may send. So a side
 * says it only while it still wants the pipe, and having said it does not leave because opening took long: what its peer has
 * sent by then is not thrown away. It gives up only when it has heard nothing for all of the second time.
 */
internal suspend fun SocketShell.awaitHandshake(pipe: Pipe, untilOpen: Duration) {
    val open = withTimeoutOrNull(untilOpen) { pipe.said.join() }
    if (open == null && desk.giveUp(pipe, "it was not open within $untilOpen") { it.committed }) return
    val limit = policy.handshakeTimeout
    withTimeoutOrNull(limit) { pipe.opened.join() }
        ?: desk.giveUp(pipe, "its handshake was not complete within $limit") { it.wasAttached }
}
