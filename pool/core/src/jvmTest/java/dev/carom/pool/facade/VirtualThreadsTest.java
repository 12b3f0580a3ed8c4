package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.Claim;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Thousands of virtual threads on the blocking facade. */
@Timeout(120)
class VirtualThreadsTest {
    private static final int CALLERS = 5_000;
    private static final int SLOTS = 4;

    private static final class Numbered implements BlockingConnector<Integer> {
        final AtomicInteger opened = new AtomicInteger();
        final Set<Integer> open = ConcurrentHashMap.newKeySet();

        @Override
        public Integer connect(Backend backend) {
            int number = opened.incrementAndGet();
            open.add(number);
            return number;
        }

        @Override
        public void close(Integer connection) {
            open.remove(connection);
        }
    }

    @Test
    @DisplayName("5,000 wait for 4 connections: each is served, and none keeps its carrier while it waits")
    void nobodyIsPinned(@TempDir Path folder) throws Exception {
        assumeTrue(Runtime.version().feature() >= 21, "virtual threads");
        Numbered connector = new Numbered();
        BlockingPool<Integer> pool = BlockingPool.open(
                "db",
                Resolvers.fixedResolver(new Backend("one", "10.0.0.1", 1)),
                connector,
                new PoolPolicyBuilder().maxSlots(SLOTS).spares(SLOTS).healthReserve(0)
                        .claimTimeout(Duration.ofMinutes(2)).build());
        pool.awaitReady(SLOTS);
        Path file = folder.resolve("pinned.jfr");
        // Loads the classes: a virtual thread that waits for the class loader is pinned, whoever's class it is.
        serve(pool, 1);
        try (Recording recording = new Recording()) {
            recording.enable("jdk.VirtualThreadPinned").withStackTrace().withThreshold(Duration.ZERO);
            recording.start();
            serve(pool, CALLERS);
            recording.dump(file);
        } finally {
            assertEquals(0, pool.close(Duration.ofSeconds(10)).getStuck());
        }
        assertEquals(Set.of(), connector.open);
        assertEquals(SLOTS, connector.opened.get());
        assertEquals(List.of(), pinnedInCarom(file));
    }

    private static void serve(BlockingPool<Integer> pool, int callers) throws Exception {
        Set<Integer> inUse = ConcurrentHashMap.newKeySet();
        List<Claim<Integer>> held = new ArrayList<>();
        for (int i = 0; i < SLOTS; i++) {
            held.add(pool.claim("holder " + i));
        }
        List<Threads.Running<Boolean>> running = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            running.add(Threads.startVirtual(() -> {
                try (Claim<Integer> claim = pool.claim()) {
                    boolean alone = inUse.add(claim.getConnection());
                    Thread.yield();
                    return inUse.remove(claim.getConnection()) && alone;
                }
            }));
        }
        while (pool.explain().getWaiters().size() < callers) {
            Thread.onSpinWait();
        }
        held.forEach(Claim::close);
        for (Threads.Running<Boolean> caller : running) {
            assertEquals(true, caller.result());
        }
    }

    private static List<RecordedEvent> pinnedInCarom(Path file) throws Exception {
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getStackTrace() != null && event.getStackTrace().getFrames().stream()
                        .anyMatch(frame -> frame.getMethod().getType().getName().startsWith("dev.carom.pool")))
                .toList();
    }
}
