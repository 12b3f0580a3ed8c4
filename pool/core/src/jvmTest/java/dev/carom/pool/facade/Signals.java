package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A subscriber that asks for everything and keeps it. */
final class Signals<T> implements Flow.Subscriber<T> {
    private final LinkedBlockingQueue<T> queue = new LinkedBlockingQueue<>();
    private final List<T> seen = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Void> end = new CompletableFuture<>();

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(T item) {
        seen.add(item);
        queue.add(item);
    }

    @Override
    public void onError(Throwable failure) {
        end.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        end.complete(null);
    }

    T next() throws InterruptedException {
        T item = queue.poll(30, TimeUnit.SECONDS);
        assertNotNull(item);
        return item;
    }

    void awaitComplete() throws Exception {
        assertEquals(null, end.get(30, TimeUnit.SECONDS));
    }

    List<T> seen() {
        return seen;
    }

    T last() {
        return seen.get(seen.size() - 1);
    }
}
