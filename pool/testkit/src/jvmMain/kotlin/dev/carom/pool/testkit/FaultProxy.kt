package dev.carom.pool.testkit

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.nio.channels.SocketChannel
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.Future
import java.util.concurrent.TimeUnit.SECONDS

/**
 * A TCP proxy on an ephemeral loopback port in front of one target, that spoils what goes through it as told: for all
 * connections ([fault]) or for one ([FaultLink.fault]), from any thread, at any moment. Each switch holds for the next byte.
 *
 * ```
 * FaultProxy(server.localSocketAddress as InetSocketAddress).use { proxy ->
 *     connect(proxy.address)
 *     proxy.fault = Fault.BLACK_HOLE
 * }
 * ```
 *
 * @param target where connections lead. Asked for each connection, so that it may start later.
 * @param host the loopback address to listen on; on Linux any of 127.0.0.0/8.
 */
public class FaultProxy(private val target: InetSocketAddress, host: String) : AutoCloseable {
    /** Listens on 127.0.0.1. */
    public constructor(target: InetSocketAddress) : this(target, "127.0.0.1")

    private val board = FaultBoard()
    private val address0 = InetAddress.getByName(host)
    private var listener = listen(InetSocketAddress(address0, 0), MANY)
    private val fillers = mutableListOf<SocketChannel>()
    private val threads: ExecutorService
    private var accepting: Future<*>

    /** The address it listens on: what a client is told. */
    public val address: InetSocketAddress = listener.localSocketAddress as InetSocketAddress

    /** [address]' port. */
    public val port: Int get() = address.port

    /** How all connections are treated that have no fault of their own, those open and those to come. */
    public var fault: Fault
        get() = board.locked { common }
        set(value) = board.changed { common = value }

    /** Connections accepted since the start and not gone, in order; a copy. */
    public val connections: List<FaultLink> get() = board.locked { links.toList() }

    /** Connections accepted since the start. */
    public val accepted: Int get() = board.locked { accepted }

    /** Bytes delivered to the target since the start. */
    public val bytesToTarget: Long get() = board.locked { toTarget }

    /** Bytes delivered to clients since the start. */
    public val bytesToClients: Long get() = board.locked { toClients }

    init {
        threads = Executors.newCachedThreadPool { Thread(it, "fault-proxy-$port").apply { isDaemon = true } }
        accepting = serve(listener)
    }

    /**
     * Waits until [count] connections have been accepted since the start, at most [seconds].
     *
     * @throws IllegalStateException if they have not; the message has the number.
     */
    public fun awaitAccepted(count: Int, seconds: Long) {
        board.await(seconds, { accepted >= count }) { "$accepted of $count connections accepted in $seconds s" }
    }

    /** Resets every connection, on both sides (RST). New ones are accepted. */
    public fun reset(): Unit = connections.forEach { it.reset() }

    /**
     * From now on connects get no answer at all: neither accepted nor refused. Done as far as loopback allows, by a full
     * backlog: on Linux the SYN is dropped. What was connected but not yet served is reset. Undone by [acceptAgain].
     */
    @Synchronized
    public fun acceptNothing() {
        relisten(FEW)
        repeat(FEW + SPARE) {
            val filler = SocketChannel.open().also(fillers::add)
            filler.configureBlocking(false)
            filler.connect(address)
        }
    }

    /** From now on connects are refused: nobody listens. Undone by [acceptAgain]. */
    @Synchronized
    public fun refuse(): Unit = stopListening()

    /** Ends [acceptNothing] or [refuse]. */
    @Synchronized
    public fun acceptAgain() {
        relisten(MANY)
        accepting = serve(listener)
    }

    /** Closes everything, resetting what is open, and ends all threads, waiting up to 30 s. May be called again. */
    @Synchronized
    override fun close() {
        board.changed { closed = true }
        stopListening()
        reset()
        threads.shutdownNow()
        check(threads.awaitTermination(CLOSE_SECONDS, SECONDS)) { "a thread of $this did not end in $CLOSE_SECONDS s" }
    }

    /** Both addresses. */
    override fun toString(): String = "FaultProxy($address -> $target)"

    private fun serve(on: ServerSocket): Future<*> = threads.submit {
        while (!on.isClosed) {
            val client = try {
                on.accept()
            } catch (_: IOException) {
                continue
            }
            val link = FaultLink(client, target, board)
            val open = board.changed {
                accepted++
                links += link
                !closed
            }
            if (open) link.run(threads) else link.reset()
        }
    }

    private fun relisten(backlog: Int) {
        stopListening()
        listener = listen(address, backlog)
    }

    private fun stopListening() {
        listener.close()
        // The descriptor is closed only when nobody is in accept any more; until then the port is taken.
        accepting.get()
        fillers.forEach { it.close() }
        fillers.clear()
    }

    private companion object {
        const val MANY = 1_024
        const val FEW = 1
        const val SPARE = 3
        const val CLOSE_SECONDS = 30L

        fun listen(at: InetSocketAddress, backlog: Int): ServerSocket = ServerSocket().apply {
            reuseAddress = true
            bind(at, backlog)
        }
    }
}
