package dev.carom.gossip.net

import dev.carom.gossip.NodeAddress
import dev.carom.gossip.NodeId
import dev.carom.gossip.SwimPolicy
import dev.carom.gossip.Transport
import dev.carom.gossip.net.internal.Lookups
import dev.carom.gossip.net.internal.Reactor
import dev.carom.gossip.net.internal.awaitEnd
import dev.carom.gossip.net.internal.readFrame
import dev.carom.gossip.net.internal.writeFrame
import io.ktor.network.sockets.BoundDatagramSocket
import io.ktor.network.sockets.Datagram
import io.ktor.network.sockets.InetSocketAddress
import io.ktor.network.sockets.ServerSocket
import io.ktor.network.sockets.Socket
import io.ktor.network.sockets.SocketAddress
import io.ktor.network.sockets.aSocket
import io.ktor.network.sockets.openReadChannel
import io.ktor.network.sockets.openWriteChannel
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.io.Buffer
import kotlinx.io.readByteArray
import java.io.IOException
import java.net.InetAddress
import java.net.UnknownHostException
import java.util.concurrent.atomic.AtomicLong

/**
 * Datagrams over UDP, and streams over TCP on the same port; one frame of at most [SwimPolicy.MAX_STREAM] bytes and
 * an envelope's each way, behind its length in 4 bytes, high first. It moves bytes as they are: sealing them is the
 * member's business. Opened by [NetTransport.open].
 *
 * One daemon thread for the selector; bytes are moved by ktor on `Dispatchers.IO`. What arrives costs a datagram's
 * 65,535 bytes at most, and per stream what has arrived of it.
 */
