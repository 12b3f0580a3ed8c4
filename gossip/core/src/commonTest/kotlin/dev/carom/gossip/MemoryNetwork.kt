package dev.carom.gossip

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Hosts that reach each other in virtual time. */
class MemoryNetwork(private val delay: Duration = 1.milliseconds) {
    private val hosts = HashMap<NodeAddress, MemoryTransport>()

    fun host(number: Int): MemoryTransport {
        val at = NodeAddress(byteArrayOf(10, 0, 0, number.toByte()), 7946)
        return MemoryTransport(this, NodeId(at, 1)).also { hosts[at] = it }
    }

    suspend fun at(address: NodeAddress): MemoryTransport? {
        delay(delay)
        return hosts[address]?.takeIf { it.plugged && !it.closed }
    }
}

class MemoryTransport(private val network: MemoryNetwork, val id: NodeId) : Transport<NodeId> {
    class Stream(val request: ByteArray, val answer: CompletableDeferred<ByteArray?>)

    private val arriving = Channel<ByteArray>(64)
    private val streams = Channel<Stream>(64)
    private val failures = Channel<Throwable>(1)
    var plugged = true
    var closed = false
        private set
    var collections = 0
        private set
    var failSends: Throwable? = null
    var tamper: (ByteArray) -> ByteArray = { it }

    /** Ends the receiving of packets with [cause], after the next packet. */
    fun breakReceiving(cause: Throwable) {
        failures.trySend(cause)
    }

    fun deliver(datagram: ByteArray) {
        arriving.trySend(datagram)
    }

    override fun packets(): Flow<ByteArray> = flow {
        collections++
        for (datagram in arriving) {
            failures.tryReceive().getOrNull()?.let { throw it }
            emit(datagram)
        }
    }

    override suspend fun serve(answer: suspend (request: ByteArray) -> ByteArray?) {
        for (stream in streams) stream.answer.complete(answer(stream.request))
    }

    override suspend fun send(to: NodeId, datagram: ByteArray) {
        failSends?.let { throw it }
        if (plugged) network.at(to.at)?.deliver(tamper(datagram))
    }

    override suspend fun ask(to: NodeId, request: ByteArray): ByteArray? {
        val host = if (plugged) network.at(to.at) else null
        if (host == null) awaitCancellation()
        val stream = Stream(request, CompletableDeferred())
        host.streams.send(stream)
        return stream.answer.await()
    }

    override suspend fun close() {
        closed = true
        arriving.close()
        streams.close()
    }
}
