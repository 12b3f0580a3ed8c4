package dev.carom.pool.testkit

import org.xbill.DNS.Message
import org.xbill.DNS.Type
import java.io.DataInputStream
import java.io.IOException
import java.net.BindException
import java.net.DatagramPacket
import java.net.DatagramSocket
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.TimeUnit.MILLISECONDS
import java.util.concurrent.TimeUnit.SECONDS
import java.util.function.Consumer

/**
 * A real DNS server for tests: UDP and TCP on one ephemeral loopback port, until [close]. What it knows and how it
 * behaves may be changed at any moment from any thread; a question sees the one or the other, never half.
 *
 * Answers are cut to what the client takes over UDP, with the TC bit, and whole over TCP; negative answers carry an
 * SOA; SRV answers carry the addresses of their targets while [additional] is true.
 *
 * ```
 * DnsTestServer().use { dns ->
 *     dns.zone = DnsZone().ttl(5).instance("_db._tcp.shop.test", "db1.shop.test", "10.0.0.1", 5432)
 *     dns.behaviour = DnsBehaviour.SERVFAIL
 * }
 * ```
 *
 * @param host the loopback address to listen on: `127.0.0.1`, another of 127/8, or `::1`.
 * @throws BindException from the constructor if no port is free for both UDP and TCP, or there is no such address.
 */
