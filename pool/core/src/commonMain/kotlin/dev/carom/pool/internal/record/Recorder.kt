package dev.carom.pool.internal.record

import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolRecording
import dev.carom.pool.internal.Hooks
import dev.carom.pool.internal.Lending
import dev.carom.pool.internal.PoolEffect
import dev.carom.pool.internal.PoolEvent
import dev.carom.pool.internal.PoolState
import kotlin.random.Random
import kotlin.time.Duration

internal const val FORMAT = "carom-pool-recording"
internal const val VERSION = 1L

/** The end of each line, so that one cut short is seen. */
internal const val END = "."

/** Has a state decide, and writes down by what and how. */
internal class Recorder(private val sink: PoolRecording, desk: Lending, dice: Random) {
    private val tape = RecordingTape()
    private val seed = dice.nextLong()
    private var steps = 0L
    private var failed = false

    /** For the state, instead of the desk and the dice. */
    val lending: Lending = TapedLending(tape, desk)
    val random = Random(seed)

    fun begin(name: String, policy: PoolPolicy, hooks: Hooks) {
        val flags = listOf(hooks.acquire, hooks.recycle, hooks.valid, hooks.role).joinToString("") {
            if (it) "1" else "0"
        }
        val line = LineWriter().plain(FORMAT).number(VERSION).text(name).number(seed).plain(flags).policy(policy)
        write(line.plain(END))
    }

    fun decide(state: PoolState, event: PoolEvent, now: Duration): List<PoolEffect> {
        if (failed) return state.on(event, now)
        tape.begin()
        val effects = state.on(event, now)
        val line = LineWriter().number(++steps).number(now.inWholeNanoseconds).event(event).plain(tape.end())
        for (effect in effects) line.text(textOf(effect))
        write(line.plain(END))
        return effects
    }

    private fun write(line: LineWriter) {
        try {
            sink.line(line.toString())
        } catch (_: Throwable) {
            // The sink does not suspend: whatever it throws is its own failure, and none of the pool's.
            failed = true
        }
    }
}
