package dev.carom.pool.net

import dev.carom.pool.Backend
import dev.carom.pool.net.internal.ChannelInputStream
import dev.carom.pool.net.internal.ChannelOutputStream
import dev.carom.pool.net.internal.Reactor
import dev.carom.pool.net.internal.tcpFailure
import io.ktor.network.selector.Selectable
import io.ktor.network.sockets.Socket
import io.ktor.utils.io.ByteChannel
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.ConcurrentIOException
import io.ktor.utils.io.availableForRead
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.InetSocketAddress
import java.net.SocketAddress
import java.net.StandardSocketOptions
import java.nio.channels.SocketChannel
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration.Companion.seconds

/**
 * An open connection to a backend, over TCP or a Unix-domain socket. Opened and closed by a [TcpConnector].
 *
 * Each direction is one byte stream: use it as [input] or as [inputStream], as [output] or as [outputStream], from one
 * coroutine or thread at a time. Reading and writing may go on beside each other.
 *
 * Bytes that arrive are read ahead, up to about 1 MiB, so that the peer's close is noticed while nobody reads.
 *
 * Over TLS the plain bytes are read ahead likewise, besides the sealed ones.
 *
 * @property backend the backend it leads to.
 */
public class TcpConnection internal constructor(
    public val backend: Backend,
    private val socket: Socket,
    private val lease: Reactor.Lease,
    private val policy: TcpPolicy,
) {
    internal val channel: SocketChannel = (socket as Selectable).channel as SocketChannel
    private val incoming = ByteChannel()
    private val outgoing = ByteChannel()
    private val closing = AtomicBoolean()
    private val closed = Job()

    /** The peer's address: `10.0.0.7:5432`, `[::1]:5432`, or the path of a Unix-domain socket. Also after closing. */
    public val remoteAddress: String = channel.remoteAddress.text()

    /** This side's address, in the same form; empty for a Unix-domain socket without a name. Also after closing. */
    public val localAddress: String = channel.localAddress.text()

    private val reading: Job = socket.attachForReading(incoming).job
    private val writing: Job = socket.attachForWriting(outgoing).job

    private var tls: TlsStream? = null

    /** What the TLS handshake agreed on; null over plain TCP. */
    public val tlsSession: TlsSession? get() = tls?.session

    /**
     * What the peer sends. Ends when the peer has closed its side; bytes that came before that stay readable. Over TLS it has
     * to say so: an end that may be a truncation fails reads after the last byte, with [TlsException.Truncated]. A reset fails
     * it at once, and so does closing from this side, with an [IOException]. Cancelling it gives up reading for good: the
     * connection is not [isOpen] any more.
     */
    public val input: ByteReadChannel get() = tls?.input ?: incoming

    /**
     * What the peer shall get. Flush, or bytes stay here. A flush hands them to the socket's writer and waits only if that
     * is about 1 MiB behind. A write that waits while the connection is closed from this side may return as if it had been
     * done, though its bytes are lost; those of [outputStream] fail. Closing it ends this direction (FIN) and leaves the other open; a pool should not lend such a
     * connection again: discard the claim.
     */
    public val output: ByteWriteChannel get() = tls?.output ?: outgoing

    /**
     * Whether nothing is known against it: not closed from this side, no close or reset from the peer, both directions
     * usable. A peer that has vanished without a word is not known.
     */
    public val isOpen: Boolean
        get() = !closing.get() &&
            reading.isActive &&
            writing.isActive &&
            incoming.closedCause == null &&
            !outgoing.isClosedForWrite &&
            tls?.isOpen != false

    /**
     * [input] for blocking callers, on platform or virtual threads. An interrupt ends a waiting read with
     * [java.io.InterruptedIOException] and leaves the thread interrupted and the connection usable. Closing the stream does
     * nothing: the connection belongs to the pool. A new stream each time; they share one position.
     */
    public fun inputStream(): InputStream = ChannelInputStream(input, ::checkOpen)

    /**
     * [output] for blocking callers, on platform or virtual threads. Every write hands its bytes to the socket's writer, as
     * a plain socket's stream does; wrap it in a [java.io.BufferedOutputStream] to write in small pieces. Closing the stream
     * only flushes: the connection belongs to the pool. Interrupts as in [inputStream]; an interrupted write may have taken
     * a part of its bytes.
     */
    public fun outputStream(): OutputStream = ChannelOutputStream(output, ::checkOpen)

    /** Both ends, for people. */
    override fun toString(): String = "TcpConnection($localAddress -> $remoteAddress)"

    /** Whether every coroutine of the socket has ended, and its descriptor is with the selector to be closed. */
    internal val isGone: Boolean get() = reading.isCompleted && writing.isCompleted && tls?.isGone != false &&
        socket.socketContext.isCompleted

    private fun checkOpen() {
        if (closing.get()) throw IOException("$this is closed")
    }

    internal val hasUnread: Boolean get() = tls?.hasUnread ?: hasUnreadBelow

    private val hasUnreadBelow get() = !incoming.isClosedForRead && incoming.availableForRead > 0

    /** From now on everything goes through TLS. @throws TcpException if there is no session; then it is to be closed. */
    internal suspend fun secure(engine: TlsEngine) {
        // Tried: Unconfined, sealing on the writer's thread. A ping-pong took 0.17 ms instead of 0.24, a large transfer six
        // times as long.
        val scope = CoroutineScope(socket.socketContext + Dispatchers.IO)
        val peer = backend.authority.ifBlank { backend.name }
        tls = try {
            engine.connect(scope, incoming, outgoing, peer, backend.port)
        } catch (e: TlsException) {
            throw tcpFailure(backend, remoteAddress, e)
        }
    }

    private suspend fun awaitClosed(tls: TlsStream) {
        try {
            tls.awaitClosed()
        } catch (e: TlsException) {
            if (!closing.get()) throw tcpFailure(backend, remoteAddress, e)
        } catch (e: IOException) {
            if (!closing.get()) throw TcpException.Reset(backend, remoteAddress, e)
        }
    }

    /** The socket's reader ends with the peer's FIN or a failure; it reads into [incoming] and takes nothing from the user. */
    internal suspend fun awaitClosed() {
        tls?.let { return awaitClosed(it) }
        reading.join()
        if (closing.get()) return
        // A reset is reported once by the system: to the writer, if it was the first to touch the socket.
        val cause = incoming.closedCause ?: outgoing.closedCause ?: return
        if (cause !is CancellationException) throw TcpException.Reset(backend, remoteAddress, cause)
    }

    internal suspend fun close() {
        if (!closing.compareAndSet(false, true)) return closed.join()
        var flushed = false
        try {
            flushed = flushWithin()
        } finally {
            withContext(NonCancellable) {
                // So that whoever still reads or writes fails, instead of being told that it was cancelled.
                val closedHere = IOException("${this@TcpConnection} is closed")
                if (!flushed) reset(closedHere)
                tls?.abort(closedHere)
                incoming.cancel(closedHere)
                outgoing.cancel(closedHere)
                socket.close()
                // The socket's own close only asks the writer to finish, which it cannot while the peer does not read.
                writing.cancel()
                reading.cancel()
                // The descriptor is closed once the socket's two coroutines have left it: they only have to be dispatched.
                withTimeoutOrNull(LEAVE_TIMEOUT) { socket.socketContext.join() }
                lease.release()
            }
            closed.complete()
        }
    }

    /** Sends what was written, then FIN. The peer's FIN is not waited for. False if it took longer than the policy allows. */
    private suspend fun flushWithin(): Boolean = withTimeoutOrNull(policy.closeTimeout) {
        try {
            // TLS's own end comes before TCP's; its writer closes the sealed channel behind it.
            tls?.finish()
            outgoing.flushAndClose()
        } catch (_: CancellationException) {
            // Ours, or only the channel's own: then the user has cancelled it, and nothing is left to send.
            currentCoroutineContext().ensureActive()
        } catch (_: ConcurrentIOException) {
            // Somebody writes to a connection that is being closed: neither of the two is owed an orderly end.
            return@withTimeoutOrNull false
        } catch (_: IOException) {
            // The peer is gone: nothing can be sent, and closing is what it deserves anyway.
        }
        writing.join()
        true
    } ?: false

    /**
     * Otherwise the system would go on sending to a peer that does not read, long after this side forgot it. Before the
     * socket's writer hears of it: it ends its direction, and the peer would take what it has for all there was.
     */
    private fun reset(why: IOException) {
        if (remoteIsUnix) return
        incoming.cancel(why)
        try {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0)
            channel.close()
        } catch (_: IOException) {
            // Closed already.
        }
    }

    private val remoteIsUnix: Boolean get() = remoteAddress.startsWith("/")

    private companion object {
        val LEAVE_TIMEOUT = 1.seconds
    }
}

// Not InetSocketAddress.toString or hostName: they may ask a name server.
private fun SocketAddress?.text(): String = when (this) {
    is InetSocketAddress -> {
        val host = address.hostAddress
        if (':' in host) "[$host]:$port" else "$host:$port"
    }

    null -> ""

    else -> toString()
}
