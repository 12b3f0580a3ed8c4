package dev.carom.storage.pooled;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.storage.BlockingSessions;
import dev.carom.storage.BlockingStorageDriver;
import dev.carom.storage.BlockingStoragePool;
import dev.carom.storage.PoolCore;
import dev.carom.storage.StorageFutures;
import dev.carom.storage.StorageKind;
import dev.carom.storage.StoragePolicy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PooledSessionsJavaTest {
    private final AtomicInteger opened = new AtomicInteger();

    private final class Counting implements BlockingConnector<Integer> {
        @Override
        public Integer connect(Backend backend) {
            return opened.incrementAndGet();
        }

        @Override
        public void close(Integer connection) {}
    }

    private static final class NumberDriver implements BlockingStorageDriver<Integer> {
        @Override
        public StorageKind kind() {
            return new StorageKind("number");
        }
    }

    private static final class Dead implements BlockingIdleCheck<Integer> {
        @Override
        public boolean isDue(Integer session) {
            return session < 3;
        }

        @Override
        public boolean isAlive(Integer session) {
            return false;
        }
    }

    @Test
    @DisplayName("from Java: a storage of one's own on a Carom pool, whose dead sessions are replaced before they are lent")
    void ownStorage() {
        BlockingPool<Integer> pool = BlockingPool.open(
                "numbers",
                Resolvers.fixedResolver(new Backend("one", "localhost", 1)),
                new Counting(),
                new PoolPolicyBuilder().spares(1).maxSlots(1).build());
        PooledSessions<Integer> sessions = new PooledSessions<>(pool.pool(), null, new Dead().toCheck());
        PoolCore<Integer> storage = BlockingStoragePool.core(
                "numbers", new NumberDriver().toDriver(), sessions, new StoragePolicy());
        BlockingSessions<Integer> on = () -> storage;
        Integer first = on.read(number -> number);
        Integer second = on.read(number -> number);
        assertEquals(List.of(3, 3), List.of(first, second));
        assertNotEquals(0, storage.stats().getAcquired());
        assertEquals(1, new PooledSessions<>(pool.pool()).getCapacity());
        StorageFutures.close(storage, Duration.ZERO).join();
        assertEquals(0, pool.snapshot().getConnected());
    }
}
