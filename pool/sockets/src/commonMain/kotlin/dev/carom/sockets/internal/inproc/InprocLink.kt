package dev.carom.sockets.internal.inproc

import dev.carom.sockets.internal.shell.Guard
import dev.carom.sockets.internal.shell.hold
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.LinkOptions
import kotlin.concurrent.Volatile

/**
 * One end of a connection within the process; both share a [guard]. What is written waits at the other end, which hears it
 * when it is flushed, from whoever finds that nobody is telling: calls of one handler come one after another, and never
 * from within each other.
 */
internal class InprocLink(private val guard: Guard, private val options: LinkOptions, override val remote: String) :
    Link {
    private enum class Stage { New, Open, Closed }

    private lateinit var handler: LinkHandler

    @Volatile
    private var peer: InprocLink? = null

    /** What the handler has yet to hear, guarded as is all that follows. */
    private val news = ArrayDeque<() -> Unit>()
    private var telling = false
    private var stage = Stage.New

    /** Written by the peer, and not heard yet. */
    private val incoming = ArrayDeque<ByteArray>()
    private var incomingBytes = 0L

    /** Times that the peer was told to write no more. */
    private var refusals = 0
    private var paused = false
    private var endComing = false
    private var endTold = false

    /** Written here and never to be heard. */
    private var lost = 0

    override val unwritten: Int get() = guard.hold { lost + (peer?.incoming?.size ?: 0) }

    /** What happened before, that it was closed, is told now. */
    fun hears(handler: LinkHandler) {
        guard.hold { this.handler = handler }
        tell()
    }

    /** Nobody is there. */
    fun refuse(cause: Throwable) = end(cause)

    /** Both ends are open from now on. */
    fun join(far: InprocLink) {
        guard.hold {
            peer = far
            far.peer = this
            // By somebody who did not wait for it to be open: of that it could tell nobody.
            if (far.stage == Stage.Closed) endComing = true
        }
        far.open()
        open()
    }

    private fun open() {
        guard.hold {
            if (stage != Stage.New) return
            stage = Stage.Open
            news.addLast { handler.onOpen(this) }
        }
        tell()
    }

    override fun write(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean {
        val far = peer ?: return true
        val bytes = ByteArray(headSize + to - from)
        head.copyInto(bytes, 0, 0, headSize)
        body.copyInto(bytes, headSize, from, to)
        return guard.hold {
            if (stage == Stage.Closed || far.stage == Stage.Closed) {
                lost++
                true
            } else {
                far.incoming.addLast(bytes)
                far.incomingBytes += bytes.size
                (far.incomingBytes < options.sendBuffer).also { if (!it) far.refusals++ }
            }
        }
    }

    override fun flush() {
        peer?.tell()
    }

    override fun pause() = guard.hold { paused = true }

    override fun resume() {
        guard.hold { paused = false }
        tell()
    }

    override fun finish() {
        val far = peer ?: return
        guard.hold { far.endComing = true }
        far.tell()
    }

    override fun close() = end(null)

    private fun end(cause: Throwable?) {
        val far = peer
        var writable = 0
        guard.hold {
            if (stage == Stage.Closed) return
            stage = Stage.Closed
            news.addLast { handler.onClosed(cause) }
            if (far != null) {
                lost += far.incoming.size
                far.discard()
                far.endComing = true
                far.lost += incoming.size
                discard()
                writable = refusals.also { refusals = 0 }
            }
        }
        tell()
        if (far == null) return
        // Nobody will make room here any more, and nobody needs it.
        repeat(writable) { far.handler.onWritable() }
        far.tell()
    }

    private fun discard() {
        incoming.clear()
        incomingBytes = 0
    }

    /** Tells what there is to tell, unless somebody is at it. */
    private fun tell() {
        guard.hold {
            if (telling || !::handler.isInitialized) return
            telling = true
        }
        while (true) {
            val next = guard.hold { next().also { if (it == null) telling = false } } ?: return
            try {
                next()
            } catch (e: RuntimeException) {
                end(e)
            }
        }
    }

    /** Guarded. */
    private fun next(): (() -> Unit)? {
        news.removeFirstOrNull()?.let { return it }
        if (stage != Stage.Open || paused) return null
        val bytes = incoming.removeFirstOrNull()
        if (bytes != null) return { hear(bytes) }
        if (!endComing || endTold) return null
        endTold = true
        return { handler.onEnd() }
    }

    private fun hear(bytes: ByteArray) {
        handler.onBytes(bytes, 0, bytes.size)
        val writable = guard.hold {
            incomingBytes = (incomingBytes - bytes.size).coerceAtLeast(0)
            if (incomingBytes <= options.sendBuffer / 2) refusals.also { refusals = 0 } else 0
        }
        val far = peer ?: return
        repeat(writable) { far.handler.onWritable() }
    }
}
