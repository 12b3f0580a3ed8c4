package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.PoolNotice;
import dev.carom.pool.PoolSnapshot;
import dev.carom.pool.facade.FakePool.Connection;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PublisherTest {
    private final FakePool fake = new FakePool(1);
    private final BlockingPool<Connection> pool = BlockingPool.of(fake);
    private final Signals<PoolNotice> signals = new Signals<>();

    /** Writes every signal down: an item, a Throwable, or "subscribed", "completed". */
    static class Signals<T> implements Subscriber<T> {
        final BlockingQueue<Object> seen = new LinkedBlockingQueue<>();
        private final AtomicBoolean busy = new AtomicBoolean();
        volatile Subscription subscription;

        @Override
        public void onSubscribe(Subscription subscription) {
            this.subscription = subscription;
            add("subscribed");
        }

        @Override
        public void onNext(T item) {
            add(item);
        }

        @Override
        public void onError(Throwable failure) {
            add(failure);
        }

        @Override
        public void onComplete() {
            add("completed");
        }

        private void add(Object signal) {
            if (!busy.compareAndSet(false, true)) throw new AssertionError("signals are not serial");
            seen.add(signal);
            busy.set(false);
        }

        Object next() throws InterruptedException {
            Object signal = seen.poll(30, TimeUnit.SECONDS);
            if (signal == null) throw new AssertionError("no signal");
            return signal;
        }
    }

    private static PoolNotice up(int number) {
        return new PoolNotice.BackendUp(new Backend("db" + number, "10.0.0.1", 1));
    }

    @Test
    @DisplayName("onSubscribe comes first, items only as many as were asked for, completion last")
    void demand() throws Exception {
        pool.notices().subscribe(signals);
        assertEquals("subscribed", signals.next());
        PoolNotice first = up(1);
        PoolNotice second = up(2);
        fake.tell(first);
        fake.tell(second);
        signals.subscription.request(1);
        assertEquals(first, signals.next());
        // The pool's end is behind the second notice: it cannot come before there is demand for both.
        pool.close();
        assertTrue(signals.seen.isEmpty());
        signals.subscription.request(1);
        assertEquals(second, signals.next());
        signals.subscription.request(Long.MAX_VALUE);
        signals.subscription.request(Long.MAX_VALUE);
        assertInstanceOf(PoolNotice.PoolClosed.class, signals.next());
        assertEquals("completed", signals.next());
    }

    @Test
    @DisplayName("asking for nothing is an error and the end")
    void badRequest() throws Exception {
        pool.notices().subscribe(signals);
        assertEquals("subscribed", signals.next());
        signals.subscription.request(0);
        assertInstanceOf(IllegalArgumentException.class, signals.next());
        signals.subscription.request(5);
        fake.tell(up(1));
        pool.close();
        assertTrue(signals.seen.isEmpty());
    }

    @Test
    @DisplayName("asking for less than nothing in onSubscribe is an error after it")
    void badRequestAtOnce() throws Exception {
        Signals<PoolNotice> hasty = new Signals<>() {
            @Override
            public void onSubscribe(Subscription subscription) {
                super.onSubscribe(subscription);
                subscription.request(-1);
            }
        };
        pool.notices().subscribe(hasty);
        assertEquals("subscribed", hasty.next());
        assertInstanceOf(IllegalArgumentException.class, hasty.next());
    }

    @Test
    @DisplayName("nothing comes after cancel, also in onSubscribe and in onNext")
    void cancel() throws Exception {
        Signals<PoolSnapshot> atOnce = new Signals<>() {
            @Override
            public void onSubscribe(Subscription subscription) {
                super.onSubscribe(subscription);
                subscription.request(9);
                subscription.cancel();
            }
        };
        pool.snapshots().subscribe(atOnce);
        Signals<PoolSnapshot> afterOne = new Signals<>() {
            @Override
            public void onSubscribe(Subscription subscription) {
                super.onSubscribe(subscription);
                subscription.request(9);
            }

            @Override
            public void onNext(PoolSnapshot item) {
                super.onNext(item);
                subscription.cancel();
            }
        };
        pool.snapshots().subscribe(afterOne);
        pool.close(Duration.ZERO);
        assertEquals(1, atOnce.seen.size());
        assertEquals(2, afterOne.seen.size());
    }

    @Test
    @DisplayName("a subscriber that throws is told no more")
    void throwing() throws Exception {
        LinkedBlockingQueue<Throwable> uncaught = new LinkedBlockingQueue<>();
        Signals<PoolSnapshot> broken = new Signals<>() {
            @Override
            public void onNext(PoolSnapshot item) {
                super.onNext(item);
                throw new IllegalStateException("broken subscriber");
            }
        };
        Threads.Running<Boolean> subscriber = Threads.start("subscriber", () -> {
            Thread.currentThread().setUncaughtExceptionHandler((thread, failure) -> uncaught.add(failure));
            broken.subscription = null;
            pool.snapshots().subscribe(new Signals<>() {
                @Override
                public void onSubscribe(Subscription subscription) {
                    broken.onSubscribe(subscription);
                    subscription.request(9);
                }

                @Override
                public void onNext(PoolSnapshot item) {
                    broken.onNext(item);
                }
            });
            return true;
        });
        assertTrue(subscriber.result());
        assertEquals("broken subscriber", uncaught.poll(30, TimeUnit.SECONDS).getMessage());
        Uncaught.forgetUncaught("broken subscriber");
        pool.close();
        assertEquals(2, broken.seen.size());
    }

    @Test
    @DisplayName("snapshots begin with the one there is and end with the closed pool's")
    void snapshots() throws Exception {
        Signals<PoolSnapshot> snapshots = new Signals<>();
        pool.snapshots().subscribe(snapshots);
        assertEquals("subscribed", snapshots.next());
        snapshots.subscription.request(Long.MAX_VALUE);
        assertEquals(PoolSnapshot.Phase.Open, ((PoolSnapshot) snapshots.next()).getPhase());
        pool.close();
        assertEquals(PoolSnapshot.Phase.Closed, ((PoolSnapshot) snapshots.next()).getPhase());
        assertEquals("completed", snapshots.next());
    }

    @Test
    @DisplayName("no subscriber is a NullPointerException")
    void nobody() {
        assertThrows(NullPointerException.class, () -> pool.notices().subscribe(null));
    }
}
