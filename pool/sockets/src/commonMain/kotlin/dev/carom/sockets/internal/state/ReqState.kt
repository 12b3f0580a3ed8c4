package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation
import dev.carom.sockets.internal.wire.WORD
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * REQ: any number of requests at once, each to one peer.
 *
 *     Waiting ──a pipe has room──► Sent ──the reply, from whichever pipe──► Deliver
 *        ▲                          │ │
 *        └──[resend] passed, or ────┘ └──the reply is too large; the pipe is gone and resend is infinite──► Fail
 *           the pipe is gone
 *
 * The id stays the same when a request is sent again, so that the first reply counts and later ones are dropped.
 *
 * @param resend after how long without a reply a request is sent again. Positive. Infinite: no request is ever sent
 *   twice.
 */
internal class ReqState(private val resend: Duration = DEFAULT_RESEND, random: Random) : SocketState() {
    private class Request(val id: Int, val call: Long, body: Body) {
        val frame = Frame(intArrayOf(id), body)
        var pipe: Int? = null
        var sent = false
    }

    private val ids = Ids(random)
    private val byId = LinkedHashMap<Int, Request>()
    private val byCall = HashMap<Long, Request>()
    private val timers = Timers<Int>(resend)
    private val balancer = Balancer<Request> { pipe, _, request -> transmit(pipe, request) }

    init {
        require(resend.isPositive()) { "resend must be positive, was $resend" }
    }

    override val keepsTime: Boolean get() = true

    override val nextDeadline: Duration? get() = timers.next

    override fun attach(event: SocketEvent.PipeAttached) {
        pipes += event.pipe
        balancer.attach(event.pipe, event.sendPriority)
    }

    override fun detach(pipe: Int, cause: Violation?) {
        balancer.detach(pipe)
        for (request in byId.values.filter { it.pipe == pipe }) {
            request.pipe = null
            timers.disarm(request.id)
            when {
                cause is Violation.TooLarge && (cause.head == null || cause.head == request.id) ->
                    end(request) { fail(it, Failure.ReplyTooLarge(cause.announced, cause.limit)) }

                resend.isInfinite() -> end(request) { fail(it, Failure.PeerLost(pipe)) }

                else -> balancer.offer(request.call, request)
            }
        }
    }

    override fun retire(pipe: Int) = balancer.detach(pipe)

    override fun isBusy(pipe: Int): Boolean = byId.values.any { it.pipe == pipe }

    override fun flushed(pipe: Int) = balancer.flushed(pipe)

    override fun received(pipe: Int, frame: Body) {
        if (frame.size < WORD) return cut(pipe, Violation.ShortHeader(frame.size))
        val request = byId[frame.word(0)]?.takeIf { it.sent } ?: return drop(pipe, DropReason.Stale)
        end(request) { effects += SocketEffect.Deliver(it, Message(pipe, frame.drop(WORD))) }
    }

    override fun send(call: Long, body: Body) {
        val request = Request(ids.next { it in byId }, call, body)
        byId[request.id] = request
        byCall[call] = request
        balancer.offer(call, request)
    }

    /** Whoever asked for it has gone. */
    override fun takeBack(message: Message) = drop(message.pipe, DropReason.Stale)

    override fun cancel(call: Long) {
        byCall[call]?.let { end(it) {} }
    }

    override fun close() {
        for (request in byId.values.toList()) end(request) { fail(it, Failure.Closed) }
    }

    override fun expire() {
        while (true) {
            val request = byId[timers.take(now) ?: return] ?: continue
            request.pipe = null
            balancer.offer(request.call, request)
        }
    }

    private fun transmit(pipe: Int, request: Request) {
        request.pipe = pipe
        request.sent = true
        timers.arm(request.id, now)
        effects += SocketEffect.Transmit(pipe, request.frame)
    }

    private inline fun end(request: Request, tell: (Long) -> Unit) {
        byId.remove(request.id)
        byCall.remove(request.call)
        timers.disarm(request.id)
        balancer.withdraw(request.call)
        tell(request.call)
    }

    companion object {
        val DEFAULT_RESEND = 60.seconds
    }
}
