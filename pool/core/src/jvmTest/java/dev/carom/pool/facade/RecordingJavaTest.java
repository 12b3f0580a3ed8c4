package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.Claim;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.PoolRecordingException;
import dev.carom.pool.PoolReplay;
import dev.carom.pool.PoolReplays;
import dev.carom.pool.Resolvers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Recordings, from Java, of a pool that many threads use. */
@Timeout(60)
class RecordingJavaTest {
    private static final Backend A = new Backend("a", "10.0.0.1", 1);
    private static final Backend B = new Backend("b", "10.0.0.2", 2);

    private static BlockingConnector<Integer> numbers() {
        AtomicInteger opened = new AtomicInteger();
        return new BlockingConnector<>() {
            @Override
            public Integer connect(Backend backend) {
                return opened.incrementAndGet();
            }

            @Override
            public void close(Integer connection) {}
        };
    }

    private static List<String> recorded() throws Exception {
        ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();
        try (BlockingPool<Integer> pool = BlockingPool.open(
                "recorded",
                Resolvers.fixedResolver(A, B),
                numbers().toConnector(),
                new PoolPolicyBuilder().spares(2).maxSlots(4).build(),
                lines::add)) {
            pool.awaitReady();
            List<Threads.Running<Integer>> threads = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                threads.add(Threads.start("caller " + i, () -> use(pool)));
            }
            for (Threads.Running<Integer> thread : threads) {
                assertEquals(500, thread.result());
            }
        }
        return List.copyOf(lines);
    }

    private static int use(BlockingPool<Integer> pool) throws Exception {
        int claims = 0;
        for (int i = 0; i < 500; i++) {
            try (Claim<Integer> claim = pool.claim()) {
                if (i % 50 == 0) {
                    claim.discard(new IllegalStateException("broken\tin operation " + i));
                } else if (i % 3 == 0) {
                    claim.report(new IllegalStateException("failed\nin operation " + i));
                }
                claims++;
            }
        }
        return claims;
    }

    @Test
    @DisplayName("what a pool of eight busy threads decided is replayed decision for decision")
    void replays() throws Exception {
        List<String> lines = recorded();
        PoolReplay replay = PoolReplays.replayPool(lines);
        assertNull(replay.getDivergence(), replay::toString);
        assertTrue(replay.getIdentical());
        assertEquals("recorded", replay.getName());
        assertEquals(lines.size() - 1, replay.getSteps());
        assertTrue(replay.getNotices().stream()
                .anyMatch(notice -> notice.getText().equals("backend added: a (10.0.0.1:1)")));
    }

    @Test
    @DisplayName("another decision and a damaged line are told apart, each with its line")
    void differs() throws Exception {
        List<String> lines = new ArrayList<>(recorded());
        int at = 0;
        while (!lines.get(at).contains("backend added: a")) {
            at++;
        }
        lines.set(at, lines.get(at).replace("backend added: a", "backend added: z"));
        PoolReplay replay = PoolReplays.replayPool(lines);
        assertFalse(replay.getIdentical());
        assertNotNull(replay.getDivergence());
        assertEquals(at + 1, replay.getDivergence().getLine());
        lines.set(1, "1");
        PoolRecordingException damage =
                assertThrows(PoolRecordingException.class, () -> PoolReplays.replayPool(lines));
        assertEquals(2, damage.getLine());
    }
}
