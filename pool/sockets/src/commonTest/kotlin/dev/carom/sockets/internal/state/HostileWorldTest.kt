package dev.carom.sockets.internal.state

import dev.carom.sockets.Protocol
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.Violation
import io.kotest.core.spec.style.FunSpec
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * Worlds without manners: any event at any time, about pipes and calls that may not exist, with frames of garbage. No state
 * throws, writes to a pipe without room, or answers a call twice.
 */
class HostileWorldTest :
    FunSpec({
        val worlds = System.getProperty("carom.worlds")?.toIntOrNull() ?: 2_000

        val states: Map<String, (Random) -> SocketState> = mapOf(
            "PUSH" to { _ -> PushState() },
            "PULL" to { random -> PullState(limit = random.nextInt(1, 4)) },
            "PAIR" to { _ -> PairState() },
            "PAIR v1" to { _ -> PairState.v1() },
            "PUB" to { random -> PubState(random.nextInt(4), Overflow.entries.random(random)) },
            "SUB" to { random -> SubState(random.nextInt(4), Overflow.entries.random(random)) },
            "BUS" to { random -> BusState(random.nextInt(4), random.nextInt(1, 4)) },
            "REQ" to { random -> ReqState(if (random.nextBoolean()) 50.milliseconds else Duration.INFINITE, random) },
            "REP" to { random -> ReplierState(random.nextInt(1, 4), random.nextInt(1, 4), random.nextInt(1, 9)) },
            "SURVEYOR" to { random -> SurveyorState(40.milliseconds, random.nextInt(4), random.nextInt(4), random) },
        )
        val raw: Map<String, (Random) -> SocketState> = Protocol.entries.associate { protocol ->
            "raw ${protocol.label}" to { random: Random ->
                RawState(protocol, random.nextInt(1, 4), random.nextInt(1, 4), random.nextInt(4))
            }
        }

        for ((name, state) in states + raw) {
            test("$name survives $worlds worlds without manners") {
                for (seed in 1..worlds) HostileWorld(seed, state).live(steps = 120)
            }
        }
    })

private class HostileWorld(private val seed: Int, state: (Random) -> SocketState) {
    private val random = Random(seed)
    private val state = state(Random(seed))

    /** Put into words only when they are read. */
    private val log = ArrayList<() -> String>()
    private val room = HashMap<Int, Boolean>()
    private val asked = HashSet<Long>()
    private val answered = HashSet<Long>()
    private val seen = ArrayList<Message>()
    private val ids = ArrayList<Int>()
    private var calls = 0L
    private var now = Duration.ZERO

    fun live(steps: Int) {
        try {
            repeat(steps) { step(event()) }
            step(SocketEvent.CloseCalled)
            check(asked.none { it !in answered }) { "calls left waiting: ${asked - answered}" }
            repeat(10) { step(event()) }
            check(asked.none { it !in answered }) { "calls left waiting after close: ${asked - answered}" }
        } catch (e: Throwable) {
            throw AssertionError("seed $seed: ${e.message}\n${log.takeLast(30).joinToString("\n") { it() }}", e)
        }
    }

    private fun step(event: SocketEvent) {
        now += random.nextInt(8).milliseconds
        before(event)
        val effects = state.on(event, now)
        val (then, caused) = now to effects.toList()
        log += { "$then $event -> $caused" }
        effects.forEach(::obey)
        state.nextDeadline?.let { check(it > now) { "deadline $it is not after $now" } }
        check(state.unflushed >= 0)
    }

    private fun before(event: SocketEvent) {
        when (event) {
            is SocketEvent.PipeAttached -> room.getOrPut(event.pipe) { true }

            is SocketEvent.PipeDetached -> room.remove(event.pipe)

            is SocketEvent.Flushed -> room.computeIfPresent(event.pipe) { _, _ -> true }

            is SocketEvent.SendCalled -> asked += event.call

            is SocketEvent.ReceiveCalled -> asked += event.call

            is SocketEvent.ReplyCalled -> asked += event.call

            is SocketEvent.SubscribeCalled -> asked += event.call

            is SocketEvent.UnsubscribeCalled -> asked += event.call

            is SocketEvent.CallCancelled -> asked -= event.call

            is SocketEvent.FrameReceived, is SocketEvent.RequestForgotten, is SocketEvent.MessageReturned,
            is SocketEvent.PipeRetired, SocketEvent.CloseCalled, SocketEvent.Tick,
            -> Unit
        }
    }

