package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation

/** PUSH: each message goes to one peer that has room; without one, senders wait. */
internal class PushState : SocketState() {
    private val balancer = Balancer<Frame> { pipe, call, frame ->
        effects += SocketEffect.Transmit(pipe, frame)
        effects += SocketEffect.Done(call)
    }

    override fun attach(event: SocketEvent.PipeAttached) {
        pipes += event.pipe
        balancer.attach(event.pipe, event.sendPriority)
    }

    override fun detach(pipe: Int, cause: Violation?) = balancer.detach(pipe)

    override fun retire(pipe: Int) = balancer.detach(pipe)

    override fun flushed(pipe: Int) = balancer.flushed(pipe)

    override fun send(call: Long, body: Body) = balancer.offer(call, Frame(body))

    override fun room(): Int = balancer.first()

    override fun tookRoom(pipe: Int, more: Boolean) = balancer.took(more)

    override fun cancel(call: Long) {
        balancer.withdraw(call)
    }

    override fun close() = balancer.withdrawAll().keys.forEach { fail(it, Failure.Closed) }
}

/** PULL: takes from every peer in turn; a peer whose messages nobody takes has to wait. */
internal class PullState(limit: Int = FairQueue.DEFAULT_LIMIT, bytes: Int = FairQueue.DEFAULT_BYTES) : SocketState() {
    private val inbox = FairQueue(limit, bytes, effects)

    override fun attach(event: SocketEvent.PipeAttached) {
        pipes += event.pipe
        inbox.attach(event.pipe, event.receivePriority)
    }

    override fun detach(pipe: Int, cause: Violation?) = inbox.detach(pipe)

    override fun received(pipe: Int, frame: Body) = inbox.offer(Message(pipe, frame))

    override fun receive(call: Long, survey: Long) = inbox.receive(call)

    override fun next(): Message? = inbox.poll()

    override fun cancel(call: Long) = inbox.cancel(call)

    override fun takeBack(message: Message) = inbox.takeBack(message)

    override fun close() = inbox.close()
}
