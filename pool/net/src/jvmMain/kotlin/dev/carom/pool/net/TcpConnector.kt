package dev.carom.pool.net

import dev.carom.pool.Backend
import dev.carom.pool.Connector
import dev.carom.pool.net.internal.Addresses
import dev.carom.pool.net.internal.Reactor
import io.ktor.network.selector.Selectable
import io.ktor.network.selector.SelectorManager
import io.ktor.network.sockets.InetSocketAddress
import io.ktor.network.sockets.Socket
import io.ktor.network.sockets.SocketAddress
import io.ktor.network.sockets.UnixSocketAddress
import io.ktor.network.sockets.aSocket
import jdk.net.ExtendedSocketOptions
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.net.ConnectException
import java.net.InetAddress
import java.net.NoRouteToHostException
import java.net.SocketOption
import java.net.UnknownHostException
import java.nio.channels.SocketChannel

/**
 * Connects a pool over TCP, or, for a backend whose host begins with `/`, over a Unix-domain socket; with a [TlsPolicy] over
 * TLS, and then never without.
 *
 * A host that is an address is dialled as it is. A host that is a name is looked up by the system's resolver, away from the
 * caller's thread, at each connect; its addresses are tried one after the other, in the resolver's order, each for up to
 * [TcpPolicy.connectTimeout].
 *
 * *Threads.* All connections of one connector share one selector, on a daemon thread of its own that user coroutines never
 * run on; bytes are moved on `Dispatchers.IO`. The thread starts with the first connection and ends with the last one, and
 * starts again on demand. So there is nothing to close here: a closed pool leaves no thread behind. Several pools may
 * share a connector, and then share its thread.
 */
