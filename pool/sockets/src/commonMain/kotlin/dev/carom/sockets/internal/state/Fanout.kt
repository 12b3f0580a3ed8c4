package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.state.SocketEffect.Drop
import dev.carom.sockets.internal.state.SocketEffect.Transmit
import dev.carom.sockets.internal.wire.Frame

internal typealias Overflow = dev.carom.sockets.Overflow

/**
 * Best effort to every pipe: a pipe without room queues [limit] frames, and then loses some. The sender never waits, and
 * a slow peer costs the others nothing. A frame is shared by all queues.
 */
internal class Fanout(
    private val limit: Int,
    private val overflow: Overflow,
    private val effects: MutableList<SocketEffect>,
) {
    private class Outlet {
        val frames = ArrayDeque<Frame>()
        var ready = true
        var retired = false
    }

    private val outlets = LinkedHashMap<Int, Outlet>()

    val queued: Int get() = outlets.values.sumOf { it.frames.size }

    fun queuedFor(pipe: Int): Int = outlets[pipe]?.frames?.size ?: 0

    /** Only what is queued for it is still sent. */
    fun retire(pipe: Int) {
        outlets[pipe]?.retired = true
    }

    fun attach(pipe: Int) {
        outlets[pipe] = Outlet()
    }

    fun detach(pipe: Int) {
        val lost = outlets.remove(pipe)?.frames?.size ?: 0
        if (lost > 0) effects += Drop(pipe, DropReason.PeerGone, lost, outgoing = true)
    }

    fun flushed(pipe: Int) {
        val outlet = outlets[pipe] ?: return
        val next = outlet.frames.removeFirstOrNull()
        outlet.ready = next == null
        if (next != null) effects += Transmit(pipe, next)
    }

    /** To all but [origin], where it came from, and those that are going. */
    fun broadcast(frame: Frame, origin: Int = 0) {
        for ((pipe, outlet) in outlets) if (pipe != origin && !outlet.retired) give(pipe, outlet, frame)
    }

    /** To [pipe] alone; false if there is no such. */
    fun give(pipe: Int, frame: Frame): Boolean {
        give(pipe, outlets[pipe] ?: return false, frame)
        return true
    }

    private fun give(pipe: Int, outlet: Outlet, frame: Frame) {
        when {
            outlet.ready -> {
                outlet.ready = false
                effects += Transmit(pipe, frame)
            }

            outlet.frames.size < limit -> outlet.frames.addLast(frame)

            else -> overflow(pipe, outlet, frame)
        }
    }

    private fun overflow(pipe: Int, outlet: Outlet, frame: Frame) {
        if (overflow == Overflow.DropOldest && limit > 0) {
            outlet.frames.removeFirst()
            outlet.frames.addLast(frame)
        }
        effects += Drop(pipe, DropReason.Overflow, outgoing = true)
    }

    companion object {
        /** Frames queued per pipe. */
        const val DEFAULT_LIMIT = 16
    }
}