public class DnsTestServer
@JvmOverloads
constructor(host: String = "127.0.0.1") : AutoCloseable {
    /** What is known; assigned as a whole. */
    @Volatile
    public var zone: DnsZone = DnsZone()

    /** How questions are treated from now on. */
    @Volatile
    public var behaviour: DnsBehaviour = DnsBehaviour.ANSWER

    /** How long an answer is held back, in milliseconds. 0 or more; questions overtake each other. */
    @Volatile
    public var delayMillis: Long = 0
        set(value) {
            require(value >= 0) { "delayMillis must be at least 0, was $value" }
            field = value
        }

    /** Whether SRV answers carry the addresses of their targets (RFC 2782, page 4). */
    @Volatile
    public var additional: Boolean = true

    /**
     * Most records of the type asked for in one answer, 1 or more: of more, each answer has others, drawn at random, as
     * the servers of large services do.
     */
    @Volatile
    public var mostRecords: Int = Int.MAX_VALUE
        set(value) {
            require(value >= 1) { "mostRecords must be at least 1, was $value" }
            field = value
        }

    /** Is told each question before it is answered, on the server's own threads; nobody by default. */
    @Volatile
    public var onQuestion: Consumer<DnsTestQuestion> = Consumer { }

    private val scripted = ConcurrentLinkedQueue<DnsBehaviour>()
    private val tcp: ServerSocket
    private val udp: DatagramSocket
    private val log = CopyOnWriteArrayList<DnsTestQuestion>()
    private val connections = ConcurrentHashMap.newKeySet<Socket>()
    private val closed = CountDownLatch(1)
    private val threads: ExecutorService

    init {
        require(host.all { it.isDigit() || it in ".:" }) { "host must be an address literal, was $host" }
        val local = InetAddress.getByName(host)
        require(local.isLoopbackAddress) { "host must be a loopback address, was $host" }
        val (listening, datagrams) = bindBoth(local)
        tcp = listening
        udp = datagrams
        threads =
            Executors.newCachedThreadPool { task -> Thread(task, "dns-test-server-$port").also { it.isDaemon = true } }
        threads.execute(::serveUdp)
        threads.execute(::serveTcp)
    }

    /** The port of both UDP and TCP. */
    public val port: Int get() = tcp.localPort

    /** The loopback address and [port]: what a client is told. */
    public val address: InetSocketAddress get() = InetSocketAddress(tcp.inetAddress, port)

    /** Every question received since the start or [forget], in order of arrival; a copy. */
    public val questions: List<DnsTestQuestion> get() = log.toList()

    /** Questions received over UDP. */
    public val udpCount: Int get() = log.count { !it.tcp }

    /** Questions received over TCP. */
    public val tcpCount: Int get() = log.count { it.tcp }

    /** The next questions are treated so, one each; then [behaviour] holds again. */
    public fun next(vararg behaviours: DnsBehaviour) {
        scripted += behaviours
    }

    /** Empties [questions]. */
    public fun forget(): Unit = log.clear()

    /**
     * Closes both sockets and all connections and ends all threads, waiting up to 30 s for them. May be called again.
     */
    override fun close() {
        closed.countDown()
        udp.close()
        tcp.close()
        connections.forEach { it.close() }
        threads.shutdownNow()
        check(threads.awaitTermination(CLOSE_SECONDS, SECONDS)) { "a thread of $this did not end in $CLOSE_SECONDS s" }
    }

    /** The address it listens on. */
    override fun toString(): String = "DnsTestServer(${address.address.hostAddress}:$port)"

    private fun serveUdp() = untilClosed {
        val packet = DatagramPacket(ByteArray(MAX_SIZE), MAX_SIZE)
        udp.receive(packet)
        val client = packet.socketAddress
        receive(packet.data.copyOf(packet.length), false) { answer, elsewhere ->
            val reply = DatagramPacket(answer, answer.size, client)
            if (elsewhere) DatagramSocket(0, udp.localAddress).use { it.send(reply) } else udp.send(reply)
        }
    }

    private fun serveTcp() = untilClosed {
        val connection = tcp.accept()
        connections += connection
        // close() may have gone over the connections just before this one was added
        if (closed.count == 0L) connection.close() else threads.execute { converse(connection) }
    }

    /** Many questions may come over one connection (RFC 7766, section 6.2.1). */
    private fun converse(connection: Socket) {
        try {
            connection.use {
                val input = DataInputStream(it.getInputStream())
                while (true) {
                    val query = ByteArray(input.readUnsignedShort())
                    input.readFully(query)
                    receive(query, true) { answer, _ -> send(it, answer) }
                }
            }
        } catch (_: IOException) {
            // the client hung up, or the server closes
        } finally {
            connections -= connection
        }
    }

    private fun send(connection: Socket, answer: ByteArray) {
        val framed = byteArrayOf((answer.size shr Byte.SIZE_BITS).toByte(), answer.size.toByte()) + answer
        synchronized(connection) { connection.getOutputStream().write(framed) }
    }

    private fun receive(bytes: ByteArray, tcp: Boolean, send: (ByteArray, Boolean) -> Unit) {
        val query = try {
            Message(bytes)
        } catch (_: IOException) {
            return
        }
        val question = query.question ?: return
        val asked = DnsTestQuestion(question.name.toString(), Type.string(question.type), tcp)
        log += asked
        onQuestion.accept(asked)
        val responder = DnsResponder(zone, scripted.poll() ?: behaviour, additional, mostRecords)
        responder.forgeries(query, tcp).forEach { send(it.bytes, it.elsewhere) }
        val answer = responder.respond(query, tcp) ?: return
        val delay = delayMillis
        if (delay == 0L) send(answer, false) else threads.execute { later(delay) { send(answer, false) } }
    }

    private fun later(delay: Long, send: () -> Unit) {
        try {
            if (!closed.await(delay, MILLISECONDS)) send()
        } catch (_: InterruptedException) {
            // the server closes
        } catch (_: IOException) {
            // the client hung up, or the server closes
        }
    }

    private fun untilClosed(step: () -> Unit) {
        while (closed.count > 0) {
            try {
                step()
            } catch (_: IOException) {
                // one client's trouble, or the server closes
            } catch (_: RejectedExecutionException) {
                // the server closes
            }
        }
    }

    private companion object {
        const val MAX_SIZE = 65_535
        const val BACKLOG = 50
        const val BIND_ATTEMPTS = 50
        const val CLOSE_SECONDS = 30L

        /** TCP picks a free port; another process may hold the same number for UDP, so it is tried again. */
        fun bindBoth(loopback: InetAddress): Pair<ServerSocket, DatagramSocket> {
            repeat(BIND_ATTEMPTS) {
                val listening = ServerSocket(0, BACKLOG, loopback)
                try {
                    return listening to DatagramSocket(InetSocketAddress(loopback, listening.localPort))
                } catch (_: BindException) {
                    listening.close()
                }
            }
            throw BindException("no port free for both UDP and TCP in $BIND_ATTEMPTS attempts")
        }
    }
}
