package dev.carom.sockets.internal.ktor

import kotlinx.coroutines.channels.Channel

/** Bytes of one write: its head, or its body. */
internal class Part(val bytes: ByteArray, val from: Int, val to: Int, val last: Boolean) {
    val size: Int get() = to - from
}

/** What was written and not passed on to ktor yet, in order. */
internal class KtorOutbox(private val full: Int) {
    private val lock = Any()
    private val flushed = Channel<Unit>(Channel.CONFLATED)
    private var waiting = ArrayList<Part>()
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
        waiting.add(Part(head.copyOf(headSize), 0, headSize, last = from == to))
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
        waiting = ArrayList()
    }

    /** What is to be written next; waits while there is nothing. Null at the end. */
    suspend fun take(): List<Part>? {
        while (true) {
            synchronized(lock) {
                if (waiting.isNotEmpty()) return waiting.also { waiting = ArrayList() }
                if (finishing) return null
            }
            flushed.receive()
        }
    }

    /** [parts] are passed on; returns how often to say that there is room again. */
    fun written(parts: List<Part>): Int = synchronized(lock) {
        pending -= parts.sumOf { it.size.toLong() }
        messages -= parts.count { it.last }
        if (pending > full / 2) return 0
        refusals.also { refusals = 0 }
    }
}
