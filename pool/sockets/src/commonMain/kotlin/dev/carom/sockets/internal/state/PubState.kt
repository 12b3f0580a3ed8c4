package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation

/** PUB: each message goes to every peer, whatever it subscribed to; who is too slow loses the oldest. */
internal class PubState(limit: Int = Fanout.DEFAULT_LIMIT, overflow: Overflow = Overflow.DropOldest) : SocketState() {
    private val fanout = Fanout(limit, overflow, effects)

    override val unflushed: Int get() = fanout.queued

    override fun attach(event: SocketEvent.PipeAttached) {
        pipes += event.pipe
        fanout.attach(event.pipe)
    }

    override fun detach(pipe: Int, cause: Violation?) = fanout.detach(pipe)

    override fun retire(pipe: Int) = fanout.retire(pipe)

    override fun isBusy(pipe: Int): Boolean = queuedFor(pipe) > 0

    override fun queuedFor(pipe: Int): Int = fanout.queuedFor(pipe)

    override fun flushed(pipe: Int) = fanout.flushed(pipe)

    override fun send(call: Long, body: Body) {
        effects += SocketEffect.Done(call)
        fanout.broadcast(Frame(body))
    }

    override fun close() = Unit
}

/** BUS: each message goes to every direct peer, and to nobody further; who is too slow loses the latest. */
internal class BusState(
    sendLimit: Int = Fanout.DEFAULT_LIMIT,
    receiveLimit: Int = FairQueue.DEFAULT_LIMIT,
    overflow: Overflow = Overflow.DropLatest,
    receiveBytes: Int = FairQueue.DEFAULT_BYTES,
) : SocketState() {
    private val fanout = Fanout(sendLimit, overflow, effects)
    private val inbox = FairQueue(receiveLimit, receiveBytes, effects)

    override val unflushed: Int get() = fanout.queued

    override fun attach(event: SocketEvent.PipeAttached) {
        pipes += event.pipe
        inbox.attach(event.pipe, event.receivePriority)
        fanout.attach(event.pipe)
    }

    override fun detach(pipe: Int, cause: Violation?) {
        fanout.detach(pipe)
        inbox.detach(pipe)
    }

    override fun retire(pipe: Int) = fanout.retire(pipe)

    override fun isBusy(pipe: Int): Boolean = queuedFor(pipe) > 0

    override fun queuedFor(pipe: Int): Int = fanout.queuedFor(pipe)

    override fun flushed(pipe: Int) = fanout.flushed(pipe)

    override fun received(pipe: Int, frame: Body) = inbox.offer(Message(pipe, frame))

    override fun send(call: Long, body: Body) {
        effects += SocketEffect.Done(call)
        fanout.broadcast(Frame(body))
    }

    override fun receive(call: Long, survey: Long) = inbox.receive(call)

    override fun next(): Message? = inbox.poll()

    override fun cancel(call: Long) = inbox.cancel(call)

    override fun takeBack(message: Message) = inbox.takeBack(message)

    override fun close() = inbox.close()
}