public class TcpConnector internal constructor(
    private val policy: TcpPolicy,
    private val tls: TlsPolicy?,
    private val addresses: Addresses,
) : Connector<TcpConnection> {
    private val reactor = Reactor()
    private val engine = tls?.let(::TlsEngine)

    internal constructor(policy: TcpPolicy, addresses: Addresses) : this(policy, null, addresses)

    /**
     * A connector with [policy] that speaks TLS as [tls] says, or not at all. The server must prove the backend's
     * [authority][Backend.authority], which survives resolution, or the backend's name if that is blank; not the address
     * that was dialled.
     */
    public constructor(policy: TcpPolicy, tls: TlsPolicy) : this(policy, tls, Addresses())

    /** A connector with [policy]. Starts and resolves nothing. */
    public constructor(policy: TcpPolicy) : this(policy, null, Addresses())

    /** A connector with the defaults of [TcpPolicy]. Starts and resolves nothing. */
    public constructor() : this(TcpPolicy())

    /**
     * Opens a connection to [backend]. With TLS its handshake is part of it; where it fails, no other address is tried and
     * nothing of the user has been sent.
     *
     * *Cancelled* at any moment, it leaves no socket behind; a descriptor that waits for the selector is closed within half
     * a second. A lookup that the system cannot interrupt is left to end alone.
     *
     * @throws TcpException if none of the backend's addresses accepts, or there is no TLS session; the subclass says why.
     */
    override suspend fun connect(backend: Backend): TcpConnection {
        val lease = reactor.lease()
        var socket: Socket? = null
        var connection: TcpConnection? = null
        try {
            socket = dial(lease.selector, backend)
            val opened = TcpConnection(backend, socket, lease, policy)
            if (engine != null) secure(opened, engine)
            connection = opened
            return opened
        } catch (e: IOException) {
            // If it is not ours: the peer was gone again before its channels were open.
            throw e as? TcpException ?: TcpException.Failed(backend, backend.host, e)
        } finally {
            if (connection == null) {
                socket?.close()
                lease.release()
            }
        }
    }

    private suspend fun secure(connection: TcpConnection, engine: TlsEngine) {
        var done = false
        try {
            connection.secure(engine)
            done = true
        } finally {
            // Orderly, so that an alert gets out; it fits into the system's buffer, so that nothing is waited for.
            if (!done) withContext(NonCancellable) { connection.close() }
        }
    }

    /**
     * Whether [connection] is not known to be closed, and quiet if [TcpPolicy.quietWhenIdle] asks for it. Sends nothing:
     * for a check that does, wrap this connector.
     */
    override suspend fun isValid(connection: TcpConnection): Boolean =
        connection.isOpen && !(policy.quietWhenIdle && connection.hasUnread)

    /**
     * Returns when the peer closes its side, also while nobody reads. Takes no bytes from the user; only if about 1 MiB
     * waits unread, the close behind it is noticed later. Returns, too, when [connection] is closed from this side.
     *
     * @throws TcpException.Reset if the connection was broken off.
     */
    override suspend fun awaitClosed(connection: TcpConnection): Unit = connection.awaitClosed()

    /**
     * Sends what was written and closes, without waiting for the peer to close its side. If that takes longer than
     * [TcpPolicy.closeTimeout], resets the connection. Idempotent: a second call waits for the first. Cancelling ends the
     * wait; the connection is reset then. Unix-domain sockets know no reset: there the peer sees an end.
     */
    override suspend fun close(connection: TcpConnection): Unit = connection.close()

    private suspend fun dial(selector: SelectorManager, backend: Backend): Socket {
        if (backend.host.startsWith("/")) {
            return attempt(selector, backend, UnixSocketAddress(backend.host), backend.host)
        }
        var failure: TcpException? = null
        for (address in resolve(backend)) {
            val literal = address.hostAddress
            val text = if (':' in literal) "[$literal]:${backend.port}" else "$literal:${backend.port}"
            try {
                return attempt(selector, backend, InetSocketAddress(literal, backend.port), text)
            } catch (e: TcpException) {
                failure?.let(e::addSuppressed)
                failure = e
            }
        }
        throw failure ?: TcpException.UnknownHost(backend, "the name has no address", null)
    }

    private suspend fun resolve(backend: Backend): List<InetAddress> {
        val found = try {
            withTimeoutOrNull(policy.connectTimeout) { addresses.of(backend.host) }
        } catch (e: UnknownHostException) {
            throw TcpException.UnknownHost(backend, e.message ?: "unknown", e)
        }
        return found ?: throw TcpException.UnknownHost(backend, "no answer within ${policy.connectTimeout}", null)
    }

    private suspend fun attempt(
        selector: SelectorManager,
        backend: Backend,
        address: SocketAddress,
        text: String,
    ): Socket {
        // Kept outside: what a timed or cancelled block returns at its last moment is dropped, with the socket open.
        var socket: Socket? = null
        try {
            withTimeoutOrNull(policy.connectTimeout) { socket = open(selector, address) }
            currentCoroutineContext().ensureActive()
        } catch (e: CancellationException) {
            socket?.close()
            currentCoroutineContext().ensureActive()
            // Not ours: the selector was closed under it.
            throw TcpException.Failed(backend, text, e)
        } catch (e: IOException) {
            throw failure(backend, text, e)
        }
        return socket ?: throw TcpException.TimedOut(backend, text, policy)
    }

    private suspend fun open(selector: SelectorManager, address: SocketAddress): Socket =
        aSocket(selector).tcp().connect(address) {
            noDelay = policy.noDelay
            keepAlive = policy.keepAlive
            if (policy.receiveBuffer > 0) receiveBufferSize = policy.receiveBuffer
            if (policy.sendBuffer > 0) sendBufferSize = policy.sendBuffer
        }.also { if (policy.keepAlive && address is InetSocketAddress) probe(it) }

    /** Where this JVM and system can; elsewhere the system's own intervals stay. */
    private fun probe(socket: Socket) {
        val channel = (socket as Selectable).channel as SocketChannel
        val supported = channel.supportedOptions()
        fun set(option: SocketOption<Int>, value: Int) {
            if (value > 0 && option in supported) channel.setOption(option, value)
        }
        try {
            set(ExtendedSocketOptions.TCP_KEEPIDLE, policy.keepAliveIdle.inWholeSeconds.toInt())
            set(ExtendedSocketOptions.TCP_KEEPINTERVAL, policy.keepAliveInterval.inWholeSeconds.toInt())
            set(ExtendedSocketOptions.TCP_KEEPCOUNT, policy.keepAliveCount)
        } catch (_: IOException) {
            // Reset already: whoever uses it is told.
        }
    }

    private fun failure(backend: Backend, address: String, cause: IOException): TcpException {
        val reason = cause.message.orEmpty()
        return when {
            cause is NoRouteToHostException || "unreachable" in reason ->
                TcpException.Unreachable(backend, address, cause)

            cause is ConnectException && "refused" in reason -> TcpException.Refused(backend, address, cause)

            cause is ConnectException && "timed out" in reason -> TcpException.TimedOut(backend, address, policy)

            else -> TcpException.Failed(backend, address, cause)
        }
    }
}
