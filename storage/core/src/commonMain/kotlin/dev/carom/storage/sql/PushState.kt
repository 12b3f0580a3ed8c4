package dev.carom.storage.sql

import dev.carom.storage.internal.Step

/** Somebody who waits for the next row. */
internal open class PushReader

internal sealed interface PushEvent {
    class ColumnsCame(val columns: Columns) : PushEvent

    class RowCame(val row: Row) : PushEvent

    /** The platform has nothing more. @property failure why, if something went wrong. */
    class Ended(val failure: Throwable?) : PushEvent

    class NextAsked(val reader: PushReader) : PushEvent

    /** Whoever waited was cancelled. */
    class NextGone(val reader: PushReader) : PushEvent

    data object CloseAsked : PushEvent
}

internal sealed interface PushEffect {
    class Deliver(val reader: PushReader, val row: Row) : PushEffect

    class Finish(val reader: PushReader) : PushEffect

    class Fail(val reader: PushReader, val failure: Throwable) : PushEffect

    class RefuseConcurrent(val reader: PushReader) : PushEffect

    /** It is known how the result begins: columns, or an end. */
    data object Ready : PushEffect

    /** [PushState.paused] or [PushState.stopped] has changed. */
    data object Flow : PushEffect

    /** Nothing more comes. */
    data object Complete : PushEffect
}

/** A queue that is a value: what is behind is turned around when the front is used up. */
internal class Fifo<T : Any> private constructor(
    private val front: Cell<T>?,
    private val back: Cell<T>?,
    val size: Int,
) {
    constructor() : this(null, null, 0)

    private class Cell<T : Any>(val item: T, val next: Cell<T>?)

    operator fun plus(item: T): Fifo<T> = Fifo(front, Cell(item, back), size + 1)

    fun pop(): Pair<T, Fifo<T>>? {
        val first = front ?: turned() ?: return null
        return first.item to Fifo(first.next, if (front == null) null else back, size - 1)
    }

    private fun turned(): Cell<T>? {
        var from = back
        var to: Cell<T>? = null
        while (from != null) {
            to = Cell(from.item, to)
            from = from.next
        }
        return to
    }
}

/**
 * Rows between a platform that pushes them and one reader.
 * ```
 * Open ──Ended──▶ Ended ──last row read──▶ closed
 *   └──CloseAsked, NextGone──▶ Cancelled ──Ended──▶ closed
 * ```
 * At [PushPolicy.pauseCount] buffered rows the platform is asked to pause, at [PushPolicy.resumeCount] to go on. A failure
 * drops what is buffered: what came before it is not known to be right.
 */
internal data class PushState(
    val policy: PushPolicy,
    val columns: Columns? = null,
    val buffer: Fifo<Row> = Fifo(),
    val reader: PushReader? = null,
    val paused: Boolean = false,
    val pauses: Long = 0,
    val resumes: Long = 0,
    val ended: Boolean = false,
    val cancelled: Boolean = false,
    /** Whether the platform is to be told of that: not if it had ended. */
    val stopped: Boolean = false,
    val failure: Throwable? = null,
    val failureTold: Boolean = false,
    val endTold: Boolean = false,
) {
    val isClosed: Boolean get() = cancelled || endTold

    fun on(event: PushEvent): Step<PushState, PushEffect> = when (event) {
        is PushEvent.ColumnsCame -> if (ended) Step(this) else Step(copy(columns = event.columns), PushEffect.Ready)

        is PushEvent.RowCame -> rowCame(event.row)

        is PushEvent.Ended -> ended(event.failure)

        is PushEvent.NextAsked -> nextAsked(event.reader)

        // Also one that was served at that moment: its row is lost, so what follows must not be read as if it were not.
        is PushEvent.NextGone -> copy(reader = reader.takeIf { it !== event.reader }).cancel()

        is PushEvent.CloseAsked -> cancel()
    }

    private fun rowCame(row: Row): Step<PushState, PushEffect> {
        val waiting = reader
        return when {
            ended || cancelled -> Step(this)
            waiting != null -> Step(copy(reader = null), PushEffect.Deliver(waiting, row))
            buffer.size + 1 < policy.pauseCount || paused -> Step(copy(buffer = buffer + row))
            else -> Step(copy(buffer = buffer + row, paused = true, pauses = pauses + 1), PushEffect.Flow)
        }
    }

    private fun ended(why: Throwable?): Step<PushState, PushEffect> {
        if (ended) return Step(this)
        val waiting = reader
        val last = listOf(PushEffect.Ready, PushEffect.Complete)
        // Whoever closed does not want to know.
        val next = copy(ended = true, reader = null, failure = failure ?: why, failureTold = cancelled)
        return when {
            why != null && !cancelled -> {
                val cut = next.copy(buffer = Fifo(), cancelled = true, stopped = true, failureTold = waiting != null)
                val told = listOfNotNull(waiting?.let { PushEffect.Fail(it, why) })
                Step(cut, listOf(PushEffect.Flow) + told + last)
            }

            waiting != null -> Step(next.finish(), listOf(PushEffect.Finish(waiting)) + last)

            else -> Step(next, last)
        }
    }

    private fun nextAsked(asking: PushReader): Step<PushState, PushEffect> {
        val failed = failure
        val row = if (cancelled) null else buffer.pop()
        return when {
            reader != null -> Step(this, PushEffect.RefuseConcurrent(asking))
            row != null -> copy(buffer = row.second).read(asking, row.first)
            failed != null && ended && !failureTold -> Step(copy(failureTold = true), PushEffect.Fail(asking, failed))
            ended -> Step(finish(), PushEffect.Finish(asking))
            else -> Step(copy(reader = asking))
        }
    }

    private fun read(asking: PushReader, row: Row): Step<PushState, PushEffect> {
        val deliver = PushEffect.Deliver(asking, row)
        if (!paused || buffer.size > policy.resumeCount) return Step(this, deliver)
        return Step(copy(paused = false, resumes = resumes + 1), PushEffect.Flow, deliver)
    }

    private fun cancel(): Step<PushState, PushEffect> = when {
        cancelled -> Step(this)
        ended -> Step(copy(cancelled = true, buffer = Fifo()))
        else -> Step(copy(cancelled = true, stopped = true, buffer = Fifo()), PushEffect.Flow, PushEffect.Ready)
    }

    private fun finish(): PushState = copy(endTold = true)
}
