package dev.carom.sockets.internal

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import java.util.concurrent.Flow.Publisher
import java.util.concurrent.Flow.Subscriber
import java.util.concurrent.Flow.Subscription

/**
 * A publisher that collects [flow] anew for each subscriber (Reactive Streams 1.0.4).
 *
 * @param eager collects from the subscription on, for what is only seen while it is collected. Otherwise the flow is asked
 *   for an item only when the subscriber has asked for one: what nobody wants stays where it is.
 */
internal class FlowPublisher<T : Any>(private val flow: Flow<T>, private val eager: Boolean) : Publisher<T> {
    override fun subscribe(subscriber: Subscriber<in T>) {
        val subscription = FlowSubscription(flow, eager, subscriber)
        subscriber.onSubscribe(subscription)
        subscription.start()
    }
}

/** One coroutine gives all signals but the first, so they are serial; cancelling the subscription ends it. */
private class FlowSubscription<T : Any>(
    private val flow: Flow<T>,
    private val eager: Boolean,
    private val subscriber: Subscriber<in T>,
) : Subscription {
    private val scope = CoroutineScope(Dispatchers.Default)
    private val demand = MutableStateFlow(0L)

    @Volatile private var cancelled = false

    @Volatile private var misuse: IllegalArgumentException? = null

    /** Collects on this thread up to the first wait: what happens after `subscribe` returned is not missed. */
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
            if (!eager) awaitDemand()
            flow.collect { item ->
                if (eager) awaitDemand()
                demand.update { if (it == Long.MAX_VALUE) it else it - 1 }
                // An item that was taken is delivered even if the subscription has just been cancelled (rule 2.8).
                deliver(item)
                if (!eager) awaitDemand()
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

    private suspend fun awaitDemand() {
        demand.first { it > 0 }
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
