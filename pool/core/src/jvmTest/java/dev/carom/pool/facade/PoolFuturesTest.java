package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Claim;
import dev.carom.pool.PoolException;
import dev.carom.pool.PoolFutures;
import dev.carom.pool.facade.FakePool.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PoolFuturesTest {
    private final FakePool fake = new FakePool(1);
    private final PoolFutures<Connection> pool = PoolFutures.of(fake);

    @Test
    @DisplayName("a ready connection is there on return")
    void ready() {
        CompletableFuture<Claim<Connection>> future = pool.claim();
        assertTrue(future.isDone());
        future.join().close();
        pool.claim("checkout").join().close();
        assertEquals(List.of(Thread.currentThread().getName(), "checkout"), fake.getHolders());
    }

    @Test
    @DisplayName("cancelling a future that waits cancels the claim")
    void cancelWaiting() {
        Claim<Connection> first = pool.claim().join();
        CompletableFuture<Claim<Connection>> second = pool.claim();
        assertEquals(1, fake.waiting());
        assertTrue(second.cancel(false));
        fake.awaitWaiting(0);
        first.close();
        assertEquals(0, fake.lent());
        assertThrows(CancellationException.class, second::join);
    }

    @Test
    @DisplayName("a connection granted as the future is cancelled goes back")
    void cancelCrossingGrant() {
        fake.setCrossing(true);
        CompletableFuture<Claim<Connection>> future = pool.claim();
        fake.awaitGranted(1);
        assertEquals(1, fake.lent());
        assertTrue(future.cancel(true));
        fake.awaitLent(0);
        assertTrue(future.isCancelled());
    }

    @Test
    @DisplayName("cancels that race with grants leak nothing")
    void cancelRaces() throws Exception {
        for (int round = 0; round < 300; round++) {
            Claim<Connection> first = pool.claim().join();
            CompletableFuture<Claim<Connection>> second = pool.claim();
            Threads.Running<Boolean> canceller = Threads.start("canceller", () -> second.cancel(false));
            first.close();
            if (!canceller.result()) second.join().close();
            fake.awaitWaiting(0);
            fake.awaitLent(0);
        }
    }

    @Test
    @DisplayName("a future that times out cancels the claim too")
    void orTimeout() {
        Claim<Connection> first = pool.claim().join();
        CompletableFuture<Claim<Connection>> second = pool.claim().orTimeout(1, TimeUnit.MILLISECONDS);
        assertInstanceOf(TimeoutException.class, second.handle((claim, failure) -> failure).join());
        fake.awaitWaiting(0);
        first.close();
        assertEquals(0, fake.lent());
    }

    @Test
    @DisplayName("a refusal arrives as it is")
    void refusal() {
        Claim<Connection> first = pool.claim().join();
        CompletableFuture<Claim<Connection>> second = pool.claim();
        CompletableFuture<?> closing = pool.close(Duration.ofSeconds(1));
        assertInstanceOf(PoolException.Closed.class, second.handle((claim, failure) -> failure).join());
        assertFalse(closing.isDone());
        assertTrue(closing.cancel(true));
        first.close();
        fake.awaitClosed();
        assertEquals(1, pool.close().join().getClosed());
    }

    @Test
    @DisplayName("work holds the connection until its stage ends, and its result is the future's")
    void use() {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> result = pool.use(connection -> work);
        assertEquals(1, fake.lent());
        work.complete("done");
        assertEquals("done", result.join());
        fake.awaitLent(0);
        assertNull(pool.<String>use(connection -> CompletableFuture.completedFuture(null)).join());
    }

    @Test
    @DisplayName("work that fails gives the connection back and its failure to the future")
    void useFails() {
        IllegalStateException failure = new IllegalStateException("no");
        assertSame(failure, pool.use(connection -> CompletableFuture.failedFuture(failure))
                .handle((result, thrown) -> thrown).join());
        assertSame(failure, pool.use(connection -> {
            throw failure;
        }).handle((result, thrown) -> thrown).join());
        assertEquals(0, fake.lent());
        assertEquals(0, fake.getDiscarded());
    }

    @Test
    @DisplayName("cancelling work cancels its stage and does not lend its connection to others")
    void useCancelled() {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> result = pool.use(connection -> work);
        result.cancel(true);
        assertThrows(CancellationException.class, work::join);
        fake.awaitLent(0);
        assertEquals(1, fake.getDiscarded());
    }

    @Test
    @DisplayName("awaitReady ends with nothing, or with the reason")
    void awaitReady() {
        assertNull(pool.awaitReady().join());
        assertInstanceOf(PoolException.NoneOnline.class, pool.awaitReady(2).handle((none, failure) -> failure).join());
    }
}
