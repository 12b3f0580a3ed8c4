package dev.carom.pool.testkit

import java.io.IOException
import java.net.InetSocketAddress
import java.net.Socket
import java.util.concurrent.Executor
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.TimeUnit.MILLISECONDS

/** One connection through a [FaultProxy]. */
public class FaultLink internal constructor(
    private val client: Socket,
    private val target: InetSocketAddress,
    private val board: FaultBoard,
) {
    private val server = Socket()
    private var own: Fault? = null
    private var running = 2

    /** How this connection is treated; null, as at the start, like all the others. */
    public var fault: Fault?
        get() = board.locked { own }
        set(value) = board.changed { own = value }

    /** The client's address. */
    public val clientAddress: InetSocketAddress = client.remoteSocketAddress as InetSocketAddress

    /** Resets both sides (RST). */
    public fun reset() {
        abort(client)
        abort(server)
        board.changed { links -= this@FaultLink }
    }

    /** Ends the stream to the client (FIN); what the client sends still goes through. */
    public fun halfClose() {
        quietly { client.shutdownOutput() }
    }

    /** The client, and how it is treated. */
    override fun toString(): String = "FaultLink($clientAddress, ${current()})"

    internal fun run(threads: Executor) {
        try {
            threads.execute(::open)
            threads.execute { carry(server, client) { toClients += it } }
        } catch (_: RejectedExecutionException) {
            reset()
        }
    }

    private fun open() {
        try {
            if (passes()) server.connect(target) else reset()
        } catch (_: IOException) {
            reset()
        } catch (_: InterruptedException) {
            reset()
        }
        // The other direction waits for it.
        board.changed { }
        carry(client, server) { toTarget += it }
    }

    private fun current(): Fault = board.locked { own ?: common }

    /** Waits while this is a black hole; false if it is to end. */
    private fun passes(): Boolean =
        board.whileHeld { (own ?: common).kind == Fault.Kind.BLACK_HOLE && !client.isClosed } &&
            current().kind != Fault.Kind.RESET &&
            !client.isClosed

    private fun carry(from: Socket, to: Socket, count: FaultBoard.(Int) -> Unit) {
        try {
            if (!board.whileHeld { !server.isConnected && !client.isClosed }) return
            val buffer = ByteArray(CHUNK)
            while (true) {
                val read = from.getInputStream().read(buffer)
                if (!passes()) return reset()
                if (read < 0) break
                deliver(buffer, read, to, count)
            }
            // The end of the stream: passed on, unless it is never to be.
            if (board.whileHeld { (own ?: common).kind == Fault.Kind.NEVER_FIN && !to.isClosed }) to.shutdownOutput()
        } catch (_: IOException) {
            lost()
        } catch (_: InterruptedException) {
            reset()
        } finally {
            ended()
        }
    }

    private fun deliver(buffer: ByteArray, size: Int, to: Socket, count: FaultBoard.(Int) -> Unit) {
        var sent = 0
        while (sent < size) {
            val fault = current()
            val step = if (fault.kind == Fault.Kind.SLOW) 1 else size - sent
            when (fault.kind) {
                Fault.Kind.SLOW -> board.pause(Fault.NANOS.toLong() / fault.bytesPerSecond)
                Fault.Kind.DELAY -> board.pause(MILLISECONDS.toNanos(fault.delayMillis))
                else -> Unit
            }
            if (!passes()) throw IOException("reset")
            // Counted first: whoever has received a byte finds it in the count.
            board.changed { count(step) }
            to.getOutputStream().write(buffer, sent, step)
            sent += step
        }
    }

    /** A reset of one side is one of the other, unless ends are never passed on. */
    private fun lost() {
        if (board.whileHeld { (own ?: common).kind in KEEPING && !client.isClosed }) reset()
    }

    private fun ended() {
        val last = board.changed { --running == 0 }
        if (!last) return
        quietly { client.close() }
        quietly { server.close() }
        board.changed { links -= this@FaultLink }
    }

    private fun abort(socket: Socket) {
        quietly { socket.setSoLinger(true, 0) }
        quietly { socket.close() }
    }

    private inline fun quietly(call: () -> Unit) {
        try {
            call()
        } catch (_: IOException) {
            // Closed already.
        }
    }

    private companion object {
        const val CHUNK = 16_384
        val KEEPING = setOf(Fault.Kind.NEVER_FIN, Fault.Kind.BLACK_HOLE)
    }
}
