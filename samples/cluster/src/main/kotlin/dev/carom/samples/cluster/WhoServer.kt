package dev.carom.samples.cluster

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.thread

/** The service of a member, over TCP: says [name] to every line. */
class WhoServer(private val name: String) : AutoCloseable {
    private val listener = ServerSocket(0, BACKLOG, InetAddress.getByAddress(byteArrayOf(127, 0, 0, 1)))
    private val sockets = ConcurrentHashMap.newKeySet<Socket>()
    private val open = MutableStateFlow(0)

    /** Where it listens. */
    val port: Int = listener.localPort

    init {
        thread(isDaemon = true, name = "accept-$name") { acceptAll() }
    }

    /** Returns when nobody is connected. */
    suspend fun awaitIdle() {
        open.first { it == 0 }
    }

    /** [awaitIdle] for callers who block. */
    @Throws(InterruptedException::class)
    fun blockUntilIdle(): Unit = kotlinx.coroutines.runBlocking { awaitIdle() }

    override fun close() {
        listener.close()
        sockets.forEach { it.close() }
    }

    private fun acceptAll() {
        while (!listener.isClosed) {
            val socket = try {
                listener.accept()
            } catch (_: IOException) {
                return
            }
            sockets += socket
            open.update { it + 1 }
            thread(isDaemon = true, name = "who-$name") { serve(socket) }
        }
    }

    private fun serve(socket: Socket) {
        try {
            socket.use {
                it.tcpNoDelay = true
                val lines = it.getInputStream().bufferedReader()
                val answer = "$name\n".toByteArray()
                while (lines.readLine() != null) it.getOutputStream().write(answer)
            }
        } catch (_: IOException) {
            // the client is gone
        } finally {
            sockets -= socket
            open.update { it - 1 }
        }
    }

    private companion object {
        const val BACKLOG = 64
    }
}
