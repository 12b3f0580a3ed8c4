package dev.carom.sockets

import dev.carom.sockets.transport.Acceptor
import dev.carom.sockets.transport.Addressing
import dev.carom.sockets.transport.Framing
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.Listener
import dev.carom.sockets.transport.SocketAddress
import dev.carom.sockets.transport.Transport

/** Connections on which nothing happens until a test says so, and then at once. */
internal class StagedTransport : Transport {
    private val doors = HashMap<Int, Acceptor>()

    /** Those that were dialed, the oldest first. */
    val wires = ArrayList<Wire>()

    override val scheme: String get() = "staged"
    override val addressing: Addressing get() = Addressing.HostPort
    override val framing: Framing get() = Framing.Stream

    override fun dial(address: SocketAddress, options: LinkOptions, handler: LinkHandler): Link {
        val near = StagedLink(options).also { it.heardBy(handler) }
        val far = StagedLink(options)
        doors[address.port]?.onAccept(far)?.let(far::heardBy)
        wires += Wire(near, far)
        return near
    }

    override fun listen(address: SocketAddress, options: LinkOptions, acceptor: Acceptor): Listener {
        doors[address.port] = acceptor
        acceptor.onBound(address)
        return object : Listener {
            override fun close() {
                if (doors.remove(address.port) != null) acceptor.onClosed(null)
            }
        }
    }
}

/** Both ends of a connection; if nobody listens, the [far] one has nobody who hears. */
internal class Wire(val near: StagedLink, val far: StagedLink) {
    fun open() {
        near.open()
        far.open()
    }

    /** What was written at the [near] end and has not yet come. */
    fun toFar() = near.passTo(far)

    fun toNear() = far.passTo(near)
}

/** One end. What is written stays here until it is passed on; that it is closed here its peer does not learn. */
internal class StagedLink(private val options: LinkOptions) : Link {
    private var handler: LinkHandler? = null
    private val news = ArrayDeque<LinkHandler.() -> Unit>()
    private var telling = false
    private val written = ArrayDeque<ByteArray>()

    var finished = false
        private set
    var closed = false
        private set

    override val remote: String get() = "the other end"
    override val unwritten: Int get() = synchronized(this) { written.size }

    fun heardBy(handler: LinkHandler) {
        this.handler = handler
    }

    fun open() = tell { onOpen(this@StagedLink) }

    fun hear(bytes: ByteArray) = tell { onBytes(bytes, 0, bytes.size) }

    fun hearEnd() = tell { onEnd() }

    fun passTo(other: StagedLink) {
        while (true) other.hear(synchronized(this) { written.removeFirstOrNull() } ?: return)
    }

    override fun write(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean =
        synchronized(this) {
            written += head.copyOf(headSize) + body.copyOfRange(from, to)
            written.sumOf { it.size } < options.sendBuffer
        }

    override fun flush() = Unit

    override fun pause() = Unit

    override fun resume() = Unit

    override fun finish() {
        finished = true
    }

    override fun close() {
        synchronized(this) {
            if (closed) return
            closed = true
        }
        tell(evenIfClosed = true) { onClosed(null) }
    }

    /** One call after another, never from within each other. */
    private fun tell(evenIfClosed: Boolean = false, what: LinkHandler.() -> Unit) {
        synchronized(this) {
            news += { if (evenIfClosed || !closed) what() }
            if (telling) return
            telling = true
        }
        while (true) {
            val next = synchronized(this) {
                news.removeFirstOrNull().also { if (it == null) telling = false }
            } ?: return
            handler?.next()
        }
    }
}
