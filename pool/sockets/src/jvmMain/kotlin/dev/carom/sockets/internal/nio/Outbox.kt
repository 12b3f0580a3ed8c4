package dev.carom.sockets.internal.nio

import dev.carom.sockets.internal.wire.WORD
import dev.carom.sockets.internal.wire.word
import java.nio.ByteBuffer
import java.nio.channels.GatheringByteChannel
import java.util.concurrent.ConcurrentLinkedDeque
import java.util.concurrent.atomic.AtomicInteger

/**
 * Bytes on their way out, in order. Small messages are collected in chunks outside the heap; large bodies stay where they
 * are. Not thread-safe, except that [write] may run beside [append]: the one who writes has taken what it writes.
 */
internal class Outbox {
    private var tail: ByteBuffer? = null
    private val full = ArrayDeque<ByteBuffer>()

    /** Taken to be written: `[first, last)`. */
    private val taken = arrayOfNulls<ByteBuffer>(MOST_TAKEN)
    private var first = 0
    private var last = 0

    /** Where each message that is not written in full ends, counted in bytes from the beginning. A ring. */
    private var ends = LongArray(FEW)
    private var oldest = 0
    private var appended = 0L
    private var written = 0L

    /** Messages not written in full. */
    var messages = 0
        private set

    val pending: Long get() = appended - written

    fun append(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int) {
        val size = headSize + (to - from)
        if (size == 0) return
        if (headSize == 2 * WORD && room() >= headSize) putWords(head) else put(head, 0, headSize)
        if (to - from >= BY_REFERENCE) {
            closeTail()
            full.addLast(ByteBuffer.wrap(body, from, to - from))
        } else {
            put(body, from, to)
        }
        appended += size
        if (messages == ends.size) grow()
        ends[(oldest + messages++) and (ends.size - 1)] = appended
    }

    /** Takes up what is to be written next. False if there is nothing. */
    fun take(): Boolean {
        if (first < last) return true
        closeTail()
        first = 0
        last = 0
        while (last < MOST_TAKEN && full.isNotEmpty()) taken[last++] = next(full.first())
        return last > 0
    }

    /** A large body passes through chunks of its own as it is written: the system would copy all of it at once. */
    private fun next(front: ByteBuffer): ByteBuffer {
        if (front.isDirect) return full.removeFirst()
        val chunk = Chunks.take()
        val count = minOf(chunk.remaining(), front.remaining())
        chunk.put(front.array(), front.position(), count).flip()
        front.position(front.position() + count)
        if (!front.hasRemaining()) full.removeFirst()
        return chunk
    }

    /** Writes what was taken; returns how many bytes the system took. */
    fun write(channel: GatheringByteChannel): Long =
        if (last - first == 1) channel.write(taken[first]).toLong() else channel.write(taken, first, last - first)

    /** After [write]. */
    fun wrote(count: Long) {
        written += count
        while (first < last && !taken[first]!!.hasRemaining()) {
            taken[first]?.let(Chunks::give)
            taken[first++] = null
        }
        while (messages > 0 && ends[oldest] <= written) {
            oldest = (oldest + 1) and (ends.size - 1)
            messages--
        }
    }

    /** Frees the chunks. What was taken is left alone if somebody may be writing it. */
    fun discard(writing: Boolean) {
        closeTail()
        for (chunk in full) if (chunk.isDirect) Chunks.give(chunk)
        full.clear()
        if (writing) return
        for (i in first until last) taken[i]?.let(Chunks::give)
        taken.fill(null)
        first = 0
        last = 0
    }

    private fun room(): Int = tail?.remaining() ?: 0

    /** Most heads are a length: for so few bytes a copy takes longer than two words. */
    private fun putWords(bytes: ByteArray) {
        tail?.putInt(bytes.word(0))?.putInt(bytes.word(WORD))
        if (room() == 0) closeTail()
    }

    private fun put(bytes: ByteArray, from: Int, to: Int) {
        var at = from
        while (at < to) {
            val chunk = tail ?: Chunks.take().also { tail = it }
            val count = minOf(to - at, chunk.remaining())
            chunk.put(bytes, at, count)
            at += count
            if (!chunk.hasRemaining()) closeTail()
        }
    }

    private fun closeTail() {
        val chunk = tail ?: return
        tail = null
        full.addLast(chunk.flip())
    }

    private fun grow() {
        val larger = LongArray(ends.size * 2)
        for (i in ends.indices) larger[i] = ends[(oldest + i) and (ends.size - 1)]
        ends = larger
        oldest = 0
    }

    private companion object {
        const val MOST_TAKEN = 8
        const val FEW = 16

        /** Copying less than this is cheaper than one more buffer. */
        const val BY_REFERENCE = 1 shl 14
    }
}

/** Chunks outside the heap, shared by all links: an idle link has none. The last one given is near the processor still. */
internal object Chunks {
    private val spare = ConcurrentLinkedDeque<ByteBuffer>()
    private val count = AtomicInteger()

    fun take(): ByteBuffer {
        val chunk = spare.poll() ?: return ByteBuffer.allocateDirect(SIZE)
        count.decrementAndGet()
        return chunk.clear()
    }

    fun give(chunk: ByteBuffer) {
        if (count.incrementAndGet() <= MOST_SPARE) spare.push(chunk) else count.decrementAndGet()
    }

    private const val SIZE = 1 shl 15
    private const val MOST_SPARE = 64
}
