package dev.carom.pool.internal.set

import kotlinx.coroutines.CompletableDeferred

/** A message on its way. [done] is for a sender who waits until it is written. */
internal class Entry<M : Any>(val message: M, val bytes: Long, val done: CompletableDeferred<Unit>?) {
    /** Counted by the writer alone. */
    var attempts = 0
}

/**
 * Messages in order, and one at the writer. A value: each function returns another, so that threads exchange it by
 * comparing and setting.
 *
 * @property atWriter the next to be written, also after a write of it failed; not counted in [count] and [bytes].
 * @property writing its write has begun: it cannot be taken out.
 */
internal class Outbox<M : Any> private constructor(
    private val front: Cell<M>?,
    private val back: Cell<M>?,
    val count: Int,
    val bytes: Long,
    val atWriter: Entry<M>?,
    val writing: Boolean,
    val closed: Boolean,
) {
    private class Cell<M : Any>(val entry: Entry<M>, val next: Cell<M>?)

    constructor() : this(null, null, 0, 0, null, writing = false, closed = false)

    val isEmpty: Boolean get() = count == 0 && atWriter == null

    /** All, the oldest first. */
    val entries: List<Entry<M>>
        get() = listOfNotNull(atWriter) + cells(front) + cells(back).asReversed()

    fun fits(size: Long, maxMessages: Int, maxBytes: Long): Boolean = count < maxMessages && bytes + size <= maxBytes

    fun add(entry: Entry<M>): Outbox<M> = copy(back = Cell(entry, back), count = count + 1, bytes = bytes + entry.bytes)

    /** Without the oldest that is not at the writer, and that one; null if there is none. */
    fun removeOldest(): Pair<Outbox<M>, Entry<M>>? {
        val first = front ?: reversed(back) ?: return null
        val rest = copy(
            front = first.next,
            back = if (front == null) null else back,
            count = count - 1,
            bytes = bytes - first.entry.bytes,
        )
        return rest to first.entry
    }

    /** The oldest is being written now; null if there is none. */
    fun begin(): Outbox<M>? {
        if (atWriter != null) return copy(writing = true)
        val (rest, oldest) = removeOldest() ?: return null
        return rest.copy(atWriter = oldest, writing = true)
    }

    /** The one at the writer is done with. */
    fun finish(): Outbox<M> = copy(atWriter = null, writing = false)

    /** The one at the writer is to be written again. */
    fun retry(): Outbox<M> = copy(writing = false)

    /** This itself if [entry] is not here, or is being written. */
    fun remove(entry: Entry<M>): Outbox<M> {
        if (atWriter === entry) return if (writing) this else copy(atWriter = null)
        val queued = cells(front) + cells(back).asReversed()
        if (entry !in queued) return this
        val rest = queued.filter { it !== entry }.foldRight<Entry<M>, Cell<M>?>(null) { each, next -> Cell(each, next) }
        return copy(front = rest, back = null, count = count - 1, bytes = bytes - entry.bytes)
    }

    fun close(): Outbox<M> = copy(closed = true)

    fun closeEmpty(): Outbox<M> = Outbox<M>().close()

    private fun copy(
        front: Cell<M>? = this.front,
        back: Cell<M>? = this.back,
        count: Int = this.count,
        bytes: Long = this.bytes,
        atWriter: Entry<M>? = this.atWriter,
        writing: Boolean = this.writing,
        closed: Boolean = this.closed,
    ) = Outbox(front, back, count, bytes, atWriter, writing, closed)

    private fun cells(first: Cell<M>?): List<Entry<M>> = generateSequence(first) { it.next }.map { it.entry }.toList()

    private fun reversed(cells: Cell<M>?): Cell<M>? {
        var from = cells
        var to: Cell<M>? = null
        while (from != null) {
            to = Cell(from.entry, to)
            from = from.next
        }
        return to
    }
}
