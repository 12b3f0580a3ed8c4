package dev.carom.storage.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.storage.ErrorCategory;
import dev.carom.storage.ErrorInfo;
import dev.carom.storage.LocalSessions;
import dev.carom.storage.OpOptions;
import dev.carom.storage.StorageException;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.StoragePolicyBuilder;
import dev.carom.storage.keyvalue.BlockingKeyValueDriver;
import dev.carom.storage.keyvalue.BlockingKeyValuePool;
import dev.carom.storage.keyvalue.KeyCondition;
import dev.carom.storage.keyvalue.ScanPage;
import dev.carom.storage.sql.BlockingRows;
import dev.carom.storage.sql.BlockingSqlCursor;
import dev.carom.storage.sql.BlockingSqlDriver;
import dev.carom.storage.sql.BlockingSqlPool;
import dev.carom.storage.sql.ColumnInfo;
import dev.carom.storage.sql.PushPolicy;
import dev.carom.storage.sql.PushedRows;
import dev.carom.storage.sql.Row;
import dev.carom.storage.sql.RowSink;
import dev.carom.storage.sql.Sql;
import dev.carom.storage.sql.SqlResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A relational adapter whose platform pushes its rows, and a key-value adapter, both written in Java. */
@Timeout(60)
class AdaptersFromJavaTest {
    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** Keeps numbers: any statement adds its parameters, and a query has them pushed by a thread of their own. */
    static final class Numbers implements BlockingSqlDriver<String> {
        final List<Integer> kept = new CopyOnWriteArrayList<>();
        final Semaphore pauses = new Semaphore(0);
        final AtomicBoolean cancelled = new AtomicBoolean();
        final List<Thread> pushers = new CopyOnWriteArrayList<>();

        @Override
        public SqlResult exec(String session, Sql sql) {
            for (Object param : sql.getParams()) kept.add((Integer) Objects.requireNonNull(param));
            return new SqlResult(sql.getParams().size(), List.of());
        }

        @Override
        public BlockingSqlCursor open(String session, Sql sql) {
            PushedRows rows = new PushedRows(new PushPolicy(4, 2));
            Thread pusher = new Thread(() -> push(rows.getSink(), sql.getText()));
            pushers.add(pusher);
            pusher.start();
            return BlockingSqlCursor.of(rows);
        }

        private void push(RowSink sink, String text) {
            Semaphore mayPush = new Semaphore(0);
            Semaphore stopped = new Semaphore(0);
            AtomicBoolean paused = new AtomicBoolean();
            sink.onPause(() -> paused.set(true));
            sink.onResume(mayPush::release);
            sink.onCancel(() -> {
                cancelled.set(true);
                mayPush.release();
                stopped.release();
            });
            if (text.contains("refused")) {
                sink.fail(new Refused());
                return;
            }
            sink.columns(List.of(new ColumnInfo("n", "int")));
            for (int number : kept) {
                if (paused.getAndSet(false)) {
                    pauses.release();
                    mayPush.acquireUninterruptibly();
                    if (sink.isCancelled()) break;
                }
                sink.push(List.<Object>of(number));
            }
            if (text.contains("endless")) stopped.acquireUninterruptibly();
            sink.end();
        }

        @Override
        public @Nullable ErrorInfo classify(Throwable error) {
            return error instanceof Refused ? new ErrorInfo(ErrorCategory.CHECK, false, 7, "") : null;
        }
    }

    private static BlockingSqlPool open(Numbers numbers) {
        // A close that tells the pusher and waits for its end: slow machines get time for that.
        StoragePolicy policy =
                new StoragePolicyBuilder().cancelGrace(Duration.ofSeconds(30)).build();
        return BlockingSqlPool.open("numbers", numbers.toSqlDriver(), new LocalSessions<>(1, () -> "session"), policy);
    }

