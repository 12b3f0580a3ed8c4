package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Violation

/**
 * SUB: keeps messages that begin with a topic it subscribed to; the topic is part of the message. Nothing is said to
 * publishers. The pipes are always drained, so what is stale is lost here, counted, and not in the network's buffers:
 * [limit] messages wait for a receiver.
 */
internal class SubState(private val limit: Int = DEFAULT_LIMIT, private val overflow: Overflow = Overflow.DropOldest) :
    SocketState() {
    private val topics = Topics()
    private val messages = ArrayDeque<Message>()
    private val waiting = LinkedHashSet<Long>()

    override fun attach(event: SocketEvent.PipeAttached) {
        pipes += event.pipe
    }

    override fun detach(pipe: Int, cause: Violation?) = Unit

    override fun received(pipe: Int, frame: Body) {
        if (!topics.matches(frame)) return drop(pipe, DropReason.Filtered)
        val message = Message(pipe, frame)
        if (deliver(message)) return
        if (messages.size < limit) {
            messages.addLast(message)
        } else if (overflow == Overflow.DropOldest && limit > 0) {
            drop(messages.removeFirst().pipe, DropReason.Overflow)
            messages.addLast(message)
        } else {
            drop(pipe, DropReason.Overflow)
        }
    }

    override fun receive(call: Long, survey: Long) {
        val next = messages.removeFirstOrNull()
        if (next == null) waiting.add(call) else effects += SocketEffect.Deliver(call, next)
    }

    override fun next(): Message? = messages.removeFirstOrNull()

    override fun cancel(call: Long) {
        waiting.remove(call)
    }

    override fun takeBack(message: Message) {
        if (!deliver(message)) messages.addFirst(message)
    }

    override fun subscribe(call: Long, topic: Body) {
        topics.add(topic)
        effects += SocketEffect.Done(call)
    }

    /** What waits and matches no longer is dropped. */
    override fun unsubscribe(call: Long, topic: Body) {
        if (!topics.remove(topic)) return fail(call, Failure.NotSubscribed)
        effects += SocketEffect.Done(call)
        val (kept, unwanted) = messages.partition { topics.matches(it.body) }
        messages.clear()
        messages.addAll(kept)
        for (message in unwanted) drop(message.pipe, DropReason.Filtered)
    }

    override fun close() {
        waiting.forEach { fail(it, Failure.Closed) }
        waiting.clear()
        messages.forEach { drop(it.pipe, DropReason.Closed) }
        messages.clear()
    }

    private fun deliver(message: Message): Boolean {
        val first = waiting.firstOrNull() ?: return false
        waiting.remove(first)
        effects += SocketEffect.Deliver(first, message)
        return true
    }

    companion object {
        const val DEFAULT_LIMIT = 128
    }
}
