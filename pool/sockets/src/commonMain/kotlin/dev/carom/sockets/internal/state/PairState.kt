package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Backtrace
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation
import dev.carom.sockets.internal.wire.WORD

/**
 * PAIR: one peer at a time, both ways. While it is away, and while it has no room, senders wait for it or its successor.
 * Version 1 has a word in front of each message: how many hops it has made, at most [maxHops], 1 for a direct one;
 * without ([maxHops] null) this is version 0.
 */
internal class PairState(
    private val maxHops: Int? = null,
    limit: Int = FairQueue.DEFAULT_LIMIT,
    bytes: Int = FairQueue.DEFAULT_BYTES,
) : SocketState() {
    private val inbox = FairQueue(limit, bytes, effects)
    private val balancer = Balancer<Frame> { pipe, call, frame ->
        effects += SocketEffect.Transmit(pipe, frame)
        effects += SocketEffect.Done(call)
    }

    override val header: IntArray = if (maxHops == null) IntArray(0) else intArrayOf(1)

    override fun attach(event: SocketEvent.PipeAttached) {
        if (pipes.isNotEmpty()) {
            effects += SocketEffect.Reject(event.pipe, Rejection.AlreadyPaired)
            return
        }
        pipes += event.pipe
        inbox.attach(event.pipe, event.receivePriority)
        balancer.attach(event.pipe, event.sendPriority)
    }

    override fun detach(pipe: Int, cause: Violation?) {
        balancer.detach(pipe)
        inbox.detach(pipe)
    }

    override fun retire(pipe: Int) = balancer.detach(pipe)

    override fun flushed(pipe: Int) = balancer.flushed(pipe)

    override fun received(pipe: Int, frame: Body) {
        when {
            maxHops == null -> inbox.offer(Message(pipe, frame))
            frame.size < WORD -> cut(pipe, Violation.ShortHeader(frame.size))
            frame.word(0) !in 0..HOP_MASK -> cut(pipe, Violation.BadHeader(frame.word(0)))
            frame.word(0) > maxHops -> drop(pipe, DropReason.HopLimit)
            else -> inbox.offer(Message(pipe, frame.drop(WORD)))
        }
    }

    override fun send(call: Long, body: Body) =
        balancer.offer(call, Frame(header, body))

    override fun room(): Int = balancer.first()

    override fun tookRoom(pipe: Int, more: Boolean) = balancer.took(more)

    override fun receive(call: Long, survey: Long) = inbox.receive(call)

    override fun next(): Message? = inbox.poll()

    override fun cancel(call: Long) {
        balancer.withdraw(call)
        inbox.cancel(call)
    }

    override fun takeBack(message: Message) = inbox.takeBack(message)

    override fun close() {
        balancer.withdrawAll().keys.forEach { fail(it, Failure.Closed) }
        inbox.close()
    }

    companion object {
        private const val HOP_MASK = 0xFF

        fun v1(maxHops: Int = Backtrace.DEFAULT_HOPS): PairState = PairState(maxHops)
    }
}
