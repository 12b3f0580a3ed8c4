package dev.carom.sockets.internal.ktor

import dev.carom.sockets.SocketException
import dev.carom.sockets.transport.Acceptor
import dev.carom.sockets.transport.LinkOptions
import dev.carom.sockets.transport.Listener
import dev.carom.sockets.transport.SocketAddress
import io.ktor.network.selector.InterestSuspensionsMap
import io.ktor.network.selector.SelectInterest
import io.ktor.network.selector.Selectable
import io.ktor.network.selector.SelectorManager
import io.ktor.network.sockets.ServerSocket
import io.ktor.network.sockets.Socket
import io.ktor.network.sockets.aSocket
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.nio.channels.ClosedChannelException
import java.nio.channels.SelectableChannel
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Accepts in a coroutine of its own, which ends with [close]. */
internal class KtorListener(
    private val reactor: KtorReactor,
    private val addresses: KtorAddresses,
    private val address: SocketAddress,
    private val options: LinkOptions,
    private val acceptor: Acceptor,
) : Listener {
    private val job = Job()
    private val selector = reactor.acquire()

    fun start() {
        // Closing is what ends it: a listener belongs to no scope.
        CoroutineScope(Dispatchers.IO).launch {
            val cause = accepting()
            reactor.release()
            acceptor.onClosed(cause)
        }
    }

    override fun close() {
        job.cancel()
    }

    private suspend fun accepting(): Throwable? {
        var server: ServerSocket? = null
        var cause: Throwable? = null
        val accepting = CoroutineScope(Dispatchers.IO + job).launch {
            try {
                val bound = bind()
                server = bound
                acceptor.onBound(addresses.bound(address, bound.localAddress))
                while (true) accept(bound)
            } catch (e: IOException) {
                cause = e
            } catch (e: SocketException) {
                cause = e
            }
        }
        accepting.join()
        // Deleted first: as long as we listen nobody takes the file for a stale one and puts its own there.
        if (server != null) addresses.left(address)
        server?.close()
        server?.let { awaitGone(it) }
        return cause
    }

    /**
     * The system frees the address when the selector has come by: it lets go of the channel, and then closes it. Nothing tells
     * when that is done, but what it is asked after the former it answers after the latter: that the channel is closed.
     */
    private suspend fun awaitGone(server: ServerSocket) {
        val closed = Closed((server as Selectable).channel)
        withTimeoutOrNull(MOST_SELECTING) {
            while (closed.channel.isRegistered) delay(GLANCE)
            try {
                selector.select(closed, SelectInterest.ACCEPT)
            } catch (_: ClosedChannelException) {
                return@withTimeoutOrNull
            }
        }
    }

    /** Asks again of a channel of which ktor does not want to hear any more. */
    private class Closed(override val channel: SelectableChannel) : Selectable {
        override val suspensions = InterestSuspensionsMap()
        override val interestedOps: Int get() = SelectInterest.ACCEPT.flag
        override val isClosed: Boolean get() = false

        override fun interestOp(interest: SelectInterest, state: Boolean) = Unit

        override fun close() = Unit

        override fun dispose() = Unit
    }

    private suspend fun bind(): ServerSocket = try {
        bindOnce(selector)
    } catch (e: IOException) {
        if (e.message?.contains("in use") != true) throw e
        addresses.vacate(address, selector, e)
        bindOnce(selector)
    }

    private suspend fun bindOnce(selector: SelectorManager): ServerSocket =
        aSocket(selector).tcp().bind(addresses.place(address)) {
            backlogSize = options.backlog
            reuseAddress = true
        }

    private suspend fun accept(server: ServerSocket) {
        var socket: Socket? = null
        try {
            socket = server.accept()
            currentCoroutineContext().ensureActive()
            socket.prepare(options)
            val link = KtorLink(reactor, options)
            link.heardBy(acceptor.onAccept(link) ?: return link.dispose())
            val accepted: Socket = socket
            link.start { accepted }
            socket = null
        } catch (e: IOException) {
            acceptor.onAcceptFailed(e)
            delay(PAUSE)
        } finally {
            socket?.close()
        }
    }

    private companion object {
        val PAUSE = 100.milliseconds
        val GLANCE = 1.milliseconds

        /** More than the time that ktor's selector sleeps. */
        val MOST_SELECTING = 2.seconds
    }
}
