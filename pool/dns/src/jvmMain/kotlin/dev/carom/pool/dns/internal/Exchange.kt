package dev.carom.pool.dns.internal

import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine
import java.io.EOFException
import java.io.IOException
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.DatagramChannel
import java.nio.channels.SelectableChannel
import java.nio.channels.SelectionKey
import java.nio.channels.SocketChannel
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/**
 * Sends [query] to [server] over UDP and waits for the packet that answers it, of which at most [most] bytes are read.
 * Others are ignored (RFC 5452, section 9.1): the socket is connected, so that they can only come from the server's
 * address and port. The socket has a port nobody can foretell and serves this question alone.
 *
 * Cancelling closes the socket at once.
 *
 * @throws IOException if the network says that it cannot be done.
 */
internal suspend fun overUdp(server: InetSocketAddress, query: ByteArray, most: Int): ByteArray = converse { k ->
    val channel = DatagramChannel.open()
    UdpConversation(channel, query, ByteBuffer.allocate(most), k).opening { channel.connect(server) }
}

/**
 * Sends [query] to [server] over a TCP connection of its own (RFC 7766) and waits for the answer: at most 65535 bytes.
 *
 * Cancelling closes the connection at once.
 *
 * @throws IOException if there is no connection, it ends early, or the answer is to another question.
 */
internal suspend fun overTcp(server: InetSocketAddress, query: ByteArray): ByteArray = converse { k ->
    val channel = SocketChannel.open()
    TcpConversation(channel, query, k).opening { channel.connect(server) }
}

private suspend fun converse(open: (CancellableContinuation<ByteArray>) -> Conversation): ByteArray =
    suspendCancellableCoroutine { continuation ->
        val conversation = try {
            open(continuation)
        } catch (e: IOException) {
            continuation.resumeWithException(e)
            return@suspendCancellableCoroutine
        }
        continuation.invokeOnCancellation {
            conversation.channel.close()
            Reactor.left()
        }
        try {
            Reactor.join(conversation)
        } catch (e: IOException) {
            conversation.abandon(e)
        }
    }

private inline fun <C : Conversation> C.opening(connect: () -> Unit): C {
    try {
        channel.configureBlocking(false)
        connect()
    } catch (e: IOException) {
        channel.close()
        throw e
    }
    return this
}

private class UdpConversation(
    private val socket: DatagramChannel,
    private val query: ByteArray,
    private val packet: ByteBuffer,
    private val continuation: CancellableContinuation<ByteArray>,
) : Conversation {
    override val channel: SelectableChannel get() = socket
    override val interest: Int get() = SelectionKey.OP_WRITE

    override fun advance(key: SelectionKey) {
        if (key.isWritable) {
            socket.write(ByteBuffer.wrap(query))
            key.interestOps(SelectionKey.OP_READ)
        }
        while (socket.read(packet.clear()) > 0) {
            val reply = packet.array().copyOf(packet.position())
            if (isAnswer(query, reply)) {
                socket.close()
                continuation.resume(reply)
                return
            }
        }
    }

    override fun abandon(cause: Exception) {
        socket.close()
        if (continuation.isActive) continuation.resumeWithException(cause)
    }
}

private class TcpConversation(
    private val socket: SocketChannel,
    private val query: ByteArray,
    private val continuation: CancellableContinuation<ByteArray>,
) : Conversation {
    private val outgoing = ByteBuffer.allocate(LENGTH + query.size).putShort(query.size.toShort()).put(query).flip()
    private var incoming = ByteBuffer.allocate(LENGTH)
    private var sized = false

    override val channel: SelectableChannel get() = socket
    override val interest: Int get() = SelectionKey.OP_CONNECT

    override fun advance(key: SelectionKey) {
        if (!socket.finishConnect()) return
        if (outgoing.hasRemaining()) socket.write(outgoing)
        key.interestOps(if (outgoing.hasRemaining()) SelectionKey.OP_WRITE else SelectionKey.OP_READ)
        if (!outgoing.hasRemaining()) receive()
    }

    private fun receive() {
        while (true) {
            val count = socket.read(incoming)
            if (count < 0) throw EOFException("the server closed the connection")
            if (incoming.hasRemaining()) return
            if (sized) return finish(incoming.array())
            sized = true
            incoming = ByteBuffer.allocate(incoming.getShort(0).toInt() and MOST)
        }
    }

    private fun finish(reply: ByteArray) {
        if (!isAnswer(query, reply)) throw IOException("answered another question")
        socket.close()
        continuation.resume(reply)
    }

    override fun abandon(cause: Exception) {
        socket.close()
        if (continuation.isActive) continuation.resumeWithException(cause)
    }

    private companion object {
        const val LENGTH = 2
        const val MOST = 0xFFFF
    }
}

/**
 * Whether [reply] is to [query]: the same id, and the same question whatever the case of its name (RFC 5452, section
 * 9.1; RFC 4343). A server that understood nothing may leave the question out, if it says so.
 */
internal fun isAnswer(query: ByteArray, reply: ByteArray): Boolean {
    if (reply.size < HEADER || reply[0] != query[0] || reply[1] != query[1] || reply[2] >= 0) return false
    val questions = (reply[QUESTIONS].toInt() and 0xFF shl Byte.SIZE_BITS) or (reply[QUESTIONS + 1].toInt() and 0xFF)
    if (questions == 0) return reply[3].toInt() and RCODE != 0
    val end = questionEnd(query)
    val nameEnd = end - TYPE_AND_CLASS
    return questions == 1 && reply.size >= end &&
        (HEADER until nameEnd).all { folded(query[it]) == folded(reply[it]) } &&
        (nameEnd until end).all { query[it] == reply[it] }
}

/** Our own question: never compressed. */
private fun questionEnd(query: ByteArray): Int {
    var at = HEADER
    while (query[at].toInt() != 0) at += query[at] + 1
    return at + 1 + TYPE_AND_CLASS
}

/** Lengths of labels are below 64, so that no letter is among them. */
private fun folded(byte: Byte): Int = if (byte in 'A'.code..'Z'.code) byte + ('a' - 'A') else byte.toInt()

private const val HEADER = 12
private const val QUESTIONS = 4
private const val RCODE = 0xF
private const val TYPE_AND_CLASS = 4
