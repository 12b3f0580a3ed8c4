@file:JvmName("JavaFutures")

package dev.carom.pool.internal

import dev.carom.pool.Pool
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.function.Consumer
import java.util.function.Function

/**
 * Starts [block] on this thread and goes on elsewhere after its first wait. Whoever completes the future first, by
 * cancelling it for instance, cancels [block]; a result that comes too late for the future is given to [late].
 */
internal fun <T> startFuture(late: Consumer<in T>, block: suspend () -> T): CompletableFuture<T> {
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
        if (!future.complete(result)) late.accept(result)
    }
    future.whenComplete { _, _ -> job.cancel() }
    return future
}

/** [startFuture] for what has no result. */
internal fun startWaiting(block: suspend () -> Unit): CompletableFuture<Void?> = startFuture({}) {
    block()
    null
}

internal suspend fun <C : Any, R> useStage(
    pool: Pool<C>,
    holder: String,
    work: Function<in C, out CompletionStage<out R>>,
): R = pool.claim(holder).use { claim ->
    currentCoroutineContext().ensureActive()
    try {
        work.apply(claim.connection).await()
    } catch (cancelled: CancellationException) {
        // Cancelling a stage does not stop who works behind it: nobody else may get this connection.
        claim.discard()
        throw cancelled
    }
}
