package dev.carom.pool.net

import dev.carom.pool.Backend
import dev.carom.pool.testkit.TestCertificates
import dev.carom.pool.testkit.TestIdentity
import java.io.IOException
import java.io.OutputStream
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Executors
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.TimeUnit
import javax.net.ssl.SSLServerSocket
import javax.net.ssl.SSLSocket

/** A TCP server of the JDK that runs [serve] in a thread for each connection; closed, it leaves none. */
class TlsPeer(private val server: ServerSocket, private val serve: (Socket) -> Unit) : AutoCloseable {
    private val threads = Executors.newCachedThreadPool { Thread(it, "tls-peer").apply { isDaemon = true } }
    private val sockets = ConcurrentHashMap.newKeySet<Socket>()

    /** How connections ended that did not end well, on this side. */
    val failures = CopyOnWriteArrayList<Throwable>()
    val address get() = server.localSocketAddress as InetSocketAddress

    init {
        threads.execute {
            while (!server.isClosed) {
                val socket = runCatching { server.accept() }.getOrNull() ?: continue
                sockets += socket
                try {
                    threads.execute { converse(socket) }
                } catch (_: RejectedExecutionException) {
                    socket.close()
                }
            }
        }
    }

    fun backend(authority: String, at: InetSocketAddress = address) =
        Backend(authority, at.address.hostAddress, at.port)

    private fun converse(socket: Socket) {
        try {
            socket.use(serve)
        } catch (e: IOException) {
            failures += e
        } finally {
            sockets -= socket
        }
    }

    override fun close() {
        server.close()
        sockets.forEach { runCatching { it.close() } }
        threads.shutdownNow()
        check(threads.awaitTermination(10, TimeUnit.SECONDS)) { "a thread of the peer did not end" }
    }

    companion object {
        fun tls(
            identity: TestIdentity,
            host: String = "127.0.0.1",
            trusted: TestCertificates? = null,
            configure: SSLServerSocket.() -> Unit = {},
            serve: (SSLSocket) -> Unit = { echo(it) },
        ): TlsPeer {
            val context = identity.sslContext(*listOfNotNull(trusted?.certificate).toTypedArray())
            val server = context.serverSocketFactory.createServerSocket(0, 1_024, InetAddress.getByName(host))
            (server as SSLServerSocket).configure()
            return TlsPeer(server) { serve(it as SSLSocket) }
        }

        /**
         * Needs a client's certificate of [trusted]. Reads to the client's end before it closes: closing with something
         * unread is a reset, which could overtake the alert.
         */
        fun demanding(identity: TestIdentity, trusted: TestCertificates): TlsPeer {
            val factory = identity.sslContext(trusted.certificate).socketFactory
            return plain { raw ->
                val socket = factory.createSocket(raw, null, false) as SSLSocket
                socket.needClientAuth = true
                try {
                    echo(socket)
                } finally {
                    raw.getInputStream().transferTo(OutputStream.nullOutputStream())
                }
            }
        }

        fun plain(serve: (Socket) -> Unit): TlsPeer =
            TlsPeer(ServerSocket(0, 1_024, InetAddress.getLoopbackAddress()), serve)

        fun echo(socket: Socket) {
            socket.getInputStream().transferTo(socket.getOutputStream())
        }
    }
}
