package dev.carom.samples.echo

import dev.carom.pool.BackendSnapshot
import dev.carom.pool.Pool
import dev.carom.pool.PoolNotice
import dev.carom.pool.PoolSnapshot
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import java.io.PrintStream
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

/** Shows the pool while it works: redrawn in place on a terminal, a table every few seconds elsewhere. */
class Screen(private val out: PrintStream, private val live: Boolean) {
    private val start = TimeSource.Monotonic.markNow()
    private val notices = ArrayDeque<String>()

    @Volatile
    private var step = ""

    /** Says what is being done now. */
    fun step(text: String) {
        step = "%5.1f s  %s".format(start.elapsedNow().toDouble(DurationUnit.SECONDS), text)
        if (!live) out.println("\n==> $step")
    }

    /** Says one line that stays. */
    fun say(text: String) {
        out.println(text)
    }

    /** A notice that is about one slot is shown only if a failure is behind it: there are too many others. */
    fun notice(notice: PoolNotice) {
        if (notice !is PoolNotice.SlotChanged || notice.cause != null) note(notice.toString())
    }

    /** Shows [text] among the last notices. */
    fun note(text: String) {
        val line = "%5.1f s  %s".format(start.elapsedNow().toDouble(DurationUnit.SECONDS), text)
        synchronized(notices) {
            notices.addLast(line)
            while (notices.size > NOTICES) notices.removeFirst()
        }
    }

    /** Draws again and again until cancelled. */
    fun show(scope: CoroutineScope, pool: Pool<*>): Job = scope.launch {
        var before = pool.snapshot.value
        val pause = if (live) LIVE_PAUSE else LOG_PAUSE
        while (true) {
            delay(pause)
            val now = pool.snapshot.value
            if (live) out.print(CLEAR)
            out.println(table(before, now, pause))
            before = now
        }
    }

    private fun table(before: PoolSnapshot, now: PoolSnapshot, pause: Duration): String = buildString {
        if (live) appendLine("==> $step\n")
        appendLine(
            ROW.format("backend", "state", "connecting", "ready", "claimed", "checking", "backing off", "claims/s"),
        )
        for (backend in now.backends) {
            val claims = before.backends.firstOrNull { it.backend == backend.backend }?.claims ?: 0L
            appendLine(row(backend, perSecond(backend.claims - claims, pause)))
        }
        val rate = perSecond(now.claims - before.claims, pause)
        append("pool ${now.name}: ${now.phase}, ${now.connected} connected of at most ${now.maxSlots}, ")
        append("${now.waiting} waiting, ${now.refused} refused, ${now.claims} claims, $rate/s")
        synchronized(notices) { notices.forEach { append("\n  ").append(it.take(WIDTH)) } }
    }

    private fun row(it: BackendSnapshot, rate: Long): String {
        val state = when {
            it.removed -> "removed"
            !it.online -> "down"
            it.active -> "up, active"
            else -> "up"
        }
        val address = "${it.backend.name}:${it.backend.port}"
        val claimed = it.claimed + it.draining
        return ROW.format(address, state, it.connecting, it.ready, claimed, it.checking, it.backingOff, rate)
    }

    private fun perSecond(count: Long, pause: Duration) = (count / pause.toDouble(DurationUnit.SECONDS)).toLong()

    private companion object {
        const val NOTICES = 5
        const val WIDTH = 160
        const val CLEAR = "\u001b[H\u001b[2J"
        const val ROW = "%-20s %-10s %10s %6s %8s %9s %12s %9s"
        val LIVE_PAUSE = 250.milliseconds
        val LOG_PAUSE = 3.seconds
    }
}
