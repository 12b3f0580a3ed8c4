package dev.carom.storage.r2dbc.internal

import io.r2dbc.spi.Result
import org.reactivestreams.Subscriber
import org.reactivestreams.Subscription
import java.util.concurrent.CompletableFuture

/** How many rows each result of a statement has affected. [fail] ends the waiting, not the statement. */
internal class CountSubscriber :
    CompletableFuture<List<Long>>(),
    Subscriber<Result> {
    private val counts = ArrayList<Long>()
    private var results: Subscription? = null
    private var counting = false
    private var last = false

    fun fail(cause: Throwable) {
        completeExceptionally(cause)
    }

    override fun onSubscribe(subscription: Subscription) {
        results = subscription
        subscription.request(1)
    }

    override fun onNext(result: Result) {
        synchronized(counts) { counting = true }
        result.rowsUpdated.subscribe(Inner())
    }

    override fun onError(failure: Throwable) = fail(bare(failure))

    override fun onComplete() {
        val all = synchronized(counts) {
            last = true
            if (counting) null else counts.toList()
        }
        if (all != null) complete(all)
    }

    private inner class Inner : Subscriber<Long> {
        private var count = 0L

        override fun onSubscribe(subscription: Subscription) {
            subscription.request(Long.MAX_VALUE)
        }

        override fun onNext(updated: Long) {
            count += updated
        }

        override fun onError(failure: Throwable) = fail(bare(failure))

        override fun onComplete() {
            val all = synchronized(counts) {
                counts += count
                counting = false
                if (last) counts.toList() else null
            }
            if (all == null) results?.request(1) else complete(all)
        }
    }
}
