package dev.carom.storage.r2dbc.internal

import io.r2dbc.spi.Closeable
import io.r2dbc.spi.R2dbcException
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.suspendCancellableCoroutine
import org.reactivestreams.Publisher
import org.reactivestreams.Subscriber
import org.reactivestreams.Subscription
import java.util.concurrent.CompletableFuture
import kotlin.coroutines.resumeWithException

/** The driver's own failure: reactive libraries wrap one that two subscribers are told of. */
internal fun bare(failure: Throwable): Throwable {
    val cause = failure.cause
    return if (failure !is R2dbcException && cause is R2dbcException) cause else failure
}

/**
 * Everything a publisher gives, for what gives little. Never cancels: a driver that is left in the middle of an answer does
 * not come to its senses again. [fail] ends the waiting, not the publisher.
 */
internal class Collected<T : Any> :
    CompletableFuture<List<T>>(),
    Subscriber<T> {
    private val items = ArrayList<T>()

    override fun onSubscribe(subscription: Subscription) {
        subscription.request(Long.MAX_VALUE)
    }

    override fun onNext(item: T) {
        items += item
    }

    override fun onError(failure: Throwable) {
        completeExceptionally(bare(failure))
    }

    override fun onComplete() {
        complete(items)
    }

    fun fail(cause: Throwable) {
        completeExceptionally(cause)
    }
}

/**
 * The one thing a publisher opens. A caller that is cancelled leaves at once; what comes too late is closed: nobody else
 * would.
 *
 * @param on where to subscribe, if that may block.
 */
internal suspend fun <C : Closeable> Publisher<out C>.awaitOpened(on: CoroutineDispatcher?): C =
    suspendCancellableCoroutine { waiting ->
        val opening = Opening(waiting)
        if (on == null) subscribe(opening) else on.asExecutor().execute { subscribe(opening) }
    }

private class Opening<C : Closeable>(private val waiting: CancellableContinuation<C>) : Subscriber<C> {
    override fun onSubscribe(subscription: Subscription) {
        waiting.invokeOnCancellation { subscription.cancel() }
        subscription.request(1)
    }

    override fun onNext(opened: C) {
        waiting.resume(opened) { _, late, _ -> late.close().subscribe(Collected<Void>()) }
    }

    override fun onError(failure: Throwable) {
        if (waiting.isActive) waiting.resumeWithException(bare(failure))
    }

    override fun onComplete() {
        if (waiting.isActive) waiting.resumeWithException(IllegalStateException("no connection came"))
    }
}
