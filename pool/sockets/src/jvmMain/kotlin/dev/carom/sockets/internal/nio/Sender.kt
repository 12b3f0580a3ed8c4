package dev.carom.sockets.internal.nio

import java.io.IOException
import java.nio.channels.SocketChannel

/**
 * Writes for one link: in the thread that sends while that is quick, otherwise on the loop.
 *
 *                ┌────────────all written────────────┐
 *                ▼                                   │
 *     Idle ──flush, the last one is some time ago──► Inline ──the system is full──► Loop ──all written──► Idle
 *       │                                            ▲                              ▲
 *       └──flush, in a burst──► Scheduled ──much is──┘                              │
 *                                  └──────the loop comes to it──────────────────────┘
 *
 * One message after a pause is written at once. In a burst the sender only appends, and the loop writes whatever has been
 * collected each time it comes by, so that a system call carries many messages.
 *
 * In a flood whoever sends writes nearly all of it, in large pieces, and to wake the loop between any two of them, in case
 * it was the last, would cost as much as writing. So when it has gone on for a while the loop watches: it looks by every
 * [NioLoop.WATCH_MILLIS], nobody wakes it for this, and what is there then is written, also what is left at the end.
 *
 * @param full bytes from which on no more is welcome.
 */
internal class Sender(private val loop: NioLoop, private val channel: SocketChannel, private val full: Int) {
    private enum class Turn { Idle, Inline, Scheduled, Loop }

    private val lock = Any()
    private val outbox = Outbox()

    /** Changes under the lock. */
    @Volatile
    private var turn = Turn.Idle
    private var lastWritten = System.nanoTime() - BURST_NANOS
    private var refusals = 0
    private var finishing = false
    private var closed = false
    private var late = 0
    private var toFlush = false

    /** The loop has been asked to come by, and has not yet. */
    private var posted = false

    /** Times that whoever sends had much to write; and how many there were when the loop came by last. */
    private var pieces = 0L
    private var piecesSeen = 0L

    /** How often in a row the loop came by and there were more. */
    private var streak = 0

    /** The loop comes by without being asked. */
    private var watched = false

    /** Called when the system takes nothing more: on the loop, to be told of [flushOnLoop] when it does again. */
    lateinit var whenBlocked: () -> Unit
    lateinit var whenWritable: () -> Unit

    /** On the loop. */
    lateinit var whenFinished: () -> Unit
    lateinit var whenFailed: (Throwable) -> Unit

    val unwritten: Int get() = synchronized(lock) { outbox.messages + late }

    fun append(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean = synchronized(lock) {
        if (closed) {
            late++
            return true
        }
        outbox.append(head, headSize, body, from, to)
        val welcome = outbox.pending < full
        if (!welcome) refusals++
        welcome
    }

    fun flush() {
        if (loop.isCurrent) {
            if (!toFlush) {
                toFlush = true
                loop.flushLater(this)
            }
            return
        }
        // Whoever has the turn saw what was appended before, or will; a look without the lock is enough to know that.
        val seen = turn
        if (seen == Turn.Inline || seen == Turn.Loop || (seen == Turn.Scheduled && outbox.pending < MUCH)) return
        var post = false
        val inline = synchronized(lock) {
            if (closed || outbox.pending == 0L) return
            when (turn) {
                Turn.Idle -> outbox.pending >= MUCH || System.nanoTime() - lastWritten >= BURST_NANOS
                Turn.Scheduled -> if (outbox.pending >= MUCH) true else return
                Turn.Inline, Turn.Loop -> return
            }.also {
                turn = if (it) Turn.Inline else Turn.Scheduled
                if (outbox.pending >= MUCH) pieces++
                post = !it && !posted && !watched
                if (post) posted = true
            }
        }
        if (inline) {
            drain(onLoop = false)
        } else if (post) {
            loop.execute(::flushPosted)
        }
    }

    private fun flushPosted() {
        val watch = synchronized(lock) {
            posted = false
            (floods() && ++streak >= LASTING && !watched && !closed).also { if (it) watched = true }
        }
        if (!watch) return flushOnLoop()
        loop.watch(this)
    }

    /** On the loop, while it watches: whether it shall go on with that. */
    fun visited(): Boolean {
        val more = synchronized(lock) {
            watched = !closed && floods()
            watched
        }
        // Also while it goes on: what is there now must not wait longer because of what follows it.
        flushOnLoop()
        return more
    }

    /** Whether more was written by whoever sends since this was asked last. */
    private fun floods(): Boolean {
        val more = pieces != piecesSeen
        piecesSeen = pieces
        if (!more) streak = 0
        return more
    }

    /** On the loop: at the end of a turn, when it was scheduled, or when the system takes more. */
    fun flushOnLoop() {
        toFlush = false
        synchronized(lock) {
            if (closed || outbox.pending == 0L || turn == Turn.Inline) return
            turn = Turn.Loop
        }
        drain(onLoop = true)
    }

    /** When all is written, [whenFinished] is called. */
    fun finish() {
        synchronized(lock) {
            if (closed || finishing) return
            finishing = true
            if (outbox.pending > 0L) return
        }
        loop.execute { whenFinished() }
    }

    fun close() = synchronized(lock) {
        closed = true
        outbox.discard(writing = turn == Turn.Inline)
    }

    /** Whoever has the turn writes. */
    private fun drain(onLoop: Boolean) {
        var rounds = 0
        do {
            val taken = synchronized(lock) { !closed && outbox.take() }
            val count = try {
                if (taken) outbox.write(channel) else 0L
            } catch (e: IOException) {
                return whenFailed(e)
            }
            var writable: Int
            val goOn = synchronized(lock) {
                if (closed) return
                outbox.wrote(count)
                writable = if (outbox.pending <= full / 2) refusals.also { refusals = 0 } else 0
                next(blocked = count == 0L, onLoop, ++rounds)
            }
            while (writable-- > 0) whenWritable()
        } while (goOn)
    }

    /** Whether to write on in this turn. */
    private fun next(blocked: Boolean, onLoop: Boolean, rounds: Int): Boolean {
        when {
            outbox.pending == 0L -> {
                turn = Turn.Idle
                lastWritten = System.nanoTime()
                if (finishing) loop.execute { whenFinished() }
            }

            blocked -> {
                turn = Turn.Loop
                if (onLoop) whenBlocked() else loop.execute { whenBlocked() }
            }

            rounds < MOST_ROUNDS -> return true

            else -> {
                // Others keep adding to it: neither this caller nor the other links shall wait for that.
                turn = Turn.Scheduled
                loop.execute(::flushOnLoop)
            }
        }
        return false
    }

    private companion object {
        /** Two messages closer than this are a burst: less than any round trip, more than the code between two sends. */
        const val BURST_NANOS = 5_000L

        /** So much is written by whoever sends, rather than waiting for the loop. */
        const val MUCH = 1L shl 16
        const val MOST_ROUNDS = 16

        /** So many pieces are a flood that lasts: some 256 KiB. */
        const val LASTING = 4
    }
}
