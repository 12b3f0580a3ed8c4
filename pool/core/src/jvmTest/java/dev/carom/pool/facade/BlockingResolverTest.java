package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingResolver;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.facade.PublisherTest.Signals;
import dev.carom.pool.internal.FlowPublisher;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockingResolverTest {
    private static final Backend ONE = new Backend("one", "10.0.0.1", 1);
    private static final Backend TWO = new Backend("two", "10.0.0.2", 1);
    private final Signals<Set<Backend>> signals = new Signals<>();

    private void collect(BlockingResolver resolver, Duration interval) throws InterruptedException {
        new FlowPublisher<>(resolver.every(interval).backends()).subscribe(signals);
        assertEquals("subscribed", signals.next());
        signals.subscription.request(Long.MAX_VALUE);
    }

    @Test
    @DisplayName("asks again and again, and tells only what changed")
    void changes() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        collect(() -> asked.incrementAndGet() < 4 ? Set.of(ONE) : Set.of(ONE, TWO), Duration.ofMillis(1));
        assertEquals(Set.of(ONE), signals.next());
        assertEquals(Set.of(ONE, TWO), signals.next());
        signals.subscription.cancel();
    }

    @Test
    @DisplayName("a failure is the failure of the flow, which the pool collects again")
    void failure() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        collect(() -> {
            if (asked.incrementAndGet() == 1) return Set.of(ONE);
            throw new IOException("no name server");
        }, Duration.ofMillis(1));
        assertEquals(Set.of(ONE), signals.next());
        assertInstanceOf(IOException.class, signals.next());
    }

    @Test
    @DisplayName("ending the collection interrupts the call")
    void interrupt() throws Exception {
        CountDownLatch asking = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        collect(() -> {
            asking.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
                throw e;
            }
            return Set.of();
        }, PoolPolicyBuilder.INFINITE);
        asking.await();
        signals.subscription.cancel();
        interrupted.await();
    }

    @Test
    @DisplayName("an interval must be positive")
    void interval() {
        BlockingResolver resolver = () -> Set.of(ONE);
        assertThrows(IllegalArgumentException.class, () -> resolver.every(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> resolver.every(Duration.ofSeconds(-1)));
    }
}
