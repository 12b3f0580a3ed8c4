@file:JvmName("JavaCalls")

package dev.carom.sockets.internal

import dev.carom.sockets.AnsweringSocket
import dev.carom.sockets.BlockingAnsweringSocket
import dev.carom.sockets.MessageSocket
import dev.carom.sockets.SocketException
import dev.carom.sockets.serve
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withTimeoutOrNull
import java.time.Duration
import java.util.concurrent.CompletableFuture
import kotlin.time.toKotlinDuration

/**
 * Blocks this thread until [block] returns. An interrupted thread does nothing. An interrupt cancels [block] and is thrown when it has ended; if it has come to
 * its end all the same, that is returned, and the thread is still interrupted: what was taken is not lost.
 */
@Throws(InterruptedException::class)
internal fun <T> call(block: suspend () -> T): T {
    leaveIfInterrupted()
    val outcome = Outcome<T>()
    try {
        runBlocking { outcome.value = Result.success(block()) }
    } catch (interrupt: InterruptedException) {
        if (outcome.value == null) throw interrupt
        Thread.currentThread().interrupt()
    }
    return outcome.value!!.getOrThrow()
}

/** Before what is tried without [call], for most of it need not wait: also then an interrupted thread does nothing. */
@Throws(InterruptedException::class)
internal fun leaveIfInterrupted() {
    if (Thread.interrupted()) throw InterruptedException()
}

/** [call] for at most [timeout]. */
@Throws(InterruptedException::class)
internal fun <T> call(socket: MessageSocket, what: String, timeout: Duration, block: suspend () -> T): T {
    require(!timeout.isNegative && !timeout.isZero) { "timeout must be positive, was $timeout" }
    return call {
        // Kept outside: what a timed block returns at its last moment is dropped.
        val outcome = Outcome<T>()
        withTimeoutOrNull(timeout.toKotlinDuration()) { outcome.value = Result.success(block()) }
        val done = outcome.value ?: throw SocketException.TimedOut(socket.name, timeout.toMillis(), what)
        done.getOrThrow()
    }
}

/** Begins [block] in any case, and waits for it; an interrupt ends the waiting only. For what does not fail. */
@Throws(InterruptedException::class)
internal fun <T> begin(block: suspend () -> T): T = start(block).get()

/** [flow] to its end. */
@Throws(InterruptedException::class)
internal fun <T> collect(flow: Flow<T>): List<T> = runBlocking { flow.toList() }

/** Milliseconds of a [duration] that is not negative. */
internal fun millis(duration: Duration): Long {
    require(!duration.isNegative) { "linger must not be negative, was $duration" }
    return duration.toMillis()
}

/** Opens with [open] in a scope of its own, which ends when what was opened in it has ended. */
internal fun <T> inOwnScope(open: (CoroutineScope) -> T): T {
    val owner = SupervisorJob()
    return open(CoroutineScope(Dispatchers.Default + owner)).also { owner.complete() }
}

/**
 * Starts [block] on this thread and goes on elsewhere after its first wait. Cancelling the future asks [block] to end, and
 * the future ends when it has: cancelled, or with a result that came just before, so that none is lost.
 */
internal fun <T> start(block: suspend () -> T): CompletableFuture<T> {
    val future = CoroutineFuture<T>()
    // The future is the owner: it ends the coroutine, and nothing outlives it.
    future.job = CoroutineScope(Dispatchers.Default).launch(start = CoroutineStart.UNDISPATCHED) {
        val result = try {
            block()
        } catch (failure: Throwable) {
            future.completeExceptionally(failure)
            if (failure is CancellationException) throw failure
            return@launch
        }
        future.complete(result)
    }
    future.whenComplete { _, _ -> future.job?.cancel() }
    return future
}

/** [start] for what has no result. */
internal fun startWaiting(block: suspend () -> Unit): CompletableFuture<Void?> = start {
    block()
    null
}

/** Answers on threads that may block. */
@Throws(InterruptedException::class)
internal fun serve(socket: AnsweringSocket, concurrency: Int, handler: BlockingAnsweringSocket.Handler<*>) {
    require(concurrency > 0) { "concurrency must be at least 1, was $concurrency" }
    val threads = Dispatchers.IO.limitedParallelism(concurrency)
    runBlocking { socket.serve(concurrency) { question -> runInterruptible(threads) { handler.answer(question) } } }
}

private class Outcome<T> {
    var value: Result<T>? = null
}

private class CoroutineFuture<T> : CompletableFuture<T>() {
    @Volatile
    var job: Job? = null

    override fun cancel(mayInterruptIfRunning: Boolean): Boolean {
        if (!isDone) job?.cancel()
        return isCancelled
    }
}
