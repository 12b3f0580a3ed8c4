package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Violation
import kotlin.time.Duration

/**
 * The decisions of one socket. Each protocol overrides what its role does; the rest is refused, or counted.
 *
 *     Open ──CloseCalled──► Closed: calls fail, frames are dropped; what was accepted is still flushed
 */
internal abstract class SocketState {
    protected val effects = ArrayList<SocketEffect>()
    protected val pipes = HashSet<Int>()
    protected var now = Duration.ZERO
        private set
    private var closed = false

    /** When [SocketEvent.Tick] is due, or null. */
    open val nextDeadline: Duration? get() = null

    /** Whether it asks what time it is. */
    open val keepsTime: Boolean get() = false

    /** Messages that were accepted and wait for room in a pipe. */
    open val unflushed: Int get() = 0

    /** Whether somebody still waits for something from or for [pipe]. */
    open fun isBusy(pipe: Int): Boolean = false

    /** Frames for [pipe] that wait for room in it. */
    open fun queuedFor(pipe: Int): Int = 0

    /** The words in front of a message that goes the short way of [roomNow]. */
    open val header: IntArray get() = NO_WORDS

    /**
     * The short way of [SocketEvent.SendCalled], for what it mostly comes to: the pipe to transmit the message to, after
     * [header]; [tookRoom] must follow, and the call is done. [NO_PIPE] if it is not so. Nothing has happened yet.
     */
    fun roomNow(): Int = if (closed) NO_PIPE else room()

    /** [roomNow]'s pipe was transmitted to, and has [more] room, or none until [SocketEvent.Flushed]. Nothing follows. */
    open fun tookRoom(pipe: Int, more: Boolean) = Unit

    /**
     * The short way of [SocketEvent.ReceiveCalled], for what it mostly comes to: what is delivered. Null if the call would
     * have to wait, or fails: then nothing happened. What else is to be done is in [rest].
     */
    fun poll(): Message? {
        begin()
        return if (closed) null else next()
    }

    /**
     * [SocketEvent.FrameReceived] for each of [frames] from [from] on, up to the first that something follows from, which is
     * in [rest]. Returns how far it came.
     */
    fun receive(pipe: Int, frames: List<Body>, from: Int): Int {
        begin()
        var at = from
        if (pipe in pipes && !closed) {
            while (at < frames.size && effects.isEmpty()) received(pipe, frames[at++])
        } else {
            while (at < frames.size && effects.isEmpty()) receiveIfOpen(pipe, frames[at++])
        }
        return at
    }

    /** What is to be done after [poll] or [receive]. */
    val rest: List<SocketEffect> get() = taken()

    fun on(event: SocketEvent, now: Duration): List<SocketEffect> {
        begin()
        this.now = maxOf(this.now, now)
        when (event) {
            is SocketEvent.PipeAttached -> attachIfOpen(event)
            is SocketEvent.PipeDetached -> if (pipes.remove(event.pipe)) detach(event.pipe, event.cause)
            is SocketEvent.PipeRetired -> if (event.pipe in pipes) retire(event.pipe)
            is SocketEvent.Flushed -> if (event.pipe in pipes) flushed(event.pipe)
            is SocketEvent.FrameReceived -> receiveIfOpen(event.pipe, event.frame)
            is SocketEvent.SendCalled -> ifOpen(event.call) { send(event.call, event.body, event.hop) }
            is SocketEvent.ReceiveCalled -> ifOpen(event.call) { receive(event.call, event.survey) }
            is SocketEvent.ReplyCalled -> ifOpen(event.call) { reply(event.call, event.request, event.body) }
            is SocketEvent.RequestForgotten -> forget(event.request)
            is SocketEvent.CallCancelled -> cancel(event.call)
            is SocketEvent.MessageReturned -> takeBackIfOpen(event.message)
            is SocketEvent.SubscribeCalled -> ifOpen(event.call) { subscribe(event.call, event.topic) }
            is SocketEvent.UnsubscribeCalled -> ifOpen(event.call) { unsubscribe(event.call, event.topic) }
            SocketEvent.CloseCalled -> if (!closed) closeOnce()
            SocketEvent.Tick -> Unit
        }
        expire()
        return taken()
    }

    private fun begin() {
        if (effects.isNotEmpty()) effects.clear()
    }

    private fun taken(): List<SocketEffect> = if (effects.isEmpty()) emptyList() else effects.toList()

    protected abstract fun attach(event: SocketEvent.PipeAttached)

    protected abstract fun detach(pipe: Int, cause: Violation?)

    protected open fun retire(pipe: Int) = Unit

    /** See [roomNow]. Of those that wait none is passed over. */
    protected open fun room(): Int = NO_PIPE

    /** See [poll]. */
    protected open fun next(): Message? = null

    protected open fun flushed(pipe: Int) = Unit

    /** A frame of an attached pipe. */
    protected open fun received(pipe: Int, frame: Body) = cut(pipe, Violation.UnexpectedFrame(frame.size))

    protected open fun send(call: Long, body: Body) = fail(call, Failure.NotInThisRole)

    /** Raw sockets look at the [hop]; no other has one. */
    protected open fun send(call: Long, body: Body, hop: Int) = send(call, body)

    protected open fun receive(call: Long, survey: Long) = fail(call, Failure.NotInThisRole)

    protected open fun reply(call: Long, request: Long, body: Body) = fail(call, Failure.NotInThisRole)

    protected open fun subscribe(call: Long, topic: Body) = fail(call, Failure.NotInThisRole)

    protected open fun unsubscribe(call: Long, topic: Body) = fail(call, Failure.NotInThisRole)

    protected open fun forget(request: Long) = Unit

    protected open fun cancel(call: Long) = Unit

    protected open fun takeBack(message: Message) = Unit

    /** Fails every call that waits. */
    protected abstract fun close()

    /** Does what is due at [now]. */
    protected open fun expire() = Unit

    protected fun fail(call: Long, failure: Failure) {
        effects += SocketEffect.Fail(call, failure)
    }

    protected fun drop(pipe: Int, reason: DropReason, count: Int = 1) {
        if (count > 0) effects += SocketEffect.Drop(pipe, reason, count)
    }

    /** The frame is dropped with its pipe. */
    protected fun cut(pipe: Int, violation: Violation) {
        drop(pipe, DropReason.Malformed)
        effects += SocketEffect.Cut(pipe, violation)
    }

    private fun attachIfOpen(event: SocketEvent.PipeAttached) {
        when {
            event.pipe in pipes -> Unit
            closed -> effects += SocketEffect.Reject(event.pipe, Rejection.Closed)
            else -> attach(event)
        }
    }

    private fun receiveIfOpen(pipe: Int, frame: Body) {
        when {
            pipe !in pipes -> drop(pipe, DropReason.PeerGone)
            closed -> drop(pipe, DropReason.Closed)
            else -> received(pipe, frame)
        }
    }

    private fun takeBackIfOpen(message: Message) {
        if (closed) drop(message.pipe, DropReason.Closed) else takeBack(message)
    }

    private inline fun ifOpen(call: Long, act: () -> Unit) = if (closed) fail(call, Failure.Closed) else act()

    private fun closeOnce() {
        closed = true
        close()
    }

    companion object {
        /** No pipe has this number. */
        const val NO_PIPE = 0
        private val NO_WORDS = IntArray(0)
    }
}
