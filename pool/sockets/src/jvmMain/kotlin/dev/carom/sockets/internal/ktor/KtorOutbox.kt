package dev.carom.sockets.internal.ktor

import kotlinx.coroutines.channels.Channel
import java.nio.ByteBuffer

/** Bytes of one write: its head, or its body. */
internal class Part(private val bytes: ByteArray, private var from: Int, private val to: Int, val last: Boolean) {
    val size: Int get() = to - from

    /** The next [most] bytes of it. */
    fun view(most: Int): ByteBuffer = ByteBuffer.wrap(bytes, from, minOf(size, most))

    fun skip(count: Int) {
        from += count
    }
}

/** What was written and not passed on to the system yet, in order. */
internal class KtorOutbox(private val full: Int) {
    private val lock = Any()
    private val flushed = Channel<Unit>(Channel.CONFLATED)
    private var waiting = ArrayDeque<Part>()
    private var pending = 0L
    private var messages = 0
    private var refusals = 0
    private var finishing = false
    private var closed = false

    val unwritten: Int get() = synchronized(lock) { messages }

    fun append(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean = synchronized(lock) {
        if (headSize + (to - from) == 0) return true
        if (closed) {
            // Lost, and counted.
            messages++
            return true
        }
        if (headSize > 0) waiting.add(Part(head.copyOf(headSize), 0, headSize, last = from == to))
        if (from < to) waiting.add(Part(body, from, to, last = true))
        pending += headSize + (to - from)
        messages++
        val welcome = pending < full
        if (!welcome) refusals++
        welcome
    }

    fun flush() {
        flushed.trySend(Unit)
    }

    fun finish() {
        synchronized(lock) { finishing = true }
        flush()
    }

    fun close() = synchronized(lock) {
        closed = true
        waiting = ArrayDeque()
    }

    /** What is to be written next; waits while there is nothing. Null at the end. */
    suspend fun take(): ArrayDeque<Part>? {
        while (true) {
            synchronized(lock) {
                if (waiting.isNotEmpty()) return waiting.also { waiting = ArrayDeque() }
                if (finishing) return null
            }
            flushed.receive()
        }
    }

    /** The system has taken [count] bytes, and with them the ends of [ends] messages; how often to say that there is room. */
    fun written(count: Long, ends: Int): Int = synchronized(lock) {
        pending -= count
        messages -= ends
        if (pending > full / 2) return 0
        refusals.also { refusals = 0 }
    }
}
