package dev.carom.samples.echo

import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * A real TCP server on an ephemeral loopback port that sends back what it gets, and keeps books: this side counts the
 * sockets, so that a pool cannot leak one unseen.
 *
 * @property name the host name under which the zone lists it.
 */
class EchoBackend(val name: String) : AutoCloseable {
    private val listener = ServerSocket(0, BACKLOG, InetAddress.getByAddress(byteArrayOf(127, 0, 0, 1)))
    private val sockets = ConcurrentHashMap.newKeySet<Socket>()
    private val acceptedCount = AtomicInteger()
    private val closedCount = AtomicInteger()

    /** Where it listens; also after it has died. */
    val port: Int = listener.localPort

    /** Connections accepted since the start. */
    val accepted: Int get() = acceptedCount.get()

    /** Connections that have ended, from whichever side. */
    val closed: Int get() = closedCount.get()

    /** Connections open now. */
    val open: Int get() = accepted - closed

    init {
        thread(isDaemon = true, name = "accept-$name") { acceptAll() }
    }

    /** Dies without a word: stops listening and resets every connection. Returns how many those were. */
    fun kill(): Int {
        listener.close()
        return sockets.toList().count { socket ->
            try {
                socket.setSoLinger(true, 0)
                socket.close()
                true
            } catch (_: IOException) {
                // ended by itself a moment ago
                false
            }
        }
    }

    /** Whether every connection has ended, for which it waits up to 60 s: a close takes its way through the network. */
    fun awaitNoneOpen(): Boolean {
        val end = TimeSource.Monotonic.markNow() + 60.seconds
        while (open > 0 && end.hasNotPassedNow()) Thread.sleep(1)
        return open == 0
    }

    override fun close() {
        listener.close()
        sockets.forEach { it.close() }
    }

    override fun toString(): String = "$name:$port accepted $accepted, closed $closed"

    private fun acceptAll() {
        while (!listener.isClosed) {
            val socket = try {
                listener.accept()
            } catch (_: IOException) {
                return
            }
            acceptedCount.incrementAndGet()
            sockets += socket
            // close() and kill() may have gone over the sockets just before this one was added.
            if (listener.isClosed) socket.close()
            thread(isDaemon = true, name = "echo-$name") { echo(socket) }
        }
    }

    private fun echo(socket: Socket) {
        try {
            socket.use {
                it.tcpNoDelay = true
                it.getInputStream().transferTo(it.getOutputStream())
            }
        } catch (_: IOException) {
            // reset, by this side or by the other
        } finally {
            sockets -= socket
            closedCount.incrementAndGet()
        }
    }

    private companion object {
        const val BACKLOG = 64
    }
}
