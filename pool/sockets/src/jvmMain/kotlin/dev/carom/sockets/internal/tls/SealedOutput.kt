package dev.carom.sockets.internal.tls

import dev.carom.sockets.transport.Link
import java.nio.ByteBuffer
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLEngineResult
import javax.net.ssl.SSLEngineResult.HandshakeStatus
import javax.net.ssl.SSLEngineResult.Status
import javax.net.ssl.SSLException

/**
 * Seals, and writes to [inner], of the user's messages and of what TLS itself has to say. Each message is one write below, so
 * that those that were lost can be counted.
 */
internal class SealedOutput(private val engine: SSLEngine, private val inner: Link) {
    private val lock = Any()
    private var record = ByteBuffer.allocate(engine.session.packetBufferSize)
    private var writes = 0L

    /** Which of the writes are TLS's own, the oldest first, as far as they may still be unwritten. */
    private val own = ArrayDeque<Long>()

    /** Answers of [Link.write] that were false, and for which nobody has been called yet. */
    private var owed = 0
    private var ownOwed = 0

    val unwritten: Int
        get() = synchronized(lock) {
            val left = inner.unwritten
            left - own.count { it >= writes - left }
        }

    /** Seals a message. Never calls back. */
    fun write(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean = synchronized(lock) {
        val plain = arrayOf(ByteBuffer.wrap(head, 0, headSize), ByteBuffer.wrap(body, from, to - from))
        if (!seal(plain)) return true
        val welcome = if (plain.any { it.hasRemaining() }) writeAll(plain) else writeRecord()
        writes++
        if (!welcome) owed++
        welcome
    }

    /** The first record is sealed, and more will follow: all of them are one write. */
    private fun writeAll(plain: Array<ByteBuffer>): Boolean {
        var all = ByteBuffer.allocate(record.position() + plain.sumOf { it.remaining() } + record.capacity())
        all.put(record.flip())
        while (plain.any { it.hasRemaining() } && seal(plain)) {
            if (all.remaining() < record.position()) all = ByteBuffer.allocate(all.capacity() * 2).put(all.flip())
            all.put(record.flip())
        }
        return inner.write(NOTHING, 0, all.array(), 0, all.position())
    }

    /** A record is copied: its buffer is used again. */
    private fun writeRecord(): Boolean = inner.write(record.array(), record.position(), NOTHING, 0, 0)

    /** Into [record]; false if nothing can be sealed any more. */
    private fun seal(plain: Array<ByteBuffer>): Boolean {
        while (true) {
            val result = wrap(plain)
            if (result.status == Status.CLOSED) return result.bytesProduced() > 0
            if (result.bytesProduced() > 0) return true
            if (plain.none { it.hasRemaining() }) return false
            // New keys are being agreed on: a matter of microseconds.
            engine.delegatedTask?.run() ?: return false
        }
    }

    private fun wrap(plain: Array<ByteBuffer>): SSLEngineResult {
        while (true) {
            val result = engine.wrap(plain, record.clear())
            if (result.status != Status.BUFFER_OVERFLOW) return result
            record = ByteBuffer.allocate(maxOf(engine.session.packetBufferSize, record.capacity() * 2))
        }
    }

    /** Seals what TLS itself has to say; where the handshake stands then, or null if there is nothing to say. */
    fun control(): HandshakeStatus? = synchronized(lock) {
        val result = wrap(arrayOf(ByteBuffer.wrap(NOTHING)))
        if (result.bytesProduced() > 0) {
            val left = inner.unwritten
            while (own.isNotEmpty() && own.first() < writes - left) own.removeFirst()
            own.addLast(writes++)
            if (!writeRecord()) ownOwed++
        }
        val stuck = result.bytesProduced() == 0 && result.handshakeStatus == HandshakeStatus.NEED_WRAP
        result.handshakeStatus.takeUnless { result.status == Status.CLOSED || stuck }
    }

    /** Says the end, or why. @throws SSLException if it cannot be sealed. */
    fun end() {
        engine.closeOutbound()
        while (!engine.isOutboundDone) control() ?: break
    }

    /** Whether the user is to hear that there is room again. */
    fun isOwed(): Boolean = synchronized(lock) {
        if (owed > 0) {
            owed--
            true
        } else {
            ownOwed--
            false
        }
    }

    private companion object {
        val NOTHING = ByteArray(0)
    }
}
