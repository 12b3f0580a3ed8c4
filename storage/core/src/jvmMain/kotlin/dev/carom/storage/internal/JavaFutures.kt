@file:JvmName("JavaFutures")

package dev.carom.storage.internal

import dev.carom.storage.StorageTxn
import dev.carom.storage.Transactable
import dev.carom.storage.TxnPolicy
import dev.carom.storage.txn
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.Flow.Publisher
import java.util.concurrent.Flow.Subscriber
import java.util.concurrent.Flow.Subscription
import java.util.function.Consumer
import java.util.function.Function

/**
 * Starts [block] on this thread and goes on elsewhere after its first wait. Whoever completes the future first, by
 * cancelling it for instance, cancels [block]; a result that comes too late for the future is given to [late].
 */
internal fun <T> startFuture(late: Consumer<in T>, block: suspend () -> T): CompletableFuture<T> {
    val future = CompletableFuture<T>()
    // The future is the owner: it ends the coroutine, and nothing outlives it.
    val context = CallerContexts.captured() + Dispatchers.Default
    val job = CoroutineScope(context).launch(start = CoroutineStart.UNDISPATCHED) {
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

/** The runner around work that returns a stage. */
internal fun <T : StorageTxn, R> txnFuture(
    on: Transactable<T>,
    policy: TxnPolicy,
    work: Function<in T, out CompletionStage<out R>>,
): CompletableFuture<R> = startFuture({}) { on.txn(policy) { work.apply(it).await() } }

/** A publisher that collects [flow] anew for each subscriber, at the subscriber's pace (Reactive Streams 1.0.4). */
internal class FlowPublisher<T : Any>(private val flow: Flow<T>) : Publisher<T> {
    override fun subscribe(subscriber: Subscriber<in T>) {
        val subscription = FlowSubscription(flow, subscriber)
        subscriber.onSubscribe(subscription)
        subscription.start()
    }
}

/** One coroutine gives all signals but the first, so they are serial; cancelling the subscription ends it. */
private class FlowSubscription<T : Any>(private val flow: Flow<T>, private val subscriber: Subscriber<in T>) :
    Subscription {
    private val scope = CoroutineScope(Dispatchers.Default)
    private val demand = MutableStateFlow(0L)

    @Volatile private var cancelled = false

    @Volatile private var misuse: IllegalArgumentException? = null

    fun start() {
        scope.launch(start = CoroutineStart.UNDISPATCHED) { signalAll() }
    }

    override fun request(n: Long) {
        if (n > 0) {
            demand.update { if (it + n < 0) Long.MAX_VALUE else it + n }
        } else {
            // Rule 3.9
            misuse = IllegalArgumentException("a subscriber must request at least 1 item, was $n")
            scope.cancel()
        }
    }

    override fun cancel() {
        cancelled = true
        scope.cancel()
    }

    private suspend fun signalAll() {
        val failure = try {
            // No query before somebody wants a row.
            demand.first { it > 0 }
            flow.collect { item ->
                demand.first { it > 0 }
                scope.ensureActive()
                demand.update { if (it == Long.MAX_VALUE) it else it - 1 }
                deliver(item)
            }
            null
        } catch (failure: Throwable) {
            failure
        }
        val reason = misuse ?: failure
        when {
            cancelled -> if (failure is SubscriberFailed) throw failure.cause
            reason != null -> subscriber.onError(reason)
            else -> subscriber.onComplete()
        }
        scope.cancel()
    }

    /** A subscriber that throws has cancelled (rule 2.13); what it threw goes to the uncaught exception handler. */
    private fun deliver(item: T) {
        try {
            subscriber.onNext(item)
        } catch (failure: Throwable) {
            cancelled = true
            throw SubscriberFailed(failure)
        }
    }

    private class SubscriberFailed(override val cause: Throwable) : Exception(cause)
}
