package dev.carom.samples.messaging.perf

import dev.carom.sockets.MessageSocket
import dev.carom.sockets.Overflow
import dev.carom.sockets.ReceivingSocket
import dev.carom.sockets.RepSocket
import dev.carom.sockets.ReqSocket
import dev.carom.sockets.SendingSocket
import dev.carom.sockets.SocketPolicy
import dev.carom.sockets.SpreadingSocket
import dev.carom.sockets.openBusSocket
import dev.carom.sockets.openPairSocket
import dev.carom.sockets.openPubSocket
import dev.carom.sockets.openPullSocket
import dev.carom.sockets.openPushSocket
import dev.carom.sockets.openRepSocket
import dev.carom.sockets.openReqSocket
import dev.carom.sockets.openSubSocket
import dev.carom.sockets.transport.Transports
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger

/** The protocols that can be measured. */
enum class PerfProtocol { ReqRep, Pair, Pipeline, PubSub, Bus }

/** The numbers of a run. */
class PerfPlan(
    val protocol: PerfProtocol,
    val url: String,
    val size: Int,
    val count: Int,
    val warmup: Int,
    val transports: Transports,
) {
    val name: String get() = protocol.name.lowercase()

    /** Messages in all. */
    val all: Int get() = warmup + count

    /** Whether a receiver that is too slow loses messages. */
    val lossy: Boolean get() = protocol == PerfProtocol.PubSub || protocol == PerfProtocol.Bus

    init {
        require(size in 1..(1 shl 20)) { "size must be in 1..${1 shl 20} bytes, was $size" }
        require(!lossy || size >= Long.SIZE_BYTES) { "messages that may be lost need 8 bytes for a number, not $size" }
        require(count > 0 && warmup >= 0) { "count must be at least 1 and warmup at least 0, were $count and $warmup" }
    }
}

/** Runs both sides, or one: the server listens, the client connects and measures round trips; it sends where the server measures. */
class Perf(private val plan: PerfPlan) {
    /** The server of [latency]: gives everything back until it has given back all. [bound] is told where it listens. */
    suspend fun echo(bound: CompletableDeferred<String>): Unit = coroutineScope {
        when (plan.protocol) {
            PerfProtocol.ReqRep -> openRepSocket("echo", transports = plan.transports).served(bound) {
                repeat(plan.all) { receive().use { it.reply(it.body) } }
            }

            PerfProtocol.Pair -> openPairSocket("echo", transports = plan.transports).served(bound) {
                repeat(plan.all) { send(receive()) }
            }

            PerfProtocol.Bus -> openBusSocket("echo", transports = plan.transports).served(bound) {
                repeat(plan.all) { send(receive()) }
            }

            PerfProtocol.Pipeline, PerfProtocol.PubSub -> oneWay()
        }
    }

    /** The client of [echo]. */
    suspend fun latency(url: String): Measured = coroutineScope {
        when (plan.protocol) {
            PerfProtocol.ReqRep -> openReqSocket("client", transports = plan.transports).connected(url) {
                trips { request(it) }
            }

            PerfProtocol.Pair -> openPairSocket("client", transports = plan.transports).connected(url) {
                trips { send(it).let { receive() } }
            }

            PerfProtocol.Bus -> openBusSocket("client", transports = plan.transports).connected(url) {
                trips { send(it).let { receive() } }
            }

            PerfProtocol.Pipeline, PerfProtocol.PubSub -> oneWay()
        }
    }

    /** The server that measures how fast messages come. */
    suspend fun throughput(bound: CompletableDeferred<String>): Measured = coroutineScope {
        when (plan.protocol) {
            PerfProtocol.ReqRep -> openRepSocket("server", transports = plan.transports).served(bound) {
                answered(this)
            }

            PerfProtocol.Pair -> openPairSocket("server", transports = plan.transports).served(bound) { taken(this) }

            PerfProtocol.Pipeline -> openPullSocket("server", transports = plan.transports).served(bound) {
                taken(this)
            }

            PerfProtocol.PubSub -> openSubSocket("server", LOSSY, plan.transports).also {
                it.subscribe("")
            }.served(bound) { taken(this) }

            PerfProtocol.Bus -> openBusSocket("server", LOSSY, plan.transports).served(bound) { taken(this) }
        }
    }