public class NetTransport private constructor(
    private val policy: NetPolicy,
    private val reactor: Reactor,
    private val bound: InetAddress,
    tcp: ServerSocket,
    udp: BoundDatagramSocket,
    /** Where the others reach this. */
    public val address: NodeAddress,
) : Transport<NodeId> {
    private val port = (tcp.localAddress as InetSocketAddress).port
    private val permits = Semaphore(policy.maxStreams)

    private val refusals = AtomicLong()

    /** Datagrams and streams not read because [NetPolicy.allow] does not list whence they came. */
    public val refused: Long get() = refusals.get()

    @Volatile
    private var listener = tcp

    @Volatile
    private var socket = udp

    @Volatile
    private var closed = false

    override fun packets(): Flow<ByteArray> = flow {
        if (socket.isClosed) reopenUdp()
        for (datagram in socket.incoming) {
            if (admits(datagram.address)) emit(datagram.packet.readByteArray())
        }
    }

    override suspend fun serve(answer: suspend (request: ByteArray) -> ByteArray?) {
        if (listener.isClosed) reopenTcp()
        coroutineScope {
            while (true) {
                permits.acquire()
                val stream = try {
                    listener.accept()
                } catch (e: Throwable) {
                    permits.release()
                    throw e
                }
                // Undispatched, so that it is closed even if we are cancelled now.
                launch(start = CoroutineStart.UNDISPATCHED) {
                    try {
                        stream.use {
                            if (admits(it.remoteAddress)) {
                                withTimeoutOrNull(policy.streamTimeout) {
                                    serveOne(it, answer)
                                }
                            }
                        }
                    } finally {
                        permits.release()
                    }
                }
            }
        }
    }

    private fun admits(from: SocketAddress): Boolean {
        val address = (from as? InetSocketAddress)?.resolveAddress()
        if (address != null && policy.allowed.admits(address)) return true
        refusals.incrementAndGet()
        return false
    }

    private suspend fun serveOne(stream: Socket, answer: suspend (request: ByteArray) -> ByteArray?) {
        try {
            val input = stream.openReadChannel()
            val reply = answer(input.readFrame(MOST)) ?: return
            stream.openWriteChannel().writeFrame(reply)
            // The asker closes when it has it all: what is closed before is cut off.
            input.awaitEnd()
        } catch (e: CancellationException) {
            currentCoroutineContext().ensureActive()
        } catch (_: IOException) {
            // The asker is gone, or sends no frames; it does not matter to anybody else.
        }
    }

    override suspend fun send(to: NodeId, datagram: ByteArray) {
        val packet = Buffer().apply { write(datagram) }
        socket.send(Datagram(packet, to.at.toSocketAddress()))
    }

    override suspend fun ask(to: NodeId, request: ByteArray): ByteArray? {
        val stream = aSocket(reactor.selector).tcp().connect(to.at.toSocketAddress()) { noDelay = true }
        return stream.use {
            it.openWriteChannel().writeFrame(request)
            it.openReadChannel().readFrame(MOST)
        }
    }

    override suspend fun close() {
        if (closed) return
        closed = true
        withContext(NonCancellable) {
            socket.close()
            listener.close()
            reactor.stop()
        }
    }

    private suspend fun reopenUdp() {
        if (closed) throw TransportException.NotOpen("the transport")
        socket = bindUdp(reactor, policy, bound, port)
    }

    private suspend fun reopenTcp() {
        if (closed) throw TransportException.NotOpen("the transport")
        listener = aSocket(reactor.selector).tcp().bind(InetSocketAddress(bound.hostAddress, port))
    }

    /** Loses the UDP socket, as the system may. */
    internal fun loseUdp() {
        socket.close()
    }

    /** Loses the TCP listener, as the system may. */
    internal fun loseTcp() {
        listener.close()
    }

    override fun toString(): String = "NetTransport($address)"

    public companion object {
        /** A frame: content and what an envelope may add. */
        private const val MOST = SwimPolicy.MAX_STREAM + 256
        private const val ATTEMPTS = 16

        /**
         * Binds UDP and TCP as [policy] says. Names are looked up away from the caller's thread. Cancelled, it leaves
         * nothing open.
         *
         * @throws TransportException if it cannot; the subclass says why.
         */
        @JvmStatic
        public suspend fun open(policy: NetPolicy): NetTransport = open(policy, Lookups())

        internal suspend fun open(policy: NetPolicy, lookups: Lookups): NetTransport {
            val bound = lookups.first(policy.host)
            val outside = policy.advertiseHost?.let { lookups.first(it) } ?: bound
            if (outside.isAnyLocalAddress) throw TransportException.NoAddress(outside.hostAddress)
            val reactor = Reactor()
            var opened: NetTransport? = null
            try {
                opened = bind(policy, reactor, bound, outside)
                return opened
            } finally {
                if (opened == null) withContext(NonCancellable) { reactor.stop() }
            }
        }

        private suspend fun bind(
            policy: NetPolicy,
            reactor: Reactor,
            at: InetAddress,
            outside: InetAddress,
        ): NetTransport {
            var attempt = 1
            while (true) {
                var tcp: ServerSocket? = null
                try {
                    tcp = aSocket(reactor.selector).tcp().bind(InetSocketAddress(at.hostAddress, policy.port))
                    val port = (tcp.localAddress as InetSocketAddress).port
                    val udp = bindUdp(reactor, policy, at, port)
                    val advertised = if (policy.advertisePort == 0) port else policy.advertisePort
                    return NetTransport(policy, reactor, at, tcp, udp, NodeAddress(outside.address, advertised))
                } catch (e: IOException) {
                    tcp?.close()
                    // A port that is free for TCP need not be free for UDP.
                    if (policy.port != 0 || attempt == ATTEMPTS) {
                        throw TransportException.BindFailed("${at.hostAddress}:${policy.port}", e)
                    }
                }
                attempt++
            }
        }

        private suspend fun bindUdp(
            reactor: Reactor,
            policy: NetPolicy,
            at: InetAddress,
            port: Int,
        ): BoundDatagramSocket =
            aSocket(reactor.selector).udp().bind(InetSocketAddress(at.hostAddress, port)) {
                if (policy.receiveBuffer > 0) receiveBufferSize = policy.receiveBuffer
            }

        private suspend fun Lookups.first(host: String): InetAddress = try {
            of(host).first()
        } catch (e: UnknownHostException) {
            throw TransportException.UnknownHost(host, e)
        }
    }
}

private val io.ktor.network.sockets.ASocket.isClosed: Boolean get() = !socketContext.isActive

private fun NodeAddress.toSocketAddress() = InetSocketAddress(ip(), port)
