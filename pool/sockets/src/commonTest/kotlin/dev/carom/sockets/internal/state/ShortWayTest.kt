package dev.carom.sockets.internal.state

import dev.carom.sockets.internal.state.SocketEffect.Deliver
import dev.carom.sockets.internal.state.SocketEffect.Done
import dev.carom.sockets.internal.state.SocketEffect.Transmit
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration

/** Two equal sockets hear the same: one by events alone, the other the short way wherever there is one. */
class ShortWayTest :
    FunSpec({
        val states: Map<String, () -> SocketState> = mapOf(
            "PUSH" to { PushState() },
            "PULL" to { PullState(limit = 3, bytes = 12) },
            "PAIR" to { PairState(limit = 2) },
            "PAIR v1" to { PairState(maxHops = 3, limit = 2) },
            "REP" to { ReplierState(limit = 2) },
            "BUS" to { BusState(sendLimit = 2, receiveLimit = 2) },
            "SUB" to { SubState(limit = 3) },
            "raw PULL" to { RawState(dev.carom.sockets.Protocol.Pull, receiveLimit = 2) },
        )

        for ((name, make) in states) {
            test("$name: the short ways come to what the events come to, in 500 worlds") {
                for (seed in 1..500) Twins(seed, make).live()
            }
        }
    })

private class Twins(private val seed: Int, make: () -> SocketState) {
    private val long = make()
    private val short = make()
    private val random = Random(seed)
    private var calls = 0L
    private var step = 0

    fun live() {
        both(SocketEvent.SubscribeCalled(++calls, text("")))
        repeat(200) {
            step = it
            val pipe = random.nextInt(1, 4)
            when (random.nextInt(12)) {
                0 -> both(SocketEvent.PipeAttached(pipe, random.nextInt(1, 3), random.nextInt(1, 3)))
                1 -> if (random.nextInt(3) == 0) both(SocketEvent.PipeDetached(pipe))
                2 -> both(SocketEvent.CallCancelled(random.nextLong(calls + 1)))
                3, 4 -> both(SocketEvent.Flushed(pipe))
                5, 6 -> send()
                7, 8, 9 -> receive()
                10 -> frames(pipe)
                else -> if (it > 190) both(SocketEvent.CloseCalled)
            }
        }
    }

    private fun send() {
        val call = ++calls
        val body = text("m$call")
        val pipe = short.roomNow()
        if (pipe == SocketState.NO_PIPE) return both(SocketEvent.SendCalled(call, body))
        val room = random.nextBoolean()
        said(
            long.on(SocketEvent.SendCalled(call, body), NOW),
            listOf(Transmit(pipe, Frame(short.header, body)), Done(call)),
        )
        short.tookRoom(pipe, room)
        if (room) said(long.on(SocketEvent.Flushed(pipe), NOW), emptyList())
    }

    private fun receive() {
        val call = ++calls
        val message = short.poll() ?: return both(SocketEvent.ReceiveCalled(call))
        val rest = short.rest
        said(long.on(SocketEvent.ReceiveCalled(call), NOW), listOf(Deliver(call, message)) + rest)
    }

    private fun frames(pipe: Int) {
        val frames = List(random.nextInt(1, 6)) { frame() }
        var at = 0
        while (at < frames.size) {
            val next = short.receive(pipe, frames, at)
            val rest = short.rest
            while (at < next) {
                val effects = long.on(SocketEvent.FrameReceived(pipe, frames[at++]), NOW)
                said(effects, if (at == next) rest else emptyList())
            }
        }
    }

    /** With a word in front that may be a count of hops, or an id, or neither. */
    private fun frame(): Body {
        val word = listOf(1, 2, 9, 1 shl 31, (1 shl 31) or 5).random(random)
        return payload(Frame(intArrayOf(word), Body(ByteArray(random.nextInt(8)))))
    }

    private fun both(event: SocketEvent) = said(long.on(event, NOW), short.on(event, NOW))

    private fun said(long: List<SocketEffect>, short: List<SocketEffect>) {
        if (long != short) println("seed $seed, step $step")
        short shouldBe long
    }

    private companion object {
        val NOW = Duration.ZERO
    }
}