    private fun obey(effect: SocketEffect) {
        when (effect) {
            is SocketEffect.Transmit -> {
                check(room[effect.pipe] == true) { "no room for $effect" }
                room[effect.pipe] = false
                effect.frame.header.lastOrNull()?.let(ids::add)
            }

            is SocketEffect.Reject -> room.remove(effect.pipe)

            is SocketEffect.Cut -> check(effect.pipe in room) { "$effect: no such pipe" }

            is SocketEffect.Pause -> check(effect.pipe in room) { "$effect: no such pipe" }

            is SocketEffect.Resume -> check(effect.pipe in room) { "$effect: no such pipe" }

            is SocketEffect.Done -> answer(effect.call)

            is SocketEffect.Fail -> answer(effect.call)

            is SocketEffect.Deliver -> {
                answer(effect.call)
                seen += effect.message
            }

            is SocketEffect.Drop -> check(effect.count > 0)
        }
    }

    private fun answer(call: Long) {
        check(call in asked) { "call $call was cancelled, or never made" }
        check(answered.add(call)) { "call $call is answered twice" }
    }

    private fun event(): SocketEvent = when (random.nextInt(15)) {
        0, 1 -> SocketEvent.PipeAttached(pipe(), random.nextInt(-1, 19), random.nextInt(-1, 19))

        2 -> SocketEvent.PipeDetached(pipe(), cause())

        3, 4 -> SocketEvent.Flushed(pipe())

        5, 6, 7 -> SocketEvent.FrameReceived(pipe(), frame())

        8, 9 -> SocketEvent.SendCalled(++calls, frame(), if (random.nextBoolean()) 0 else pipe())

        10, 11 -> SocketEvent.ReceiveCalled(++calls, random.nextLong(calls + 1))

        12 -> SocketEvent.ReplyCalled(++calls, random.nextLong(20), frame())

        13 -> when (random.nextInt(6)) {
            5 -> SocketEvent.PipeRetired(pipe())
            0 -> SocketEvent.RequestForgotten(random.nextLong(20))
            1 -> if (seen.isEmpty()) SocketEvent.Tick else SocketEvent.MessageReturned(seen.random(random))
            2 -> SocketEvent.SubscribeCalled(++calls, Body(random.nextBytes(random.nextInt(2))))
            3 -> SocketEvent.UnsubscribeCalled(++calls, Body(random.nextBytes(random.nextInt(2))))
            else -> SocketEvent.Tick
        }

        else -> cancel()
    }

    /** Only what still waits can be cancelled: the shell knows what it has answered. */
    private fun cancel(): SocketEvent {
        val call = asked.filter { it !in answered }.randomOrNull(random) ?: return SocketEvent.Tick
        return SocketEvent.CallCancelled(call)
    }

    private fun pipe() = random.nextInt(1, 6)

    private fun cause() = if (random.nextBoolean()) {
        null
    } else {
        Violation.TooLarge(
            2_000_000UL,
            1_000_000,
            ids.randomOrNull(random),
        )
    }

    private fun frame(): Body {
        val body = Body(random.nextBytes(random.nextInt(6)))
        return when (random.nextInt(4)) {
            0 -> body
            1 -> payload(Frame(intArrayOf(random.nextInt(12)), body))
            2 -> payload(Frame(IntArray(random.nextInt(1, 5)) { random.nextInt() }, body))
            else -> payload(Frame(intArrayOf(ids.randomOrNull(random) ?: Int.MIN_VALUE), body))
        }
    }
}
