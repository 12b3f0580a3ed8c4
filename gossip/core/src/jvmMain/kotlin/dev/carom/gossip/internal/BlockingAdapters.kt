@file:JvmName("BlockingAdapters")

package dev.carom.gossip.internal

import dev.carom.gossip.BlockingSeeds
import dev.carom.gossip.BlockingTransport
import dev.carom.gossip.SeedSource
import dev.carom.gossip.Transport
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.job
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.runInterruptible
import java.io.IOException
import java.time.Duration
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import kotlin.time.toKotlinDuration

internal fun <I : Any> transport(blocking: BlockingTransport<I>): Transport<I> = TransportAdapter(blocking)

internal fun <I : Any> seeds(blocking: BlockingSeeds<I>, interval: Duration): SeedSource<I> {
    require(!interval.isNegative && !interval.isZero) { "interval must be positive, was $interval" }
    val pause = interval.toKotlinDuration()
    return SeedSource {
        flow {
            val calls = Calls()
            while (true) {
                emit(calls.away { blocking.resolve().toList() })
                delay(pause)
            }
        }
    }
}

/**
 * Calls that block, each on a thread of its own. Without a parent on purpose: a call that does not heed its interrupt
 * must not hold the coroutine that gave it up; [join] waits for those that are left.
 */
private class Calls {
    private val scope = CoroutineScope(SupervisorJob() + blockingDispatcher())

    /** What [block] returns. *Cancelled*, it interrupts the call and leaves it behind. */
    suspend fun <T> away(block: () -> T): T {
        val call = scope.async { runInterruptible { block() } }
        try {
            return call.await()
        } finally {
            call.cancel()
        }
    }

    fun interrupt(): Unit = scope.coroutineContext.cancelChildren()

    suspend fun join(): Unit = scope.coroutineContext.job.children.forEach { it.join() }
}

private class TransportAdapter<I : Any>(private val blocking: BlockingTransport<I>) : Transport<I> {
    private val calls = Calls()

    override fun packets(): Flow<ByteArray> = flow {
        while (true) emit(calls.away { blocking.receive() })
    }

    override suspend fun serve(answer: suspend (request: ByteArray) -> ByteArray?) {
        val answers = BlockingTransport.Answers { request -> runBlocking { answer(request) } }
        calls.away { blocking.serve(answers) }
        throw IOException("serve returned")
    }

    override suspend fun send(to: I, datagram: ByteArray): Unit = calls.away { blocking.send(to, datagram) }

    override suspend fun ask(to: I, request: ByteArray): ByteArray? = calls.away { blocking.ask(to, request) }

    override suspend fun close() {
        calls.interrupt()
        // Not interruptible: it is what ends the calls that do not heed interrupts, and the member bounds its time.
        val closing = Calls()
        try {
            closing.away { blocking.close() }
        } finally {
            closing.join()
            calls.join()
        }
    }

    override fun toString(): String = blocking.toString()
}

private const val THREADS = 64

/** Until JDK 24 a virtual thread that blocks in `synchronized` keeps its carrier (JEP 491). */
private const val UNPINNED_JDK = 24

private val virtualThreads: CoroutineDispatcher? =
    if (Runtime.version().feature() >= UNPINNED_JDK) {
        val create = Executors::class.java.getMethod("newVirtualThreadPerTaskExecutor")
        (create.invoke(null) as Executor).asCoroutineDispatcher()
    } else {
        null
    }

/** A view of its own: calls that hang take no thread away from other users of [Dispatchers.IO]. */
private fun blockingDispatcher(): CoroutineDispatcher =
    virtualThreads ?: Dispatchers.IO.limitedParallelism(THREADS, "carom-gossip-blocking")
