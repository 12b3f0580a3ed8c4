package dev.carom.sockets.internal.tls

import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import java.io.IOException
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLEngineResult.HandshakeStatus
import javax.net.ssl.SSLException
import javax.net.ssl.SSLPeerUnverifiedException

/**
 * A link through TLS: hears the link below and is heard by [handler].
 *
 *     Connecting ──onOpen──► Preparing ──engine──► Shaking hands ──finished──► Open ──close_notify──► Ended ──► Closed
 *                                                       └──failure──► Telling why ──the peer's end──────────────┘
 *
 * Everything but writing happens in [line]: one thing after another, whichever thread it comes from.
 */
internal class TlsLink(private val prepare: suspend () -> SSLEngine) :
    Link,
    LinkHandler {
    private enum class Phase { Connecting, Preparing, ShakingHands, TellingWhy, Open, Ended, Closed }

    private val line = Line()
    private val incoming = SealedInput()
    private lateinit var handler: LinkHandler
    private var engine: SSLEngine? = null
    private var phase = Phase.Connecting
    private var finished = false

    /** The link below has ended; what it brought before may not be opened yet. */
    private var cutBelow = false
    private var failure: Throwable? = null

    @Volatile
    private var inner: Link? = null

    @Volatile
    private var output: SealedOutput? = null

    /** Guards the changes of what follows, and what the link below is told then: pausing calls nobody. */
    private val brake = Any()

    /** By the handler. */
    @Volatile
    private var paused = false

    /** Something is being computed elsewhere. */
    @Volatile
    private var busy = false

    @Volatile
    override var identity: String? = null
        private set

    override val remote: String get() = inner?.remote.orEmpty()

    override val unwritten: Int get() = output?.unwritten ?: 0

    fun heardBy(handler: LinkHandler) {
        this.handler = handler
    }

    fun over(inner: Link) {
        this.inner = inner
    }

    override fun write(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean =
        output?.write(head, headSize, body, from, to) ?: true

    override fun flush() {
        inner?.flush()
    }

    override fun pause(): Unit = synchronized(brake) {
        paused = true
        inner?.pause()
    }

    override fun resume() {
        synchronized(brake) {
            if (!paused) return
            paused = false
        }
        readBelow()
        line.run { proceed() }
    }

    /** Reading there again, which may call back and is not guarded, and not if somebody has paused meanwhile. */
    private fun readBelow() {
        if (!paused && !busy) inner?.resume()
        synchronized(brake) { if (paused || busy) inner?.pause() }
    }

    override fun finish() = line.run {
        if (phase == Phase.Open || phase == Phase.Ended) {
            finished = true
            guarded { output?.end() }
            inner?.flush()
            inner?.finish()
        }
    }

    override fun close() {
        inner?.close()
    }

    override fun onOpen(link: Link) {
        inner = link
        link.pause()
        line.run { phase = Phase.Preparing }
        // Key and trust material may have to be read from disk.
        CoroutineScope(Dispatchers.IO).launch {
            try {
                val engine = prepare()
                line.run { begin(engine, link) }
            } catch (e: IOException) {
                line.run { end(e) }
            } catch (e: IllegalStateException) {
                line.run { end(e) }
            }
        }
    }

    private fun begin(engine: SSLEngine, link: Link) {
        if (phase != Phase.Preparing) return
        this.engine = engine
        output = SealedOutput(engine, link)
        phase = Phase.ShakingHands
        guarded { engine.beginHandshake() }
        link.resume()
        proceed()
    }

    override fun onBytes(bytes: ByteArray, from: Int, to: Int) {
        // The array is the engine's below; and this may have to wait for its turn.
        val copy = bytes.copyOfRange(from, to)
        line.run {
            if (phase == Phase.ShakingHands || phase == Phase.Open) {
                incoming.add(copy)
                proceed()
            }
        }
    }

    override fun onWritable() {
        if (output?.isOwed() == true) handler.onWritable()
    }

    /** Not before what came earlier has been heard: it may be waiting here. */
    override fun onEnd() = line.run {
        cutBelow = true
        proceed()
    }

    override fun onClosed(cause: Throwable?) = line.run {
        if (phase != Phase.Closed) {
            phase = Phase.Closed
            handler.onClosed(failure ?: cause)
        }
    }

    /** Does whatever can be done now. */
    private fun proceed() {
        guarded {
            var goOn = true
            while (goOn && !busy && (phase == Phase.ShakingHands || (phase == Phase.Open && !paused))) goOn = step()
        }
        if (cutBelow && !busy && !(phase == Phase.Open && paused)) guarded { noMoreBelow() }
    }

    private fun noMoreBelow() = when (phase) {
        // Who has heard our end owes us no other.
        Phase.Open -> if (finished) ended() else leftWithoutAWord()

        Phase.TellingWhy -> close()

        Phase.Connecting, Phase.Preparing, Phase.ShakingHands ->
            end(SSLException("$remote ended the connection during the handshake"))

        Phase.Ended, Phase.Closed -> Unit
    }

    /**
     * What was heard stands: whether it is whole the handler knows, whose messages say how long they are. That nobody vouched
     * for the end is the cause that it is told (RFC 8446, section 6.1).
     */
    private fun leftWithoutAWord() {
        if (incoming.isEmpty) ended()
        val where = if (incoming.isEmpty) "without" else "within a record and without"
        end(IOException("$remote ended the connection $where close_notify"))
    }

    private fun step(): Boolean {
        val engine = engine ?: return false
        return when (engine.handshakeStatus) {
            HandshakeStatus.NEED_TASK -> {
                compute(engine)
                false
            }

            HandshakeStatus.NEED_WRAP -> outputNow { it.control() }

            else -> read(engine)
        }
    }

    private fun outputNow(act: (SealedOutput) -> HandshakeStatus?): Boolean {
        val status = output?.let(act)
        inner?.flush()
        if (status == HandshakeStatus.FINISHED) shaken()
        return status != null
    }

    /** Whether there may be more. */
    private fun read(engine: SSLEngine): Boolean = when (val read = incoming.open(engine)) {
        is SealedInput.Read.Bytes -> {
            if (read.status == HandshakeStatus.FINISHED) shaken()
            if (read.count > 0 && phase == Phase.Open) handler.onBytes(read.bytes, 0, read.count)
            true
        }

        SealedInput.Read.Nothing -> false

        SealedInput.Read.End -> {
            ended()
            false
        }
    }

    private fun shaken() {
        if (phase != Phase.ShakingHands) return
        phase = Phase.Open
        identity = try {
            engine?.session?.peerPrincipal?.name
        } catch (_: SSLPeerUnverifiedException) {
            null
        }
        handler.onOpen(this)
    }

    private fun ended() {
        if (phase == Phase.ShakingHands) return end(SSLException("$remote ended the handshake"))
        phase = Phase.Ended
        handler.onEnd()
    }

    /** What takes long is computed elsewhere; meanwhile the peer waits. */
    private fun compute(engine: SSLEngine) {
        synchronized(brake) {
            busy = true
            inner?.pause()
        }
        CoroutineScope(Dispatchers.IO).launch {
            while (true) engine.delegatedTask?.run() ?: break
            line.run {
                busy = false
                readBelow()
                proceed()
            }
        }
    }

    /** What is thrown, by TLS or a handler, ends the link; the peer is told why a handshake failed. */
    private inline fun guarded(act: () -> Unit) {
        try {
            act()
        } catch (e: Throwable) {
            if (phase == Phase.ShakingHands && e is SSLException) tell(e) else end(e)
        }
    }

    private fun tell(cause: SSLException) {
        failure = cause
        phase = Phase.TellingWhy
        try {
            output?.end()
        } catch (_: SSLException) {
            // then it stays a riddle to the peer
        }
        inner?.flush()
        inner?.finish()
    }

    private fun end(cause: Throwable) {
        if (failure == null) failure = cause
        inner?.close()
    }
}
