package dev.carom.sockets.internal.state

import dev.carom.sockets.Protocol
import dev.carom.sockets.internal.wire.Backtrace
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation
import dev.carom.sockets.internal.wire.WORD

/**
 * Any protocol without its conversation: headers go through as they are, so that devices can stand between two sockets.
 *
 * | Role | receiving | sending |
 * |---|---|---|
 * | REP, RESPONDENT | the stack up to the id, at most [maxHops] words; its own word is the pipe | takes the first word off: only to that pipe |
 * | REQ | the stack up to the id | as it is, to one pipe that has room |
 * | SURVEYOR | the stack up to the id | as it is, to every pipe |
 * | PAIR v1 | its count of hops, at most [maxHops] | one hop more |
 * | BUS | no header; its own word is the pipe | to every pipe but that one |
 * | PUSH, PULL, PUB, PAIR | no header | as ever |
 * | SUB | everything, nothing is filtered | – |
 *
 * What has no header to send it by is dropped and counted, and the call is done: a device must not end for it.
 */
internal class RawState(
    private val protocol: Protocol,
    private val maxHops: Int = Backtrace.DEFAULT_HOPS,
    receiveLimit: Int = FairQueue.DEFAULT_LIMIT,
    sendLimit: Int = ROUTED_LIMIT,
    overflow: Overflow = Overflow.DropLatest,
    receiveBytes: Int = FairQueue.DEFAULT_BYTES,
) : SocketState() {
    private val inbox = FairQueue(receiveLimit, receiveBytes, effects)
    private val fanout = Fanout(sendLimit, overflow, effects)
    private val balancer = Balancer<Frame> { pipe, call, frame ->
        effects += SocketEffect.Transmit(pipe, frame)
        effects += SocketEffect.Done(call)
    }

    private val paired = protocol == Protocol.Pair || protocol == Protocol.PairV1
    private val balances = paired || protocol == Protocol.Req || protocol == Protocol.Push
    private val listens = protocol != Protocol.Push && protocol != Protocol.Pub

    init {
        require(maxHops in 1..MOST_HOPS) { "maxHops must be in 1..$MOST_HOPS, was $maxHops" }
    }

    override val unflushed: Int get() = fanout.queued

    override fun attach(event: SocketEvent.PipeAttached) {
        if (paired && pipes.isNotEmpty()) {
            effects += SocketEffect.Reject(event.pipe, Rejection.AlreadyPaired)
            return
        }
        pipes += event.pipe
        inbox.attach(event.pipe, event.receivePriority)
        if (balances) balancer.attach(event.pipe, event.sendPriority) else fanout.attach(event.pipe)
    }

    override fun detach(pipe: Int, cause: Violation?) {
        if (balances) balancer.detach(pipe) else fanout.detach(pipe)
        // The way back of a request is lost with its pipe.
        if (protocol.routes) inbox.purge(pipe) else inbox.detach(pipe)
    }

    override fun retire(pipe: Int) = if (balances) balancer.detach(pipe) else fanout.retire(pipe)

    override fun queuedFor(pipe: Int): Int = fanout.queuedFor(pipe)

    override fun flushed(pipe: Int) = if (balances) balancer.flushed(pipe) else fanout.flushed(pipe)

    override fun received(pipe: Int, frame: Body) {
        when {
            !listens -> cut(pipe, Violation.UnexpectedFrame(frame.size))
            protocol == Protocol.PairV1 -> receivedHops(pipe, frame)
            protocol.stacks -> receivedStack(pipe, frame)
            else -> inbox.offer(Message(pipe, frame))
        }
    }

    private fun receivedStack(pipe: Int, frame: Body) {
        // Only the answering side counts: who asks gets back what it sent.
        when (val way = Backtrace.read(frame, if (protocol.routes) maxHops else MOST_HOPS)) {
            is Backtrace.Broken -> cut(pipe, way.violation)
            Backtrace.TooLong -> drop(pipe, DropReason.HopLimit)
            is Backtrace.Complete -> inbox.offer(Message(pipe, frame))
        }
    }

    private fun receivedHops(pipe: Int, frame: Body) {
        when {
            frame.size < WORD -> cut(pipe, Violation.ShortHeader(frame.size))
            frame.word(0) !in 0..MOST_HOPS -> cut(pipe, Violation.BadHeader(frame.word(0)))
            frame.word(0) > maxHops -> drop(pipe, DropReason.HopLimit)
            else -> inbox.offer(Message(pipe, frame))
        }
    }

    override fun send(call: Long, body: Body, hop: Int) {
        when (protocol) {
            Protocol.Sub, Protocol.Pull -> fail(call, Failure.NotInThisRole)
            Protocol.Pair, Protocol.Push -> balancer.offer(call, Frame(body))
            Protocol.Req -> stacked(call, body, hop) { balancer.offer(call, it) }
            Protocol.PairV1 -> oneHopMore(call, body)
            Protocol.Surveyor -> done(call) { stacked(call, body, hop) { fanout.broadcast(it) } }
            Protocol.Rep, Protocol.Respondent -> done(call) { route(body, hop) }
            Protocol.Pub -> done(call) { fanout.broadcast(Frame(body)) }
            Protocol.Bus -> done(call) { fanout.broadcast(Frame(body), origin = hop) }
        }
    }

    private inline fun done(call: Long, act: () -> Unit) {
        effects += SocketEffect.Done(call)
        act()
    }

    private inline fun stacked(call: Long, body: Body, hop: Int, act: (Frame) -> Unit) {
        val words = if (hop == 0) NO_WORDS else intArrayOf(hop)
        if (Backtrace.read(body, MOST_HOPS) is Backtrace.Complete) return act(Frame(words, body))
        unsent(DropReason.Malformed)
        if (balances) effects += SocketEffect.Done(call)
    }

    private fun route(body: Body, hop: Int) {
        val pipe = if (hop != 0) {
            hop
        } else if (body.size >= WORD) {
            body.word(0)
        } else {
            NO_PIPE
        }
        val rest = if (hop != 0) body else body.drop(minOf(WORD, body.size))
        when {
            Backtrace.read(rest, MOST_HOPS) !is Backtrace.Complete -> unsent(DropReason.Malformed)
            !fanout.give(pipe, Frame(rest)) -> unsent(DropReason.PeerGone)
        }
    }

    private fun oneHopMore(call: Long, body: Body) {
        val hops = if (body.size < WORD) -1 else body.word(0)
        if (hops in 0 until MOST_HOPS) return balancer.offer(call, Frame(intArrayOf(hops + 1), body.drop(WORD)))
        unsent(DropReason.Malformed)
        effects += SocketEffect.Done(call)
    }

    private fun unsent(reason: DropReason) {
        effects += SocketEffect.Drop(NO_PIPE, reason, outgoing = true)
    }

    override fun receive(call: Long, survey: Long) =
        if (listens) inbox.receive(call) else fail(call, Failure.NotInThisRole)

    override fun next(): Message? = inbox.poll()

    override fun cancel(call: Long) {
        balancer.withdraw(call)
        inbox.cancel(call)
    }

    override fun takeBack(message: Message) {
        if (protocol.routes &&
            message.pipe !in pipes
        ) {
            drop(message.pipe, DropReason.PeerGone)
        } else {
            inbox.takeBack(message)
        }
    }

    override fun close() {
        balancer.withdrawAll().keys.forEach { fail(it, Failure.Closed) }
        inbox.close()
    }

    private companion object {
        /** Messages queued for each pipe that are meant for it alone. */
        const val ROUTED_LIMIT = 64
        const val MOST_HOPS = 255
        const val NO_PIPE = 0
        val NO_WORDS = IntArray(0)
    }
}

/** Whether answers find their way by the pipe on top of the stack. */
internal val Protocol.routes: Boolean get() = this == Protocol.Rep || this == Protocol.Respondent

/** Whether messages have a stack of words that ends with an id. */
internal val Protocol.stacks: Boolean get() = routes || this == Protocol.Req || this == Protocol.Surveyor
