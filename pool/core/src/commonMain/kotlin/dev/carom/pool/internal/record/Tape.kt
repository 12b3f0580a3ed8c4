package dev.carom.pool.internal.record

import dev.carom.pool.Role
import dev.carom.pool.internal.Lending
import dev.carom.pool.internal.Meter
import dev.carom.pool.internal.Readings

/** What the state was told of what other threads do, while it handled an event, in the order in which it asked. */
internal interface Tape {
    fun hear(question: String, answer: () -> Long): Long
}

/** Asks, and keeps the answers of the event at hand. */
internal class RecordingTape : Tape {
    private val text = StringBuilder()
    private var running = false
    private var last = ""
    private var times = 0

    fun begin() {
        running = true
        text.clear()
        last = ""
        times = 0
    }

    fun end(): String {
        running = false
        flush()
        return text.toString()
    }

    override fun hear(question: String, answer: () -> Long): Long {
        val value = answer()
        // Between events it is asked too, for snapshots and deadlines: nothing is decided by these.
        if (running) note("$question=$value")
        return value
    }

    private fun note(heard: String) {
        if (heard != last) {
            flush()
            last = heard
        }
        times++
    }

    private fun flush() {
        if (times == 0) return
        if (text.isNotEmpty()) text.append(' ')
        text.append(last)
        if (times > 1) text.append('*').append(times)
        times = 0
    }
}

/** Answers as recorded. */
internal class ReplayingTape : Tape {
    /** The state asked for something else than when it was recorded. */
    class Diverged(val recorded: String, val replayed: String) : RuntimeException(replayed)

    private class Run(val question: String, val answer: Long, var times: Int)

    private val runs = ArrayDeque<Run>()

    fun begin(text: String) {
        runs.clear()
        if (text.isEmpty()) return
        text.split(' ').forEach { runs += parse(it) }
    }

    fun end() {
        val rest = runs.firstOrNull() ?: return
        throw Diverged("asked ${rest.question}", "asked nothing more")
    }

    override fun hear(question: String, answer: () -> Long): Long {
        val run = runs.firstOrNull() ?: throw Diverged("asked nothing more", "asked $question")
        if (run.question != question) throw Diverged("asked ${run.question}", "asked $question")
        if (--run.times == 0) runs.removeFirst()
        return run.answer
    }

    private fun parse(run: String): Run {
        val question = run.substringBefore('=')
        val rest = run.substringAfter('=', "")
        val answer = rest.substringBefore('*').toLongOrNull()
        val times = rest.substringAfter('*', "1").toIntOrNull()
        if (answer == null || times == null || times < 1) throw Damage("\"$run\" is no answer")
        return Run(question, answer, times)
    }
}

/** [live] heard by a [tape]. */
internal class TapedLending(private val tape: Tape, private val live: Lending) : Lending {
    override val waiting: Int get() = tape.hear("waiting") { live.waiting.toLong() }.toInt()
    override val free: Int get() = tape.hear("free") { live.free.toLong() }.toInt()

    override fun isFree(index: Int): Boolean = tape.hear("is") { live.isFree(index).number } != 0L

    override fun recall(index: Int): Boolean = tape.hear("recall$index") { live.recall(index).number } != 0L

    override fun keep(index: Int) {
        tape.hear("keep$index") {
            live.keep(index)
            0
        }
    }

    override fun loans(index: Int): Int = tape.hear("loans") { live.loans(index).toLong() }.toInt()

    override fun idleSince(index: Int): Long = tape.hear("idle") { live.idleSince(index) }

    override fun readings(meter: Meter): Readings = TapedReadings(tape, live.readings(meter))

    private val Boolean.number: Long get() = if (this) 1 else 0
}

private class TapedReadings(private val tape: Tape, private val live: Readings) : Readings {
    override val goodHalves: Long get() = tape.hear("good") { live.goodHalves }
    override val badHalves: Long get() = tape.hear("bad") { live.badHalves }
    override val inARow: Int get() = tape.hear("row") { live.inARow.toLong() }.toInt()
    override val demotions: Int get() = tape.hear("demotions") { live.demotions.toLong() }.toInt()
    override val role: Role
        get() {
            val ordinal = tape.hear("role") { live.role.ordinal.toLong() }
            return Role.entries.getOrNull(ordinal.toInt()) ?: throw Damage("there is no role $ordinal")
        }
}

/** Lends nothing: for a replay, where the tape answers. */
internal object NoLending : Lending {
    override val waiting: Int get() = 0
    override val free: Int get() = 0

    override fun isFree(index: Int): Boolean = false

    override fun recall(index: Int): Boolean = false

    override fun keep(index: Int) = Unit

    override fun loans(index: Int): Int = 0

    override fun idleSince(index: Int): Long = 0
}
