package dev.carom.sockets.internal.ktor

import dev.carom.sockets.transport.Link
import dev.carom.sockets.transport.LinkHandler
import dev.carom.sockets.transport.LinkOptions
import io.ktor.network.selector.SelectorManager
import io.ktor.network.sockets.InetSocketAddress
import io.ktor.network.sockets.Socket
import io.ktor.network.sockets.openReadChannel
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.readAvailable
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.net.InetAddress
import java.nio.channels.SocketChannel
import kotlin.time.Duration.Companion.milliseconds

/**
 * A link on a socket of ktor's: one coroutine reads, one writes, and a third waits for the end of the link and ends them.
 */
internal class KtorLink(private val reactor: KtorReactor, options: LinkOptions) : Link {
    private val selector = reactor.acquire()
    private val outbox = KtorOutbox(options.sendBuffer)
    private val end = CompletableDeferred<Throwable?>()
    private val paused = MutableStateFlow(false)
    private lateinit var handler: LinkHandler

    @Volatile
    override var remote: String = ""
        private set

    /** As soon as it is open. */
    @Volatile
    var channel: SocketChannel? = null
        private set

    override val unwritten: Int get() = outbox.unwritten

    fun heardBy(handler: LinkHandler) {
        this.handler = handler
    }

    /** Never started: nobody wanted it. */
    fun dispose() = reactor.release()

    /** [open] connects, or gives what is connected. */
    fun start(open: suspend (SelectorManager) -> Socket) {
        // Closing is what ends it: a link belongs to no scope.
        CoroutineScope(Dispatchers.IO).launch {
            val cause = live(open)
            reactor.release()
            handler.onClosed(cause)
        }
    }

    private suspend fun live(open: suspend (SelectorManager) -> Socket): Throwable? = coroutineScope {
        var socket: Socket? = null
        var writing: Job? = null
        val reading = launch {
            failing {
                val opened = open(selector)
                socket = opened
                channel = opened.channel
                currentCoroutineContext().ensureActive()
                remote = describe(opened)
                val input = opened.openReadChannel()
                writing = this@coroutineScope.launch { failing { write(KtorOutput(opened, selector)) } }
                handler.onOpen(this@KtorLink)
                read(input)
            }
        }
        val cause = end.await()
        // What the peer sent before it went away is still heard.
        if (cause != null) withTimeoutOrNull(GRACE) { reading.join() }
        reading.cancelAndJoin()
        // What was flushed just before is still with us: where the system takes it at once, it is sent.
        if (cause == null) {
            outbox.finish()
            withTimeoutOrNull(GRACE) { writing?.join() }
        }
        writing?.cancelAndJoin()
        outbox.close()
        socket?.close()
        cause
    }

    private suspend fun read(input: ByteReadChannel) {
        val bytes = ByteArray(READ)
        while (true) {
            paused.first { !it }
            val count = input.readAvailable(bytes, 0, READ)
            if (count < 0) break
            currentCoroutineContext().ensureActive()
            if (count > 0) handler.onBytes(bytes, 0, count)
        }
        handler.onEnd()
    }

    private suspend fun write(output: KtorOutput) {
        while (true) {
            val parts = outbox.take() ?: break
            output.write(parts) { count, ends -> repeat(outbox.written(count, ends)) { handler.onWritable() } }
        }
        output.finish()
    }

    /** What is thrown, by ktor or a handler, ends the link. */
    private suspend inline fun failing(act: () -> Unit) {
        try {
            act()
        } catch (e: Throwable) {
            // ktor fails a broken channel's calls with cancellations of its own.
            if (currentCoroutineContext().isActive) end.complete(e)
            if (e !is IOException) currentCoroutineContext().ensureActive()
        }
    }

    override fun write(head: ByteArray, headSize: Int, body: ByteArray, from: Int, to: Int): Boolean =
        outbox.append(head, headSize, body, from, to)

    override fun flush() = outbox.flush()

    override fun pause() {
        paused.value = true
    }

    override fun resume() {
        paused.value = false
    }

    override fun finish() = outbox.finish()

    override fun close() {
        end.complete(null)
    }

    private fun describe(socket: Socket): String = when (val address = socket.remoteAddress) {
        is InetSocketAddress -> {
            val host = InetAddress.getByAddress(address.resolveAddress()).hostAddress
            if (':' in host) "[$host]:${address.port}" else "$host:${address.port}"
        }

        else -> address.toString()
    }

    private companion object {
        const val READ = 1 shl 16
        val GRACE = 50.milliseconds
    }
}
