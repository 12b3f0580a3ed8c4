package dev.carom.storage.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.storage.StoragePolicyBuilder;
import dev.carom.storage.sql.BlockingSqlPool;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class VirtualThreadsTest {
    private static final int OPERATIONS = 10_000;
    private static final int SESSIONS = 10;

    @Test
    @DisplayName("B200 ten thousand virtual threads on ten sessions: all end, and never more than ten run")
    void virtualThreads() throws Exception {
        assumeTrue(Runtime.version().feature() >= 21, "virtual threads need JDK 21");
        ExecutorService threads = (ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        Embedded h2 = Embedded.Companion.h2("jdbc:h2:mem:virtual;DB_CLOSE_DELAY=-1");
        Set<Integer> sessions = ConcurrentHashMap.newKeySet();
        AtomicInteger ended = new AtomicInteger();
        try (BlockingSqlPool pool = BlockingJdbc.open(
                "virtual",
                h2.getDialect(),
                Resolvers.fixedResolver(h2.getBackend()),
                h2.connect(),
                new PoolPolicyBuilder()
                        .spares(1)
                        .maxSlots(SESSIONS)
                        .claimTimeout(Duration.ofMinutes(2))
                        .build(),
                new StoragePolicyBuilder().acquireTimeout(Duration.ofMinutes(2)).build())) {
            for (int n = 0; n < OPERATIONS; n++) {
                threads.execute(() -> {
                    sessions.add(pool.one("select session_id()").getInt(0));
                    ended.incrementAndGet();
                });
            }
            threads.shutdown();
            assertTrue(threads.awaitTermination(2, TimeUnit.MINUTES));
            assertEquals(OPERATIONS, ended.get());
            // Each runs one at a time.
            assertTrue(sessions.size() <= SESSIONS, () -> sessions.size() + " sessions");
            assertEquals(0, pool.stats().getLeased());
        }
    }
}
