package dev.carom.sockets.transport

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.withTimeout
import java.io.ByteArrayOutputStream
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

/** One end of a link, which keeps all it hears. */
internal class End(private val whenOpen: (Link) -> Unit = {}) : LinkHandler {
    val open = CompletableDeferred<Link>()
    val ended = CompletableDeferred<Unit>()
    val closed = CompletableDeferred<Throwable?>()
    val writable = AtomicInteger()
    private val heard = ByteArrayOutputStream()
    private val more = Channel<Unit>(Channel.CONFLATED)

    override fun onOpen(link: Link) {
        whenOpen(link)
        open.complete(link)
    }

    override fun onBytes(bytes: ByteArray, from: Int, to: Int) {
        check(to - from in 1..(1 shl 18)) { "${to - from} bytes at once" }
        synchronized(heard) { heard.write(bytes, from, to - from) }
        more.trySend(Unit)
    }

    override fun onWritable() {
        writable.incrementAndGet()
        more.trySend(Unit)
    }

    override fun onEnd() {
        ended.complete(Unit)
    }

    override fun onClosed(cause: Throwable?) {
        check(closed.complete(cause)) { "closed twice" }
    }

    fun bytes(): ByteArray = synchronized(heard) { heard.toByteArray() }

    suspend fun until(condition: () -> Boolean): Unit = bounded {
        while (!condition()) more.receive()
    }
}

/** A listener and those who came to it. */
internal class Door(private val handler: (Link) -> LinkHandler? = { null }) : Acceptor {
    val bound = CompletableDeferred<SocketAddress>()
    val closed = CompletableDeferred<Throwable?>()
    val came = Channel<End>(Channel.UNLIMITED)

    override fun onBound(address: SocketAddress) {
        bound.complete(address)
    }

    override fun onAccept(link: Link): LinkHandler? = handler(link) ?: End().also { came.trySend(it) }

    override fun onAcceptFailed(cause: Throwable) = throw AssertionError(cause)

    override fun onClosed(cause: Throwable?) {
        closed.complete(cause)
    }
}

internal suspend fun <T> bounded(block: suspend () -> T): T = withTimeout(20.seconds) { block() }

internal fun Link.say(text: String) = say(text.encodeToByteArray()).also { flush() }

internal fun Link.say(bytes: ByteArray): Boolean = write(ByteArray(0), 0, bytes, 0, bytes.size)
