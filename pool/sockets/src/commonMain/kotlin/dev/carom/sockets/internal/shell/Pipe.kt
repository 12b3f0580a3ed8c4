package dev.carom.sockets.internal.shell

import dev.carom.pool.Backend
import dev.carom.pool.SetLease
import dev.carom.sockets.PipePriority
import dev.carom.sockets.SocketCounters
import dev.carom.sockets.SocketPipe
import dev.carom.sockets.internal.wire.Body
import dev.carom.sockets.internal.wire.Frame
import dev.carom.sockets.internal.wire.FrameParser
import dev.carom.sockets.internal.wire.HandshakeParser
import dev.carom.sockets.internal.wire.Layout
import dev.carom.sockets.internal.wire.Violation
import dev.carom.sockets.internal.wire.WORD
import dev.carom.sockets.transport.Framing
import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import kotlinx.coroutines.CompletableDeferred
import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicInt
import kotlin.concurrent.atomics.ExperimentalAtomicApi
import kotlin.concurrent.atomics.incrementAndFetch
import kotlin.random.Random

/**
 * One link and what is said on it: the handshake, then frames.
 *
 *     Opening ──onOpen──► Greeting ──the peer's handshake──► Attached ──its end, ours, a violation──► Closing ──► Closed
 *        └────────────────────┴──failure, refusal, a time limit───────────────────────────────────────►┘
 *
 * Callbacks of the link come one after another; [transmit] and what is marked so is guarded by the socket's guard.
 */
internal class Pipe(
    private val desk: Desk,
    override val id: Int,
    override val url: String,
    override val isAccepted: Boolean,
    val priority: PipePriority,
    framing: Framing,
    val endpoint: Endpoint,
) : SocketPipe,
    LinkHandler {
    private val layout = if (framing == Framing.Typed) Layout.Ipc else Layout.Stream
    private val greeting = HandshakeParser(desk.protocol)
    private val parser = FrameParser(layout, desk.policy.receiveLimit)
    private val frames = ArrayList<Body>()
    private val prefix = layout.room()

    /** Guarded. */
    val ledger = Ledger()

    /** Guarded: it says its handshake. From then on it is not given up for having been slow before. */
    var committed = false

    /** Guarded: in the state's care. */
    var attached = false

    /** Guarded: has been [attached]. */
    var wasAttached = false

    /** Guarded: not to be read at present. */
    var paused = false

    /** Guarded: why it is being closed, in words, once that is decided. */
    var reason: String? = null

    /** Guarded: what its peer did wrong. */
    var violation: Violation? = null

    /** Set as soon as it is known. */
    @Volatile
    var link: Link? = null

    /** What was connected to, and what keeps the connection open meanwhile; not of an accepted pipe. */
    @Volatile
    var backend: Backend? = null

    @Volatile
    var lease: SetLease<Pipe>? = null

    /** Completes when our handshake is said, or never will be. */
    val said = CompletableDeferred<Unit>()

    /** Completes when the pipe is attached; fails if it never will be. */
    val opened = CompletableDeferred<Unit>()

    /** Completes when nothing of it is left, with the cause. */
    val closed = CompletableDeferred<Throwable?>()

    /** Completes when the state has nothing under way on it, after it was retired. */
    val idle = CompletableDeferred<Unit>()

    override val remote: String get() = link?.remote.orEmpty()
    override val identity: String? get() = link?.identity
    override val counters: SocketCounters get() = desk.countersOf(this)

    override fun onOpen(link: Link) {
        this.link = link
        if (!desk.commit(this)) return link.close()
        val hello = HandshakeParser.bytesOf(desk.protocol)
        link.write(hello, hello.size, NOTHING, 0, 0)
        link.flush()
        said.complete(Unit)
    }

    override fun onBytes(bytes: ByteArray, from: Int, to: Int) {
        var at = from
        if (!greeting.done) {
            at = greeting.feed(bytes, from, to)
            val wrong = greeting.violation
            if (wrong != null) return desk.refuse(this, describe(wrong))
            if (!greeting.done || !desk.attach(this)) return
        }
        parser.feed(bytes, at, to, frames::add)
        desk.received(this, frames, parser.violation)
        frames.clear()
    }

    override fun onWritable() = desk.flushed(this)

    override fun onEnd() {
        val cut = if (parser.atBoundary) "the peer closed it" else "the peer closed it within a message"
        desk.ended(this, if (greeting.done) cut else "the peer closed it before its handshake was complete")
    }

    override fun onClosed(cause: Throwable?) {
        desk.closed(this, cause)
        said.complete(Unit)
        opened.completeExceptionally(cause ?: PipeRefused(url, reason ?: "closed"))
        idle.complete(Unit)
        closed.complete(cause)
    }

    /** Guarded. Whether there is room for more; if not, [onWritable] follows. */
    fun transmit(frame: Frame): Boolean = transmit(frame.header, frame.body)

    /** Guarded. [transmit] of a frame of these two. */
    fun transmit(header: IntArray, body: Body): Boolean {
        val link = link ?: return false
        ledger.transmitted++
        ledger.transmittedBytes += WORD * header.size + body.size
        val head = if (header.size <= Layout.MOST_IN_PLACE) prefix else ByteArray(layout.sizeOf(header))
        val size = layout.put(header, body.size, head)
        return link.write(head, size, body.bytes, body.from, body.bytes.size)
    }

    /** Guarded: messages that the link has not passed on. */
    val unwritten: Long get() = (link?.unwritten ?: 0).toLong().coerceAtMost(ledger.transmitted)

    fun flush() {
        link?.flush()
    }

    override fun toString(): String = "pipe $id ${if (isAccepted) "from" else "to"} $remote at $url"

    private companion object {
        val NOTHING = ByteArray(0)
    }
}

/** Numbers of pipes: from a random start, so that nobody guesses the way back of somebody else's request. */
@OptIn(ExperimentalAtomicApi::class)
internal object PipeIds {
    private val last = AtomicInt(Random.nextInt())

    fun next(): Int {
        while (true) {
            val id = last.incrementAndFetch() and Int.MAX_VALUE
            if (id != 0) return id
        }
    }
}

/** A pipe did not come to be, though the link did: for the retry and its notice. */
internal class PipeRefused(url: String, reason: String) : RuntimeException("$url: $reason")

internal fun describe(violation: Violation): String = when (violation) {
    is Violation.NotSp -> "not a peer of this kind: byte ${violation.index} of the handshake was ${violation.octet}"

    is Violation.Reserved -> "bytes 6 and 7 of the handshake were ${violation.value}, must be 0"

    is Violation.WrongPeer -> "a ${violation.own.label} socket does not talk to role ${violation.code}"

    is Violation.UnknownType -> "a message of type ${violation.octet}, only 1 is known"

    is Violation.TooLarge ->
        "a message of ${violation.announced} bytes was announced, at most ${violation.limit} are received"

    is Violation.ShortHeader -> "a message of ${violation.size} bytes is too short for its header"

    is Violation.BadHeader -> "the header of a message was ${violation.word.toUInt()}"

    is Violation.UnexpectedFrame -> "a message of ${violation.size} bytes from a role that does not send"
}
