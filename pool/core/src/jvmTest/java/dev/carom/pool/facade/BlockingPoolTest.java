package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.BlockingPool;
import dev.carom.pool.Claim;
import dev.carom.pool.CloseReport;
import dev.carom.pool.PoolException;
import dev.carom.pool.facade.FakePool.Connection;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockingPoolTest {
    private final FakePool fake = new FakePool(1);
    private final BlockingPool<Connection> pool = BlockingPool.of(fake);

    @Test
    @DisplayName("try-with-resources gives the connection back, once")
    void tryWithResources() throws InterruptedException {
        Claim<Connection> kept;
        try (Claim<Connection> claim = pool.claim()) {
            assertEquals(0, claim.getConnection().getNumber());
            assertEquals(1, fake.lent());
            kept = claim;
        }
        kept.close();
        assertEquals(0, fake.lent());
    }

    @Test
    @DisplayName("a ready connection is lent without entering a coroutine, to the thread's name")
    void readyPath() throws InterruptedException {
        pool.claim().close();
        pool.claim("checkout").close();
        assertEquals(0, fake.getSuspendingClaims());
        assertEquals(List.of(Thread.currentThread().getName(), "checkout"), fake.getHolders());
    }

    @Test
    @DisplayName("a caller who waits gets the connection that comes back")
    void waits() throws Exception {
        Claim<Connection> first = pool.claim();
        Threads.Running<Integer> second = Threads.start("second", () -> pool.use(Connection::getNumber));
        fake.awaitWaiting(1);
        assertNull(pool.tryClaim());
        first.close();
        assertEquals(0, second.result());
        assertEquals(0, fake.lent());
    }

    @Test
    @DisplayName("an interrupt while waiting gives the place in the queue back")
    void interruptWhileWaiting() throws Exception {
        try (Claim<Connection> claim = pool.claim()) {
            assertNotNull(claim.getConnection());
            Threads.Running<Claim<Connection>> waiter = Threads.start("waiter", pool::claim);
            fake.awaitWaiting(1);
            waiter.thread().interrupt();
            assertThrows(InterruptedException.class, waiter::result);
            assertEquals(0, fake.waiting());
        }
        assertEquals(0, fake.lent());
    }

    @Test
    @DisplayName("a connection granted as the interrupt comes goes back")
    void interruptCrossingGrant() throws Exception {
        fake.setCrossing(true);
        Claim<Connection> first = pool.claim();
        Threads.Running<Claim<Connection>> waiter = Threads.start("waiter", pool::claim);
        fake.awaitWaiting(1);
        first.close();
        fake.awaitGranted(1);
        waiter.thread().interrupt();
        assertThrows(InterruptedException.class, waiter::result);
        assertEquals(0, fake.lent());
    }

    @Test
    @DisplayName("interrupts that race with grants leak nothing")
    void interruptRaces() throws Exception {
        for (int round = 0; round < 300; round++) {
            Claim<Connection> first = pool.claim();
            Threads.Running<Boolean> waiter = Threads.start("waiter", () -> {
                try (Claim<Connection> claim = pool.claim()) {
                    return claim.getConnection() != null;
                } catch (InterruptedException e) {
                    return false;
                }
            });
            fake.awaitWaiting(1);
            Threads.Running<Boolean> interrupter = Threads.start("interrupter", () -> {
                waiter.thread().interrupt();
                return true;
            });
            first.close();
            interrupter.result();
            waiter.result();
            assertEquals(0, fake.lent());
            assertEquals(0, fake.waiting());
        }
    }

    @Test
    @DisplayName("an interrupted thread claims nothing")
    void interruptedBefore() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, pool::claim);
        assertFalse(Thread.currentThread().isInterrupted());
        assertEquals(List.of(), fake.getHolders());
    }

    @Test
    @DisplayName("work may throw what it likes, and the connection goes back")
    void useThrows() throws Exception {
        IOException failure = new IOException("broken pipe");
        assertSame(failure, assertThrows(IOException.class, () -> pool.use(connection -> {
            throw failure;
        })));
        AtomicInteger seen = new AtomicInteger(-1);
        pool.run(connection -> seen.set(connection.getNumber()));
        assertEquals(0, seen.get());
        assertEquals(0, fake.lent());
    }

    @Test
    @DisplayName("close waits for lent connections and refuses who waits")
    void close() throws Exception {
        Claim<Connection> first = pool.claim();
        Threads.Running<Claim<Connection>> waiter = Threads.start("waiter", pool::claim);
        fake.awaitWaiting(1);
        Threads.Running<CloseReport> closer = Threads.start("closer", () -> pool.close(Duration.ofSeconds(5)));
        assertThrows(PoolException.Closed.class, waiter::result);
        first.close();
        assertEquals(1, closer.result().getClosed());
        assertThrows(PoolException.Closed.class, pool::claim);
        assertThrows(PoolException.Closed.class, pool::tryClaim);
    }

    @Test
    @DisplayName("an interrupt ends close, not the closing, and is kept")
    void interruptedClose() throws Exception {
        Claim<Connection> first = pool.claim();
        Threads.Running<Boolean> closer = Threads.start("closer", () -> {
            pool.close();
            return Thread.currentThread().isInterrupted();
        });
        fake.awaitClosing();
        closer.thread().interrupt();
        assertTrue(closer.result());
        assertFalse(fake.isClosed());
        first.close();
        fake.awaitClosed();
    }

    @Test
    @DisplayName("an interrupted thread still closes the pool")
    void closeInterrupted() throws Exception {
        Claim<Connection> first = pool.claim();
        Thread.currentThread().interrupt();
        pool.close();
        assertTrue(Thread.interrupted());
        first.close();
        fake.awaitClosed();
    }

    @Test
    @DisplayName("a grace is a duration of any length that is not negative")
    void grace() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> pool.close(Duration.ofNanos(-1)));
        assertEquals(1, pool.close(Duration.ofSeconds(Long.MAX_VALUE)).getClosed());
    }

    @Test
    @DisplayName("awaitReady passes the pool's answer on")
    void awaitReady() throws Exception {
        pool.awaitReady();
        assertEquals(1, fake.getReadyAsked());
        assertThrows(PoolException.NoneOnline.class, () -> pool.awaitReady(2));
    }

    @Test
    @DisplayName("name, policy and snapshot are the pool's")
    void reads() {
        assertEquals("fake", pool.name());
        assertSame(fake.getPolicy(), pool.policy());
        assertEquals("fake", pool.snapshot().getName());
        assertSame(fake, pool.pool());
        assertSame(fake, pool.futures().pool());
        assertEquals("BlockingPool(fake)", pool.toString());
    }

    @Test
    @DisplayName("a virtual thread waits, is served, and can be interrupted")
    void virtualThreads() throws Exception {
        Claim<Connection> first = pool.claim();
        Threads.Running<Integer> served = Threads.startVirtual(() -> pool.use(Connection::getNumber));
        fake.awaitWaiting(1);
        Threads.Running<Claim<Connection>> interrupted = Threads.startVirtual(pool::claim);
        fake.awaitWaiting(2);
        interrupted.thread().interrupt();
        assertThrows(InterruptedException.class, interrupted::result);
        first.close();
        assertEquals(0, served.result());
        assertTrue(fake.getHolders().get(1).startsWith("thread "), fake.getHolders().toString());
        assertEquals(0, fake.lent());
    }
}
