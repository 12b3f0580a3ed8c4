package dev.carom.sockets

import dev.carom.sockets.transport.Addressing
import dev.carom.sockets.transport.SocketAddress
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.io.IOException
import java.net.InetSocketAddress
import java.net.StandardSocketOptions
import java.net.UnixDomainSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.SocketChannel

/**
 * Speaks, byte by byte, whatever a test wants to the socket that is bound at [url].
 *
 * @param receiveBuffer bytes, about, that its system takes although it never [hear]s; 0 is as many as the system likes.
 */
internal class RawPeer(url: String, receiveBuffer: Int = 0) : AutoCloseable {
    private val channel: SocketChannel = if (url.startsWith("ipc")) {
        SocketChannel.open(UnixDomainSocketAddress.of(url.removePrefix("ipc://")))
    } else {
        val address = SocketAddress.parse(url, Addressing.HostPort, bind = false)
        SocketChannel.open().apply {
            if (receiveBuffer > 0) setOption(StandardSocketOptions.SO_RCVBUF, receiveBuffer)
            connect(InetSocketAddress(address.host, address.port))
        }
    }

    /** Hexadecimal, with blanks. */
    suspend fun say(hex: String) = say(hex(hex))

    suspend fun say(bytes: ByteArray) = withContext(Dispatchers.IO) {
        val buffer = ByteBuffer.wrap(bytes)
        while (buffer.hasRemaining()) channel.write(buffer)
    }

    /** The next [count] bytes, or those that came before the end. */
    suspend fun hear(count: Int): String = withContext(Dispatchers.IO) {
        val buffer = ByteBuffer.allocate(count)
        try {
            do {
                val more = buffer.hasRemaining() && channel.read(buffer) >= 0
            } while (more)
        } catch (_: IOException) {
            // A reset is an end as well.
        }
        buffer.flip()
        ByteArray(buffer.remaining()) { buffer.get() }.joinToString(" ") { "%02x".format(it) }
    }

    /** Whether the other side closes without saying anything. */
    suspend fun hearsTheEnd(): Boolean = hear(1).isEmpty()

    override fun close() = channel.close()
}

internal fun hex(text: String): ByteArray = text.replace(" ", "").chunked(2).map { it.toInt(16).toByte() }.toByteArray()
