package dev.carom.gossip.internal

import dev.carom.gossip.GossipChannel
import dev.carom.gossip.GossipPolicy
import dev.carom.gossip.SwimEffect
import dev.carom.gossip.Transport
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration.Companion.nanoseconds

/** The coroutines between the loop and the transport. */
internal class Couriers<I>(private val transport: Transport<I>, private val policy: GossipPolicy) {
    private class Letter<I>(val to: I, val datagram: ByteArray)

    /** Few, and bounded by their senders: user's calls and streams. */
    val inbox = Channel<ShellInput<I>>(Channel.UNLIMITED)
    private val arrived = Channel<ByteArray>(ARRIVED)
    private val outbox = Channel<Letter<I>>(policy.outbox)
    private var scope: CoroutineScope? = null
    private var sender: Job? = null

    /** Sealed datagrams. A loop that is late holds back the socket. */
    val packets: ReceiveChannel<ByteArray> get() = arrived

    fun start(scope: CoroutineScope) {
        this.scope = scope
        scope.launch { forEver(GossipChannel.Packets) { works -> collectPackets(works) } }
        scope.launch { forEver(GossipChannel.Streams) { works -> serveStreams(works) } }
        sender = scope.launch { for (letter in outbox) deliver(letter) }
    }

    /** Takes no more datagrams, and returns when those it has are with the network interface. */
    suspend fun flush() {
        outbox.close()
        sender?.join()
    }

    fun offer(input: ShellInput<I>): Boolean = inbox.trySend(input).isSuccess

    /** False: too many wait already. */
    fun send(to: I, datagram: ByteArray): Boolean = outbox.trySend(Letter(to, datagram)).isSuccess

    fun ask(order: SwimEffect.OpenStream<I>, sealed: ByteArray) {
        scope?.launch {
            var answer: ByteArray? = null
            failureOf {
                answer = withTimeoutOrNull(order.timeoutNanos.nanoseconds) { transport.ask(order.to, sealed) }
            }
            offer(ShellInput.Answer(order.stream, answer))
        }
    }

    private suspend fun deliver(letter: Letter<I>) {
        val failure = failureOf { transport.send(letter.to, letter.datagram) } ?: return
        offer(ShellInput.SendFailed(letter.to, failure))
    }

    private suspend fun collectPackets(works: () -> Unit) {
        transport.packets().collect {
            works()
            arrived.send(it)
        }
    }

    private suspend fun serveStreams(works: () -> Unit) {
        transport.serve { request ->
            works()
            val answer = CompletableDeferred<ByteArray?>()
            if (offer(ShellInput.Request(request, answer))) answer.await() else null
        }
    }

    /** Receiving never ends by itself: whatever ends it is told, and it begins again after a pause. */
    private suspend fun forEver(channel: GossipChannel, receive: suspend (works: () -> Unit) -> Unit) {
        var pause = policy.reopenMin
        var failing = false
        while (true) {
            val works = {
                if (failing) offer(ShellInput.ReceiveWorks(channel))
                failing = false
                pause = policy.reopenMin
            }
            val failure = failureOf { receive(works) } ?: "it ended without a reason"
            failing = true
            offer(ShellInput.ReceiveFailed(channel, failure, pause.inWholeMilliseconds))
            delay(pause)
            pause = minOf(pause * 2, policy.reopenMax)
        }
    }

    private companion object {
        const val ARRIVED = 64
    }
}

/** What [block] threw, in words; null: nothing. The cancellation of this coroutine is thrown on. */
internal suspend fun failureOf(block: suspend () -> Unit): String? = try {
    block()
    null
} catch (e: CancellationException) {
    currentCoroutineContext().ensureActive()
    // Not ours: the socket was closed under it.
    e.toString()
} catch (e: Exception) {
    e.toString()
}
