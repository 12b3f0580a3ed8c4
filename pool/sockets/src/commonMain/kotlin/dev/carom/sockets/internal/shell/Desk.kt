package dev.carom.sockets.internal.shell

import dev.carom.sockets.DropReason
import dev.carom.sockets.Protocol
import dev.carom.sockets.SocketCounters
import dev.carom.sockets.SocketNotice
import dev.carom.sockets.SocketPolicy
import dev.carom.sockets.internal.state.SocketEffect
import dev.carom.sockets.internal.state.SocketEvent
import dev.carom.sockets.internal.state.SocketState
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Violation
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.time.Duration

/**
 * Where calls and pipes meet the state of one socket: one thread at a time tells it what happened, under the guard, and
 * does at once what calls nobody back; the rest follows when the guard is free. A call that can be answered at once never
 * suspends.
 */
internal class Desk(
    val protocol: Protocol,
    val policy: SocketPolicy,
    private val state: SocketState,
    private val guard: Guard,
    clock: () -> Duration,
) {
    private val now: () -> Duration = if (state.keepsTime) clock else ({ Duration.ZERO })

    val news = News(guard, policy.noticeBuffer)

    private val book = PipeBook()
    private val calls = CallBook()
    private val flushed = ArrayDeque<Int>()
    private val retiring = LinkedHashSet<Pipe>()
    private var attached = LinkedHashMap<Int, Pipe>()
    private var armed: Duration? = null

    /** Wakes whoever waits for [deadline]. */
    var wakeTimer: () -> Unit = {}

    val counters: SocketCounters get() = guard.hold { book.counters(state.unflushed.toLong()) }

    /** When [tick] is due, or null; until then an earlier one wakes the timer. */
    fun deadline(): Duration? = guard.hold { state.nextDeadline.also { armed = it } }

    fun tick() = act { step(SocketEvent.Tick, it) }

    fun countersOf(pipe: Pipe): SocketCounters = guard.hold {
        pipe.ledger.counters(if (pipe in book) pipe.unwritten else 0, state.queuedFor(pipe.id).toLong())
    }

    /** A survey: its calls are told of it by this number. */
    fun newCall(): Long = guard.hold { calls.number() }

    /** Tells the state of a call whose outcome is known at once, or wanted only then: null if it would have to wait. */
    fun callNow(id: Long = newCall(), event: (Long) -> SocketEvent): Outcome? {
        var outcome: Outcome? = null
        act { after ->
            val call = begin(id, event, after)
            if (call.outcome == null) withdraw(call, after)
            outcome = call.outcome
        }
        return outcome
    }

    /** Tells the state of a call, and waits for its outcome. If cancelled before, it did nothing. */
    suspend fun call(event: (Long) -> SocketEvent): Outcome {
        var outcome: Outcome? = null
        lateinit var call: Call
        act { after ->
            call = begin(calls.number(), event, after)
            outcome = call.outcome
        }
        outcome?.let {
            if (it.isClosed) leaveIfCancelled()
            return it
        }
        try {
            suspendCancellableCoroutine { waitFor(call, it) }
        } catch (e: Throwable) {
            // It was done, and cancelled before it could say so. What is done is done: nobody shall do it again.
            if (guard.hold { call.outcome } !is Outcome.Done) throw e
        }
        val late = guard.hold { checkNotNull(call.outcome) }
        if (late.isClosed) leaveIfCancelled()
        return late
    }

    /** The short way of a call that sends: true if it is done, false if nothing happened. */
    fun sendNow(body: Body): Boolean {
        val pipe = guard.hold {
            val room = state.roomNow()
            if (room == SocketState.NO_PIPE) return false
            val pipe = checkNotNull(book.find(room))
            state.tookRoom(room, more = pipe.transmit(state.header, body))
            pipe
        }
        pipe.flush()
        return true
    }

    /** The short way of a call that receives: what it is delivered, null if nothing happened. */
    fun receiveNow(): Outcome.Delivered? {
        var after: Afterwards? = null
        val delivered = guard.hold {
            val message = state.poll() ?: return null
            val rest = state.rest
            book.ledgerOf(message.pipe).delivered++
            val delivered = Outcome.Delivered(message, book.find(message.pipe))
            book.settle(message.pipe)
            if (rest.isNotEmpty()) after = Afterwards().also { follow(rest, it) }
            delivered
        }
        after?.run { resume(it, it.waiting) }
        return delivered
    }

    fun forget(call: Long) = act { step(SocketEvent.CallCancelled(call), it) }

    fun tell(event: SocketEvent) = act { step(event, it) }

    /** Nothing will be told any more. */
    fun end() = act { news.putEnd() }

    fun tell(notice: SocketNotice) = act { news.put(notice) }

    /** Of all pipes that are there, attached or not. */
    fun pipes(): List<Pipe> = guard.hold { book.all.toList() }

    fun accepted(): Int = guard.hold { book.all.count { it.isAccepted && it.attached } }

    fun handshaking(): Int = guard.hold { book.all.count { it.isAccepted && !it.attached } }

    /** Before the link of [pipe] exists. */
    fun admit(pipe: Pipe) = guard.hold { book.add(pipe) }

    /** Whether [pipe] goes on and says its handshake: it has not been given up. */
    fun commit(pipe: Pipe): Boolean = guard.hold { (pipe.reason == null).also { if (it) pipe.committed = true } }

    /** Closes [pipe] if it has not [passed] some point by now. Whether it does. */
    fun giveUp(pipe: Pipe, reason: String, passed: (Pipe) -> Boolean): Boolean {
        var late = false
        act { after ->
            late = !passed(pipe)
            if (late) cut(pipe, reason, null, after)
        }
        return late
    }

    /** Whether it may go on: its handshake is done. */
    fun attach(pipe: Pipe): Boolean {
        act { after ->
            if (pipe.reason == null) {
                pipe.attached = true
                attached[pipe.id] = pipe
                step(SocketEvent.PipeAttached(pipe.id, pipe.priority.send, pipe.priority.receive), after)
            }
            if (pipe.attached) {
                pipe.wasAttached = true
                news.put(attached.values)
                news.put(SocketNotice.PipeOpened(pipe))
                after.then { pipe.opened.complete(Unit) }
            }
        }
        return guard.hold { pipe.attached }
    }

    fun received(pipe: Pipe, frames: List<Body>, violation: Violation?) = act { after ->
        var at = 0
        while (at < frames.size && pipe.attached) {
            val next = state.receive(pipe.id, frames, at)
            pipe.ledger.received += next - at
            while (at < next) pipe.ledger.receivedBytes += frames[at++].size
            follow(state.rest, after)
        }
        if (violation != null) cut(pipe, describe(violation), violation, after)
        // A resume that was decided before the pause may have been carried out after it.
        if (pipe.paused) pipe.link?.pause()
    }

    fun flushed(pipe: Pipe) = act { if (pipe.attached) step(SocketEvent.Flushed(pipe.id), it) }

    fun ended(pipe: Pipe, reason: String) = act { cut(pipe, reason, null, it) }

    fun refuse(pipe: Pipe, reason: String) = act { cut(pipe, reason, null, it) }

    /** Nothing new is given to it; [Pipe.idle] completes when what it has is done. */
    fun retire(pipe: Pipe) = act { after ->
        if (pipe.attached) {
            step(SocketEvent.PipeRetired(pipe.id), after)
            retiring.add(pipe)
        } else {
            after.then { pipe.idle.complete(Unit) }
        }
    }

    fun closed(pipe: Pipe, cause: Throwable?) = act { after ->
        if (pipe.reason == null) pipe.reason = if (cause == null) "closed" else "it failed"
        detach(pipe, after)
        val lost = pipe.unwritten
        pipe.ledger.lost += lost
        pipe.ledger.drop(DropReason.PeerGone, lost.toInt(), outgoing = true)
        book.remove(pipe)
        val reason = checkNotNull(pipe.reason)
        if (pipe.wasAttached) {
            news.put(SocketNotice.PipeClosed(pipe, reason, cause))
        } else if (pipe.isAccepted || cause == null) {
            news.put(SocketNotice.PeerRejected(pipe.url, pipe.remote, reason))
        }
    }

    private fun begin(id: Long, event: (Long) -> SocketEvent, after: Afterwards): Call =
        calls.begin(id) { step(event(id), after) }

    private fun withdraw(call: Call, after: Afterwards) {
        if (calls.remove(call)) step(SocketEvent.CallCancelled(call.id), after)
    }

    private fun waitFor(call: Call, waiting: CancellableContinuation<Unit>) {
        val decided = guard.hold {
            // Only one of both resumes: whoever decided it finds nobody waiting, or we find it decided.
            if (call.outcome == null) call.waiting = waiting
            call.outcome != null
        }
        if (decided) resume(call, waiting) else waiting.invokeOnCancellation { act { withdraw(call, it) } }
    }

    private fun resume(call: Call, waiting: CancellableContinuation<Unit>?) {
        waiting?.resume(Unit) { _, _, _ -> act { takeBack(call, it) } }
    }

    /** It was answered, and the answer did not reach its caller, who had gone. */
    private fun takeBack(call: Call, after: Afterwards) {
        val outcome = call.outcome as? Outcome.Delivered ?: return
        book.ledgerOf(outcome.message.pipe).delivered--
        step(SocketEvent.MessageReturned(outcome.message), after)
    }

    private inline fun act(section: (Afterwards) -> Unit) {
        val after = Afterwards()
        guard.hold {
            section(after)
            if (retiring.isNotEmpty()) finishRetiring(after)
            rearm(after)
        }
        after.run { resume(it, it.waiting) }
        news.tell()
    }

    private fun finishRetiring(after: Afterwards) {
        val idle = retiring.filter { !it.attached || !state.isBusy(it.id) }
        for (pipe in idle) {
            retiring.remove(pipe)
            after.then { pipe.idle.complete(Unit) }
        }
    }

    private fun rearm(after: Afterwards) {
        val next = state.nextDeadline ?: return
        if (armed.let { it != null && it <= next }) return
        armed = next
        after.then(wakeTimer)
    }

    /** What the state is told and does, and what follows from that. */
    private fun step(event: SocketEvent, after: Afterwards) {
        follow(state.on(event, now()), after)
    }

    private fun follow(effects: List<SocketEffect>, after: Afterwards) {
        for (effect in effects) obey(effect, after)
        while (flushed.isNotEmpty()) {
            for (effect in state.on(SocketEvent.Flushed(flushed.removeFirst()), now())) obey(effect, after)
        }
    }

    private fun obey(effect: SocketEffect, after: Afterwards) {
        when (effect) {
            is SocketEffect.Transmit -> {
                val pipe = checkNotNull(book.find(effect.pipe))
                if (pipe.transmit(effect.frame)) flushed.addLast(effect.pipe)
                after.flush(pipe)
            }

            is SocketEffect.Pause -> book.find(effect.pipe)?.let {
                it.paused = true
                it.link?.pause()
            }

            is SocketEffect.Resume -> book.find(effect.pipe)?.let { pipe ->
                pipe.paused = false
                after.then { pipe.link?.resume() }
            }

            is SocketEffect.Reject -> book.find(effect.pipe)?.let { cut(it, effect.reason.words, null, after) }

            is SocketEffect.Cut -> book.find(effect.pipe)?.let {
                cut(it, describe(effect.violation), effect.violation, after)
            }

            is SocketEffect.Done -> calls.decide(effect.call, Outcome.Done, after)

            is SocketEffect.Fail -> calls.decide(effect.call, Outcome.Failed(effect.failure), after)

            is SocketEffect.Deliver -> {
                book.ledgerOf(effect.message.pipe).delivered++
                calls.decide(effect.call, Outcome.Delivered(effect.message, book.find(effect.message.pipe)), after)
                book.settle(effect.message.pipe)
            }

            is SocketEffect.Drop -> {
                book.ledgerOf(effect.pipe).drop(effect.reason, effect.count, effect.outgoing)
                book.settle(effect.pipe)
            }
        }
    }

    private fun cut(pipe: Pipe, reason: String, violation: Violation?, after: Afterwards) {
        if (pipe.reason == null) {
            pipe.reason = reason
            pipe.violation = violation
        }
        detach(pipe, after)
        after.then { pipe.link?.close() }
    }

    private fun detach(pipe: Pipe, after: Afterwards) {
        if (!pipe.attached) return
        pipe.attached = false
        attached.remove(pipe.id)
        step(SocketEvent.PipeDetached(pipe.id, pipe.violation), after)
        if (pipe.wasAttached) news.put(attached.values)
    }
}
