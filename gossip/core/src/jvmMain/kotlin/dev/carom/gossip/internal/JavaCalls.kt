@file:JvmName("JavaCalls")

package dev.carom.gossip.internal

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.util.concurrent.CompletableFuture

/** Blocks this thread until [block] returns. An interrupt cancels [block] and is thrown when [block] has ended. */
@Throws(InterruptedException::class)
internal fun <T> call(block: suspend () -> T): T = runBlocking { block() }

/** Opens with [open] in a scope of its own, which ends when what was opened in it has ended. */
internal fun <T> inOwnScope(open: (CoroutineScope) -> T): T {
    val owner = SupervisorJob()
    return open(CoroutineScope(Dispatchers.Default + owner)).also { owner.complete() }
}

/**
 * Starts [block] on this thread and goes on elsewhere after its first wait. Whoever completes the future first, by
 * cancelling it for instance, cancels [block].
 */
internal fun <T> start(block: suspend () -> T): CompletableFuture<T> {
    val future = CompletableFuture<T>()
    // The future is the owner: it ends the coroutine, and nothing outlives it.
    val job = CoroutineScope(Dispatchers.Default).launch(start = CoroutineStart.UNDISPATCHED) {
        val result = try {
            block()
        } catch (failure: Throwable) {
            future.completeExceptionally(failure)
            if (failure is CancellationException) throw failure
            return@launch
        }
        future.complete(result)
    }
    future.whenComplete { _, _ -> job.cancel() }
    return future
}

/** [start] for what has no result. */
internal fun startWaiting(block: suspend () -> Unit): CompletableFuture<Void?> = start {
    block()
    null
}
