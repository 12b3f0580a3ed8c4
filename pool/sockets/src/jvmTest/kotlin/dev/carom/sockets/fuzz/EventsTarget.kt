package dev.carom.sockets.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.sockets.internal.state.BusState
import dev.carom.sockets.internal.state.Overflow
import dev.carom.sockets.internal.state.PairState
import dev.carom.sockets.internal.state.PubState
import dev.carom.sockets.internal.state.PullState
import dev.carom.sockets.internal.state.PushState
import dev.carom.sockets.internal.state.ReplierState
import dev.carom.sockets.internal.state.ReqState
import dev.carom.sockets.internal.state.SocketEffect
import dev.carom.sockets.internal.state.SocketEvent
import dev.carom.sockets.internal.state.SocketState
import dev.carom.sockets.internal.state.SubState
import dev.carom.sockets.internal.state.SurveyorState
import dev.carom.sockets.internal.wire.Body
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * The first byte chooses a protocol; then two bytes are an event about one of four pipes, or a frame of up to seven of
 * the following bytes. No call is answered twice, and after the socket's end none waits.
 */
internal class EventsTarget : FuzzTarget(fixed = 262_144, perByte = 2_048) {
    override fun prepare(): (ByteArray) -> Unit = { if (it.isNotEmpty()) World(it).live() }
}

private class World(private val input: ByteArray) {
    private val state = state(input[0].toInt() and 0xFF)
    private val waiting = HashSet<Long>()
    private val room = HashSet<Int>()
    private var at = 1
    private var calls = 0L
    private var now = Duration.ZERO

    fun live() {
        while (at < input.size) step(event())
        step(SocketEvent.CloseCalled)
        check(waiting.isEmpty()) { "left waiting: $waiting" }
    }

    private fun state(choice: Int): SocketState = when (choice % 10) {
        0 -> PushState()
        1 -> PullState(limit = 2)
        2 -> PairState()
        3 -> PairState.v1(2)
        4 -> PubState(choice % 3, Overflow.DropOldest)
        5 -> SubState(choice % 3, Overflow.DropLatest)
        6 -> BusState(1, 2)
        7 -> ReqState(20.milliseconds, Random(1))
        8 -> ReplierState(maxHops = 2, limit = 2, mostOpen = 3)
        else -> SurveyorState(20.milliseconds, answers = 2, sendLimit = 1, Random(1))
    }

    private fun next(): Int = if (at < input.size) input[at++].toInt() and 0xFF else 0

    private fun event(): SocketEvent {
        val what = next()
        val pipe = what ushr 6
        return when (what and 0x0F) {
            0, 1 -> SocketEvent.PipeAttached(pipe, next() % 17, next() % 17).also { room += pipe }

            2 -> SocketEvent.PipeDetached(pipe).also { room -= pipe }

            3, 4 -> SocketEvent.Flushed(pipe)

            5, 6, 7 -> SocketEvent.FrameReceived(pipe, bytes())

            8, 9 -> SocketEvent.SendCalled(call(), bytes())

            10, 11 -> SocketEvent.ReceiveCalled(call(), (next() % 32).toLong())

            12 -> SocketEvent.ReplyCalled(call(), (next() % 8).toLong(), bytes())

            13 -> SocketEvent.SubscribeCalled(call(), bytes())

            14 -> SocketEvent.UnsubscribeCalled(call(), bytes())

            else -> waiting.firstOrNull()?.let { SocketEvent.CallCancelled(it.also(waiting::remove)) }
                ?: SocketEvent.Tick
        }
    }

    private fun call(): Long = (++calls).also(waiting::add)

    private fun bytes(): Body {
        val size = minOf(next() % 8, input.size - at)
        at += size
        return Body(input.copyOfRange(at - size, at))
    }

    private fun step(event: SocketEvent) {
        now += 3.milliseconds
        for (effect in state.on(event, now)) {
            when (effect) {
                is SocketEffect.Done -> answer(effect.call)
                is SocketEffect.Fail -> answer(effect.call)
                is SocketEffect.Deliver -> answer(effect.call)
                is SocketEffect.Drop -> check(effect.count > 0) { "$effect" }
                is SocketEffect.Transmit -> check(effect.pipe in room) { "$effect: no such pipe" }
                is SocketEffect.Reject -> room -= effect.pipe
                is SocketEffect.Cut, is SocketEffect.Pause, is SocketEffect.Resume -> Unit
            }
        }
    }

    private fun answer(call: Long) = check(waiting.remove(call)) { "call $call does not wait" }
}
