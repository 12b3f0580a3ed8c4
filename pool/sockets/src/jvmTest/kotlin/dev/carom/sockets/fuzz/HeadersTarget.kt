package dev.carom.sockets.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.sockets.internal.state.PairState
import dev.carom.sockets.internal.state.ReplierState
import dev.carom.sockets.internal.state.ReqState
import dev.carom.sockets.internal.state.SocketEffect
import dev.carom.sockets.internal.state.SocketEvent
import dev.carom.sockets.internal.state.SocketState
import dev.carom.sockets.internal.state.SurveyorState
import dev.carom.sockets.internal.wire.Backtrace
import dev.carom.sockets.internal.wire.Body
import kotlin.random.Random
import kotlin.time.Duration

/**
 * The first byte chooses a protocol that has headers, and the hop limit; the rest is one frame for it. The stack of words
 * is cut where it says, and each frame is delivered, dropped, or ends its pipe: exactly one of these.
 */
internal class HeadersTarget : FuzzTarget(fixed = 16_384, perByte = 8) {
    override fun prepare(): (ByteArray) -> Unit {
        val states = List(5) { state(it) }
        return { input -> if (input.isNotEmpty()) take(states, input) }
    }

    private fun state(kind: Int): SocketState = when (kind) {
        0 -> PairState.v1()
        1 -> ReqState(random = Random(1))
        2 -> SurveyorState(random = Random(1))
        else -> ReplierState(maxHops = if (kind == 3) 1 else Backtrace.DEFAULT_HOPS)
    }

    private fun take(states: List<SocketState>, input: ByteArray) {
        val choice = input[0].toInt() and 0xFF
        val frame = Body(input, 1)
        stack(frame, choice / states.size + 1)
        val state = states[choice % states.size]
        val now = Duration.ZERO
        state.on(SocketEvent.PipeAttached(1), now)
        state.on(SocketEvent.SendCalled(1, Body(NOTHING)), now)
        val call = if (state is ReqState) 1L else 2L
        state.on(SocketEvent.ReceiveCalled(2, survey = 1), now)
        val effects = state.on(SocketEvent.FrameReceived(1, frame), now)
        val ends = effects.count { it is SocketEffect.Deliver || it is SocketEffect.Drop }
        check(ends == 1) { "a frame of ${frame.size} bytes ended $ends times: $effects" }
        for (effect in effects.filterIsInstance<SocketEffect.Deliver>()) {
            check(effect.call == call && effect.message.body.size < frame.size) { "delivered as $effect" }
        }
    }

    private fun stack(frame: Body, hops: Int) {
        val way = Backtrace.read(frame, hops) as? Backtrace.Complete ?: return
        check(way.words.size <= hops && way.words.last() < 0) { "${way.words.size} words" }
        for (i in 0 until way.words.size - 1) check(way.words[i] >= 0) { "word $i is an id" }
        check(way.words.size * 4 + way.body.size == frame.size) { "${way.words.size} words, ${way.body.size} bytes" }
    }

    private companion object {
        val NOTHING = ByteArray(0)
    }
}
