package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Backtrace
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation

/**
 * REP and RESPONDENT: requests from every peer in turn, any number in work, answered in any order. The way back is kept
 * until the request is answered or forgotten. An answer waits while its pipe has no room; if the pipe is gone it is
 * dropped, and the call is done all the same.
 *
 * @param maxHops most words of a way back, the id counted. 1..255.
 * @param mostOpen most requests that are neither answered nor forgotten; beyond, the oldest is.
 */
internal class ReplierState(
    private val maxHops: Int = Backtrace.DEFAULT_HOPS,
    limit: Int = FairQueue.DEFAULT_LIMIT,
    private val mostOpen: Int = MOST_OPEN,
    bytes: Int = FairQueue.DEFAULT_BYTES,
) : SocketState() {
    private class Open(var pipe: Int?, val origin: Int, val words: IntArray)

    private class Outlet {
        var ready = true
        val replies = LinkedHashMap<Long, Frame>()
    }

    private val inbox = FairQueue(limit, bytes, effects)
    private val open = LinkedHashMap<Long, Open>()
    private val outlets = HashMap<Int, Outlet>()
    private val parked = HashMap<Long, Int>()
    private var lastRequest = 0L

    init {
        require(maxHops in 1..MOST_HOPS) { "maxHops must be in 1..$MOST_HOPS, was $maxHops" }
        require(mostOpen > 0) { "mostOpen must be positive, was $mostOpen" }
    }

    override fun attach(event: SocketEvent.PipeAttached) {
        pipes += event.pipe
        outlets[event.pipe] = Outlet()
        inbox.attach(event.pipe, event.receivePriority)
    }

    override fun detach(pipe: Int, cause: Violation?) {
        // Nobody can be answered: to work on it is in vain, and its client asks elsewhere.
        for (message in inbox.purge(pipe)) open.remove(message.request)
        open.values.forEach { if (it.pipe == pipe) it.pipe = null }
        for (call in outlets.remove(pipe)?.replies?.keys.orEmpty()) {
            parked.remove(call)
            giveUp(call, pipe)
        }
    }

    override fun isBusy(pipe: Int): Boolean =
        open.values.any { it.pipe == pipe } || outlets[pipe]?.replies?.isNotEmpty() == true

    override fun flushed(pipe: Int) {
        val outlet = outlets[pipe] ?: return
        val (call, frame) = outlet.replies.entries.firstOrNull() ?: run {
            outlet.ready = true
            return
        }
        outlet.replies.remove(call)
        parked.remove(call)
        transmit(call, pipe, frame)
    }

    override fun received(pipe: Int, frame: Body) {
        when (val way = Backtrace.read(frame, maxHops)) {
            is Backtrace.Broken -> cut(pipe, way.violation)

            Backtrace.TooLong -> drop(pipe, DropReason.HopLimit)

            is Backtrace.Complete -> {
                val request = ++lastRequest
                if (open.size == mostOpen) open.remove(open.keys.first())
                open[request] = Open(pipe, pipe, way.words)
                inbox.offer(Message(pipe, way.body, request))
            }
        }
    }

    override fun receive(call: Long, survey: Long) = inbox.receive(call)

    override fun next(): Message? = inbox.poll()

    override fun reply(call: Long, request: Long, body: Body) {
        val asked = open.remove(request) ?: return fail(call, Failure.NoSuchRequest)
        val pipe = asked.pipe ?: return giveUp(call, asked.origin)
        val outlet = outlets.getValue(pipe)
        val frame = Frame(asked.words, body)
        if (outlet.ready) {
            outlet.ready = false
            transmit(call, pipe, frame)
        } else {
            outlet.replies[call] = frame
            parked[call] = pipe
        }
    }

    override fun forget(request: Long) {
        open.remove(request)
    }

    override fun cancel(call: Long) {
        inbox.cancel(call)
        outlets[parked.remove(call)]?.replies?.remove(call)
    }

    /** A request whose pipe went away meanwhile is not worked on. */
    override fun takeBack(message: Message) {
        if (open[message.request]?.pipe != null) {
            inbox.takeBack(message)
        } else {
            open.remove(message.request)
            drop(message.pipe, DropReason.PeerGone)
        }
    }

    override fun close() {
        inbox.close()
        open.clear()
        parked.keys.forEach { fail(it, Failure.Closed) }
        parked.clear()
        outlets.values.forEach { it.replies.clear() }
    }

    private fun transmit(call: Long, pipe: Int, frame: Frame) {
        effects += SocketEffect.Transmit(pipe, frame)
        effects += SocketEffect.Done(call)
    }

    private fun giveUp(call: Long, pipe: Int) {
        effects += SocketEffect.Drop(pipe, DropReason.PeerGone, outgoing = true)
        effects += SocketEffect.Done(call)
    }

    companion object {
        const val MOST_OPEN = 65_536
        private const val MOST_HOPS = 255
    }
}
