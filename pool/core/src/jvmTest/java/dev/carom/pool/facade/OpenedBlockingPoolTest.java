package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.BlockingResolver;
import dev.carom.pool.Claim;
import dev.carom.pool.PoolException;
import dev.carom.pool.PoolPolicy;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.PoolSnapshot;
import dev.carom.pool.Resolvers;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import kotlin.NotImplementedError;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The facade over the real pool. */
@Timeout(60)
class OpenedBlockingPoolTest {
    private static final Backend BACKEND = new Backend("db", "10.0.0.1", 1);
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final PoolPolicy ONE = new PoolPolicyBuilder().maxSlots(1).spares(1).healthReserve(0).build();
    private final Numbers connector = new Numbers();

    /** Connections are numbers; counts what it opens and closes. */
    static class Numbers implements BlockingConnector<Integer> {
        final AtomicInteger opened = new AtomicInteger();
        final AtomicInteger closed = new AtomicInteger();

        @Override
        public Integer connect(Backend backend) throws Exception {
            return opened.incrementAndGet();
        }

        @Override
        public void close(Integer connection) {
            closed.incrementAndGet();
        }
    }

    private BlockingPool<Integer> open(BlockingConnector<Integer> connector, PoolPolicy policy) {
        try {
            return BlockingPool.open("numbers", Resolvers.fixedResolver(BACKEND), connector, policy);
        } catch (NotImplementedError e) {
            return abort("there is no pool yet");
        }
    }

    @Test
    @DisplayName("a pool opened from Java lends, takes back, and closes all it opened")
    void lends() throws Exception {
        try (BlockingPool<Integer> pool = open(connector, ONE)) {
            pool.awaitReady();
            try (Claim<Integer> claim = pool.claim()) {
                assertEquals(1, claim.getConnection());
                assertEquals(BACKEND, claim.getBackend());
            }
            int used = pool.use(number -> number);
            assertEquals(1, used);
            CompletableFuture<Integer> later = pool.futures().use(CompletableFuture::completedFuture);
            assertEquals(1, later.join());
        }
        assertEquals(1, connector.opened.get());
        assertEquals(1, connector.closed.get());
    }

    @Test
    @DisplayName("interrupts that race with returns leak no connection")
    void interrupts() throws Exception {
        try (BlockingPool<Integer> pool = open(connector, ONE)) {
            for (int round = 0; round < 200; round++) {
                Claim<Integer> first = pool.claim();
                Threads.Running<Boolean> waiter = Threads.start("waiter", () -> {
                    try (Claim<Integer> claim = pool.claim()) {
                        return claim.getConnection() > 0;
                    } catch (InterruptedException e) {
                        return false;
                    }
                });
                Threads.Running<Boolean> interrupter = Threads.start("interrupter", () -> {
                    waiter.thread().interrupt();
                    return true;
                });
                first.close();
                interrupter.result();
                waiter.result();
            }
            pool.claim().close();
        }
        assertEquals(connector.opened.get(), connector.closed.get());
    }

    @Test
    @DisplayName("cancelled futures that race with returns leak no connection")
    void futures() throws Exception {
        try (BlockingPool<Integer> pool = open(connector, ONE)) {
            for (int round = 0; round < 200; round++) {
                Claim<Integer> first = pool.claim();
                CompletableFuture<Claim<Integer>> second = pool.futures().claim();
                Threads.Running<Boolean> canceller = Threads.start("canceller", () -> second.cancel(false));
                first.close();
                if (!canceller.result()) second.join().close();
            }
            pool.claim().close();
        }
        assertEquals(connector.opened.get(), connector.closed.get());
    }

    @Test
    @DisplayName("a backend that refuses is the reason the claim gives")
    void noneOnline() throws InterruptedException {
        Numbers refusing = new Numbers() {
            @Override
            public Integer connect(Backend backend) throws IOException {
                throw new IOException("refused");
            }
        };
        PoolPolicy hasty = new PoolPolicyBuilder().claimTimeout(Duration.ofMillis(200)).build();
        try (BlockingPool<Integer> pool = open(refusing, hasty)) {
            Threads.await(() -> pool.snapshot().getBackends().stream().anyMatch(it -> it.getFailures() > 0));
            PoolException.NoneOnline thrown = assertThrows(PoolException.NoneOnline.class, pool::claim);
            assertTrue(thrown.getLastErrors().get(BACKEND).toString().contains("refused"), thrown.toString());
        }
        assertEquals(0, refusing.closed.get());
    }

    @Test
    @DisplayName("a resolver that blocks is asked, and the pool follows it")
    void blockingResolver() throws Exception {
        BlockingResolver resolver = () -> Set.of(BACKEND);
        open(connector, ONE).close();
        try (BlockingPool<Integer> pool = BlockingPool.open("numbers", resolver, SECOND, connector, ONE)) {
            pool.awaitReady();
            assertEquals(1, pool.snapshot().getConnected());
        }
        assertEquals(connector.opened.get(), connector.closed.get());
    }

    @Test
    @DisplayName("hooks in Java are called for every claim and return")
    void hooks() throws Exception {
        AtomicInteger acquired = new AtomicInteger();
        AtomicInteger recycled = new AtomicInteger();
        Numbers hooked = new Numbers() {
            @Override
            public void onAcquire(Integer connection) {
                acquired.incrementAndGet();
            }

            @Override
            public void onRecycle(Integer connection) {
                recycled.incrementAndGet();
            }
        };
        try (BlockingPool<Integer> pool = open(hooked, ONE)) {
            pool.claim().close();
            pool.claim().close();
            assertEquals(2, acquired.get());
        }
        assertTrue(recycled.get() >= 1);
    }

    @Test
    @DisplayName("publishers end when the pool has closed")
    void publishers() throws Exception {
        PublisherTest.Signals<PoolSnapshot> signals = new PublisherTest.Signals<>();
        try (BlockingPool<Integer> pool = open(connector, ONE)) {
            pool.snapshots().subscribe(signals);
            signals.subscription.request(Long.MAX_VALUE);
            pool.awaitReady();
        }
        Object last = null;
        for (Object signal = signals.next(); !"completed".equals(signal); signal = signals.next()) last = signal;
        assertNotNull(last);
        assertEquals(PoolSnapshot.Phase.Closed, ((PoolSnapshot) last).getPhase());
    }
}
