package dev.carom.samples.messaging.perf

import dev.carom.sockets.BlockingPullSocket
import dev.carom.sockets.BlockingPushSocket
import dev.carom.sockets.openPullSocket
import dev.carom.sockets.openPushSocket
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runInterruptible
import java.io.BufferedReader
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

/**
 * Measures again and again over one connection: a window for each line `BYTES MILLISECONDS` of [orders], until those end.
 * So several programs that understand this can be measured in turn, and what else goes on in the machine hits them alike.
 */
class PerfWindows(
    private val plan: PerfPlan,
    private val orders: BufferedReader,
    private val tell: (Measured) -> Unit,
) {
    /** The client of [Perf.echo]: round trips, one after another. */
    suspend fun latency(url: String): Unit = RoundTrips(plan).asking(url) { trip ->
        each { size, time ->
            val nanos = Grown()
            val message = plan.message(0, size)
            val end = TimeSource.Monotonic.markNow() + time
            // One at least, however slow the machine is: of none there is nothing to tell.
            do nanos.add(timed(trip, message)) while (end.hasNotPassedNow())
            tell(Measured.Latency(plan.name, size, nanos.toArray()))
        }
    }

    /** The client of [throughput]: sends all the time. The first byte of a window's first message is 1, of its last 2. */
    suspend fun flood(url: String): Unit = coroutineScope {
        onlyPipeline()
        openPushSocket("client", transports = plan.transports).connected(url) {
            val threads = BlockingPushSocket.of(this)
            each { size, time ->
                if (plan.blocking) fill(size, time) { threads.send(it) } else fill(size, time) { send(it) }
            }
        }
    }

    private inline fun fill(size: Int, time: Duration, send: (ByteArray) -> Unit) {
        val end = TimeSource.Monotonic.markNow() + time
        send(ByteArray(size).also { it[0] = FIRST })
        // Reading the clock for each would be measured as well.
        while (end.hasNotPassedNow()) repeat(BATCH) { send(ByteArray(size)) }
        send(ByteArray(size).also { it[0] = LAST })
    }

    /** The server that measures each window. */
    suspend fun throughput(bound: CompletableDeferred<String>): Unit = coroutineScope {
        onlyPipeline()
        openPullSocket("server", transports = plan.transports).served(plan, bound) {
            if (plan.blocking) {
                val threads = BlockingPullSocket.of(this)
                onThread { while (true) drain { threads.receive() } }
            } else {
                while (true) drain { receive() }
            }
        }
    }

    /** One window. */
    private inline fun drain(receive: () -> ByteArray) {
        var start = 0L
        var count = 0L
        while (true) {
            val message = receive()
            when (message[0]) {
                FIRST -> {
                    start = System.nanoTime()
                    count = 0
                }

                LAST -> {
                    val nanos = System.nanoTime() - start
                    return tell(Measured.Throughput(plan.name, message.size, ++count, 0, nanos))
                }

                else -> count++
            }
        }
    }

    private suspend fun each(window: suspend (size: Int, time: Duration) -> Unit) {
        while (true) {
            val order = runInterruptible(Dispatchers.IO) { orders.readLine() } ?: return
            val (size, millis) = order.trim().split(' ').map { it.toInt() }
            window(size, millis.milliseconds)
        }
    }

    private fun onlyPipeline() = require(plan.protocol == PerfProtocol.Pipeline) {
        "windows of thr are measured with pipeline, not ${plan.name}"
    }

    /** Numbers, as many as there are. */
    private class Grown {
        private var all = LongArray(FEW)
        private var count = 0

        fun add(number: Long) {
            if (count == all.size) all = all.copyOf(count * 2)
            all[count++] = number
        }

        fun toArray(): LongArray = all.copyOf(count)
    }

    private companion object {
        const val FIRST: Byte = 1
        const val LAST: Byte = 2
        const val BATCH = 64
        const val FEW = 1 shl 14
    }
}
