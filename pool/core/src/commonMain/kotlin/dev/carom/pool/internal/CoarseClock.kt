package dev.carom.pool.internal

import kotlin.concurrent.Volatile
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeMark

/**
 * Time since the pool was opened. [now] is exact and costs what the platform's clock costs; [coarseMillis] is up to
 * [TICK] late and costs one read, so that lending need not ask the clock.
 *
 * While nobody asks, nothing ticks: the first to ask after a tick calls [wake], and the shell ticks once, a [TICK] later.
 */
internal class CoarseClock(private val start: TimeMark, private val wake: () -> Unit) {
    @Volatile
    private var millis = 0L

    @Volatile
    private var idle = true

    fun now(): Duration = start.elapsedNow()

    fun coarseMillis(): Long {
        if (idle) touchIdle()
        return millis
    }

    fun touch() {
        if (idle) touchIdle()
    }

    fun tick(now: Duration) {
        millis = now.inWholeMilliseconds
        idle = true
    }

    private fun touchIdle() {
        idle = false
        millis = now().inWholeMilliseconds
        wake()
    }

    companion object {
        val TICK: Duration = 50.milliseconds
    }
}
