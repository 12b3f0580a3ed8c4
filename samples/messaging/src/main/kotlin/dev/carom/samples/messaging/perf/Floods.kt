package dev.carom.samples.messaging.perf

import dev.carom.sockets.BlockingPullSocket
import dev.carom.sockets.BlockingPushSocket
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
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger

/** Messages one way, as fast as they go. */
internal class Floods(private val plan: PerfPlan) {
    private val transports = plan.transports
    private val all = requireNotNull(plan.all) { "a flood ends: it needs a count" }

    init {
        require(!plan.lossy || plan.size >= Long.SIZE_BYTES) {
            "messages that may be lost need 8 bytes for a number, not ${plan.size}"
        }
    }

    /** The server: measures how fast messages come. [bound] is told where it listens. */
    suspend fun measure(bound: CompletableDeferred<String>): Measured = coroutineScope {
        when (plan.protocol) {
            PerfProtocol.ReqRep -> openRepSocket("server", transports = transports).served(plan, bound) {
                answered(this)
            }

            PerfProtocol.Pair -> openPairSocket("server", transports = transports).served(plan, bound) { taken(this) }

            PerfProtocol.Pipeline -> openPullSocket("server", transports = transports).served(plan, bound) {
                if (plan.blocking) onThread { taken(BlockingPullSocket.of(this)) } else taken(this)
            }

            PerfProtocol.PubSub -> openSubSocket("server", LOSSY, transports).also {
                it.subscribe("")
            }.served(plan, bound) { taken(this) }

            PerfProtocol.Bus -> openBusSocket("server", LOSSY, transports).served(plan, bound) { taken(this) }

            PerfProtocol.Survey -> alone()
        }
    }

    /** The client of [measure]: sends as fast as it can. */
    suspend fun send(url: String): Unit = coroutineScope {
        when (plan.protocol) {
            PerfProtocol.ReqRep -> openReqSocket("client", transports = transports).connected(url) { ask(this) }

            PerfProtocol.Pair -> openPairSocket("client", transports = transports).connected(url) { flood(this) }

            PerfProtocol.Pipeline -> openPushSocket("client", transports = transports).connected(url) {
                if (plan.blocking) onThread { flood(BlockingPushSocket.of(this)) } else flood(this)
            }

            PerfProtocol.PubSub -> openPubSocket("client", LOSSY, transports).connected(url) { spread(this) }

            PerfProtocol.Bus -> openBusSocket("client", LOSSY, transports).connected(url) { spread(this) }

            PerfProtocol.Survey -> alone()
        }
    }

    private suspend fun answered(socket: RepSocket): Measured = coroutineScope {
        val clock = FloodClock(plan, all)
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
        val clock = FloodClock(plan, all)
        do {
            val message = socket.receive()
        } while (!(if (plan.lossy) clock.count(ByteBuffer.wrap(message).getLong()) else clock.count()))
        return clock.measured()
    }

    private fun taken(socket: BlockingPullSocket): Measured {
        val clock = FloodClock(plan, all)
        do socket.receive() while (!clock.count())
        return clock.measured()
    }

    private suspend fun ask(socket: ReqSocket): Unit = coroutineScope {
        val next = AtomicInteger()
        repeat(WINDOW) {
            launch {
                while (true) {
                    val i = next.getAndIncrement()
                    if (i >= all) break
                    socket.request(plan.message(i))
                }
            }
        }
    }

    private suspend fun flood(socket: SendingSocket) = repeat(all) { socket.send(plan.message(it)) }

    private fun flood(socket: BlockingPushSocket) = repeat(all) { socket.send(plan.message(it)) }

    private fun spread(socket: SpreadingSocket) = repeat(all) { socket.send(plan.message(it)) }

    private fun alone(): Nothing =
        throw IllegalArgumentException("a survey ends the one before it: there is nothing to measure but lat")

    private companion object {
        /** Requests under way at once. */
        const val WINDOW = 64

        /** The latest is kept: so that the receiver sees the end. */
        val LOSSY = SocketPolicy(overflow = Overflow.DropOldest)
    }
}

/** Counts what comes; the time runs from the last message of the warm-up. Safe for any number of threads. */
private class FloodClock(private val plan: PerfPlan, private val all: Int) {
    private val received = AtomicInteger()
    private val measured = AtomicInteger()

    @Volatile private var start = System.nanoTime()

    @Volatile private var end = start

    /** Whether that was the last. */
    fun count(): Boolean = count(received.getAndIncrement().toLong())

    /** Of message [number], counted from 0. Whether that was the last. */
    fun count(number: Long): Boolean {
        end = System.nanoTime()
        if (number < plan.warmup) start = end else measured.incrementAndGet()
        return number == all - 1L
    }

    fun measured(): Measured {
        val lost = all - plan.warmup - measured.get()
        return Measured.Throughput(plan.name, plan.size, measured.get().toLong(), lost.toLong(), end - start)
    }
}
