package dev.carom.sockets

import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch

/**
 * Stands between peers that do not know each other: passes on what comes from [left] to [right], and back where the
 * protocol goes both ways, until one of the sockets closes; then it returns. Each message goes on by its header, so that
 * answers find their way through any number of devices.
 *
 * | Name | left | right |
 * |---|---|---|
 * | queue | REP, faces those who ask | REQ, faces those who answer |
 * | survey broker | RESPONDENT | SURVEYOR |
 * | streamer | PULL | PUSH |
 * | forwarder | SUB | PUB |
 * | bridge | PAIR or BUS | the same |
 *
 * With one BUS socket as both, what one peer says goes to all the others. Back-pressure goes through: what [right] does not
 * take is not taken from [left]. *Cancelled*, it ends; the sockets stay open, and a message under way in each direction may
 * be lost.
 *
 * @throws IllegalArgumentException if the roles are no peers of each other.
 * @throws SocketException.TimedOut if a message was not accepted within [SocketPolicy.sendTimeout].
 */
public suspend fun device(left: RawSocket, right: RawSocket) {
    require(left.protocol.peer == right.protocol) {
        "${left.protocol.label} \"${left.name}\" does not talk to ${right.protocol.label} \"${right.name}\""
    }
    coroutineScope {
        val ways = buildList {
            if (left.protocol.receives) add(launch { pass(left, right) })
            if (right.protocol.receives && right !== left) add(launch { pass(right, left) })
        }
        // Whichever ends first ends the other: half a conversation is none.
        for (way in ways) way.invokeOnCompletion { ways.forEach { it.cancel() } }
    }
}

private suspend fun pass(from: RawSocket, to: RawSocket) {
    try {
        from.messages.collect { to.send(it) }
    } catch (_: SocketException.Closed) {
        // The other side has closed: that is how a device ends.
    }
}

private val Protocol.receives: Boolean get() = this != Protocol.Push && this != Protocol.Pub