    @Test
    @DisplayName("rows that a platform pushes are read as any others, to the end or not; the session is free again then")
    void pushed() throws InterruptedException {
        Numbers numbers = new Numbers();
        BlockingSqlPool pool = open(numbers);
        assertEquals(2, pool.exec("insert ?, ?", 1, 2).getRowsAffected());
        List<List<Object>> batch = new ArrayList<>();
        for (int n = 3; n <= 3000; n++) batch.add(List.of(n));
        assertEquals(2998, pool.execBatch("insert ?", batch, OpOptions.Companion.getDEFAULT()).size());

        int sum = 0;
        try (BlockingRows rows = pool.query("all")) {
            numbers.pauses.acquire(); // nobody has read yet, so it must be asked to pause
            assertEquals(List.of("n"), rows.columns().getNames());
            for (Row row : rows) sum += row.getInt(0);
        }
        assertEquals(4_501_500, sum);
        assertFalse(numbers.cancelled.get());

        try (BlockingRows rows = pool.query("all, endless")) {
            assertTrue(rows.next());
            assertEquals(1, rows.row().getInt("n"));
        }
        assertTrue(numbers.cancelled.get());
        assertEquals(1, pool.queryRow("all").getInt(0));
        assertEquals(0, pool.stats().getLeased());
        pool.close();
        for (Thread pusher : numbers.pushers) pusher.join();
    }

    @Test
    @DisplayName("what the platform refuses before the columns is what the caller gets, and the session lives")
    void refused() {
        BlockingSqlPool pool = open(new Numbers());
        StorageException.Platform refused =
                assertThrows(StorageException.Platform.class, () -> pool.query("refused"));
        assertEquals(ErrorCategory.CHECK, refused.getCategory());
        assertEquals(7, refused.getCode());
        assertSame(Refused.class, Objects.requireNonNull(refused.getCause()).getClass());
        assertEquals(1, pool.exec("insert ?", 1).getRowsAffected());
        pool.close();
    }

    static final class MapDriver implements BlockingKeyValueDriver<Map<String, String>> {
        @Override
        public Map<String, String> getAll(Map<String, String> map, Collection<String> keys) {
            Map<String, String> found = new HashMap<>(map);
            found.keySet().retainAll(keys);
            return found;
        }

        @Override
        public boolean set(Map<String, String> map, String key, String value, long ttlMillis, KeyCondition onlyIf) {
            boolean holds =
                    onlyIf == KeyCondition.ALWAYS || (onlyIf == KeyCondition.PRESENT) == map.containsKey(key);
            if (holds) map.put(key, value);
            return holds;
        }

        @Override
        public boolean compareAndSet(
                Map<String, String> map, String key, @Nullable String expected, String value) {
            boolean holds = Objects.equals(map.get(key), expected);
            if (holds) map.put(key, value);
            return holds;
        }

        @Override
        public boolean delete(Map<String, String> map, String key) {
            return map.remove(key) != null;
        }

        @Override
        public boolean expire(Map<String, String> map, String key, long ttlMillis) {
            return false;
        }

        @Override
        public long increment(Map<String, String> map, String key, long by) {
            return Long.parseLong(map.merge(key, "" + by, (a, b) -> "" + (Long.parseLong(a) + Long.parseLong(b))));
        }

        @Override
        public ScanPage scan(Map<String, String> map, String prefix, @Nullable Object cursor) {
            return new ScanPage(
                    map.keySet().stream().filter(it -> it.startsWith(prefix)).sorted().toList(), null);
        }
    }

    @Test
    @DisplayName("keys and values of a platform of one's own")
    void keyValue() {
        Map<String, String> map = new HashMap<>();
        BlockingKeyValuePool pool = BlockingKeyValuePool.open(
                "map", new MapDriver().toKeyValueDriver(), new LocalSessions<>(1, () -> map), new StoragePolicy());
        pool.set("a", "1");
        assertEquals("1", pool.get("a"));
        assertNull(pool.get("b"));
        assertTrue(pool.compareAndSet("a", "1", "2"));
        assertFalse(pool.compareAndSet("a", "1", "3"));
        assertEquals(7, pool.increment("a", 5));
        assertEquals(Map.of("a", "7"), pool.getAll(List.of("a", "b")));
        assertTrue(pool.delete("a"));
        assertFalse(pool.delete("a"));
        assertEquals(0, pool.stats().getLeased());
        pool.close();
    }
}
