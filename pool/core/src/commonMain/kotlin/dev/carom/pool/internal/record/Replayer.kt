package dev.carom.pool.internal.record

import dev.carom.pool.PoolPolicy
import dev.carom.pool.PoolRecordingException
import dev.carom.pool.PoolReplay
import dev.carom.pool.ReplayDivergence
import dev.carom.pool.ReplayedNotice
import dev.carom.pool.internal.Hooks
import dev.carom.pool.internal.PoolEffect
import dev.carom.pool.internal.PoolState
import kotlin.random.Random
import kotlin.time.Duration.Companion.nanoseconds

/** Takes a fresh state through a recording. */
internal class Replayer private constructor(private val name: String, seed: Long, hooks: Hooks, policy: PoolPolicy) {
    private val tape = ReplayingTape()
    private val state = PoolState(policy, TapedLending(tape, NoLending), Random(seed), hooks)
    private val ceiling = policy.ceiling
    private val notices = ArrayList<ReplayedNotice>()
    private var steps = 0
    private var divergence: ReplayDivergence? = null

    private fun result() = PoolReplay(name, steps, notices.toList(), divergence)

    /** Returns whether it went as recorded. */
    private fun step(number: Int, line: String): Boolean {
        val reader = LineReader(line)
        val step = reader.number()
        if (step != steps + 1L) throw Damage("it is event $step, but event ${steps + 1} should follow")
        val at = reader.number()
        if (at < 0) throw Damage("its time must not be negative, was $at")
        val event = reader.event(ceiling)
        tape.begin(reader.plain())
        val recorded = List(maxOf(0, reader.left - 1)) { reader.text() }
        reader.finish()
        steps++
        divergence = try {
            val effects = state.on(event, at.nanoseconds)
            effects.forEach { if (it is PoolEffect.Tell) notices += ReplayedNotice(number, at, it.notice.toString()) }
            tape.end()
            difference(number, recorded, effects.map(::textOf))
        } catch (e: ReplayingTape.Diverged) {
            ReplayDivergence(number, e.recorded, e.replayed)
        }
        return divergence == null
    }

    private fun difference(number: Int, recorded: List<String>, replayed: List<String>): ReplayDivergence? {
        if (recorded == replayed) return null
        val at = (0..maxOf(recorded.size, replayed.size)).first { recorded.getOrNull(it) != replayed.getOrNull(it) }
        return ReplayDivergence(number, recorded.getOrNull(at) ?: NOTHING, replayed.getOrNull(at) ?: NOTHING)
    }

    companion object {
        private const val NOTHING = "nothing more"
        private const val HOOKS = 4

        fun replay(lines: Iterator<String>): PoolReplay {
            var number = 0
            var replayer: Replayer? = null
            while (lines.hasNext()) {
                val line = lines.next()
                number++
                if (line.isEmpty()) continue
                val current = replayer
                if (current == null) {
                    replayer = undamaged(number) { open(line) }
                } else if (!undamaged(number) { current.step(number, line) }) {
                    break
                }
            }
            return replayer?.result() ?: throw PoolRecordingException(1, "there is none")
        }

        private fun open(line: String): Replayer {
            val reader = LineReader(line)
            if (reader.plain() != FORMAT) throw Damage("it does not begin with \"$FORMAT\"")
            val version = reader.number()
            if (version != VERSION) throw Damage("its format is $version, only $VERSION is known")
            val name = reader.text()
            val seed = reader.number()
            val flags = reader.plain()
            if (flags.length != HOOKS || flags.any { it !in "01" }) throw Damage("\"$flags\" are no hooks")
            val (acquire, recycle, valid, role) = flags.map { it == '1' }
            val policy = reader.policy()
            reader.finish()
            return Replayer(name, seed, Hooks(acquire, recycle, valid, role), policy)
        }

        private fun LineReader.finish() {
            if (left == 0 || plain() != END) throw Damage("it is cut short: it does not end with \"$END\"")
            end()
        }

        /** What a pool's own line cannot do to a policy, a backend or a state, a damaged one can. */
        private inline fun <T> undamaged(number: Int, read: () -> T): T = try {
            read()
        } catch (e: Damage) {
            throw PoolRecordingException(number, e.message.orEmpty())
        } catch (e: IllegalArgumentException) {
            throw PoolRecordingException(number, e.message ?: "a value is out of bounds")
        } catch (e: IllegalStateException) {
            throw PoolRecordingException(number, e.message ?: "it cannot have happened")
        }
    }
}