    /** The client that sends to [throughput] as fast as it can. */
    suspend fun flood(url: String): Unit = coroutineScope {
        when (plan.protocol) {
            PerfProtocol.ReqRep -> openReqSocket("client", transports = plan.transports).connected(url) { ask(this) }

            PerfProtocol.Pair -> openPairSocket("client", transports = plan.transports).connected(url) { send(this) }

            PerfProtocol.Pipeline -> openPushSocket("client", transports = plan.transports).connected(url) {
                send(this)
            }

            PerfProtocol.PubSub -> openPubSocket("client", LOSSY, plan.transports).connected(url) { spread(this) }

            PerfProtocol.Bus -> openBusSocket("client", LOSSY, plan.transports).connected(url) { spread(this) }
        }
    }

    private suspend fun <S : MessageSocket, R> S.served(
        bound: CompletableDeferred<String>,
        work: suspend S.() -> R,
    ): R = closing {
        bound.complete(bind(plan.url).url)
        work()
    }

    private suspend fun <S : MessageSocket, R> S.connected(url: String, work: suspend S.() -> R): R = closing {
        connect(url)
        awaitPipes(1)
        work()
    }

    private suspend fun <S : MessageSocket, R> S.closing(work: suspend S.() -> R): R = try {
        work()
    } finally {
        withContext(NonCancellable) { close() }
    }

    private suspend fun trips(trip: suspend (ByteArray) -> ByteArray): Measured {
        repeat(plan.warmup) { trip(message(it)) }
        val nanos = LongArray(plan.count)
        for (i in nanos.indices) {
            val start = System.nanoTime()
            val back = trip(message(i))
            nanos[i] = System.nanoTime() - start
            check(back.size == plan.size) { "${plan.size} bytes were sent, ${back.size} came back" }
        }
        return Measured.Latency(plan.name, plan.size, nanos)
    }

    private suspend fun answered(socket: RepSocket): Measured = coroutineScope {
        val clock = PerfClock(plan)
        val done = CompletableDeferred<Unit>()
        val workers = List(WINDOW) {
            launch {
                while (true) {
                    socket.receive().use {
                        it.reply(it.body)
                        if (clock.count()) done.complete(Unit)
                    }
                }
            }
        }
        done.await()
        workers.forEach { it.cancel() }
        clock.measured()
    }

    /** Until the last has come. Where messages may be lost they are numbered, and the last one never is. */
    private suspend fun taken(socket: ReceivingSocket): Measured {
        val clock = PerfClock(plan)
        do {
            val message = socket.receive()
            val last = plan.lossy && ByteBuffer.wrap(message).getLong() == plan.all - 1L
        } while (!clock.count() && !last)
        return clock.measured()
    }

    private suspend fun ask(socket: ReqSocket): Unit = coroutineScope {
        val next = AtomicInteger()
        repeat(WINDOW) {
            launch {
                while (true) {
                    val i = next.getAndIncrement()
                    if (i >= plan.all) break
                    socket.request(message(i))
                }
            }
        }
    }

    private suspend fun send(socket: SendingSocket) = repeat(plan.all) { socket.send(message(it)) }

    private fun spread(socket: SpreadingSocket) = repeat(plan.all) { socket.send(message(it)) }

    private fun message(number: Int): ByteArray = ByteArray(plan.size).also {
        if (it.size >= Long.SIZE_BYTES) ByteBuffer.wrap(it).putLong(number.toLong())
    }

    private fun oneWay(): Nothing =
        throw IllegalArgumentException("${plan.name} goes one way: there is no round trip to measure, only thr")

    private companion object {
        /** Requests under way at once. */
        const val WINDOW = 64

        /** The latest is kept: so that the receiver sees the end. */
        val LOSSY = SocketPolicy(overflow = Overflow.DropOldest)
    }
}

/** Counts what comes; the time runs from the last message of the warm-up. Safe for any number of threads. */
private class PerfClock(private val plan: PerfPlan) {
    private val received = AtomicInteger()

    @Volatile private var start = System.nanoTime()

    @Volatile private var end = start

    /** Whether that was the last. */
    fun count(): Boolean {
        val count = received.incrementAndGet()
        if (count <= plan.warmup) start = System.nanoTime()
        end = System.nanoTime()
        return count == plan.all
    }

    fun measured(): Measured {
        val warm = minOf(received.get(), plan.warmup)
        val lost = plan.all - received.get()
        return Measured.Throughput(plan.name, plan.size, (received.get() - warm).toLong(), lost.toLong(), end - start)
    }
}
