package dev.carom.storage.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.storage.ConnStatus;
import dev.carom.storage.ErrorCategory;
import dev.carom.storage.Isolation;
import dev.carom.storage.OpOptions;
import dev.carom.storage.OpOptionsBuilder;
import dev.carom.storage.RetryPolicyBuilder;
import dev.carom.storage.StorageException;
import dev.carom.storage.StorageFutures;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.StoragePolicyBuilder;
import dev.carom.storage.TxnPolicy;
import dev.carom.storage.TxnPolicyBuilder;
import dev.carom.storage.TxnStatus;
import dev.carom.storage.memory.MemorySql;
import dev.carom.storage.sql.BlockingRows;
import dev.carom.storage.sql.BlockingSqlConn;
import dev.carom.storage.sql.BlockingSqlPool;
import dev.carom.storage.sql.BlockingSqlTxn;
import dev.carom.storage.sql.Row;
import dev.carom.storage.sql.Sql;
import dev.carom.storage.sql.SqlTxn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockingSqlTest {
    private BlockingSqlPool pool;

    @BeforeEach
    void open() {
        pool = BlockingSqlPool.open("memory", new MemorySql(), 2, new StoragePolicy());
        pool.exec("create table t (id bigint primary key, name varchar(20))");
        List<List<Object>> batch = IntStream.rangeClosed(1, 10)
                .mapToObj(n -> List.<Object>of(n, "name " + n))
                .collect(Collectors.toList());
        assertEquals(10, pool.execBatch("insert into t values (?, ?)", batch, OpOptions.Companion.getDEFAULT()).size());
    }

    @AfterEach
    void close() {
        assertEquals(0, pool.stats().getLeased());
        pool.close();
        assertThrows(StorageException.PoolClosed.class, () -> pool.exec("delete from t"));
    }

    private long count() {
        return pool.one("select count(*) from t").getLong(0);
    }

    @Test
    @DisplayName("statements run on the pool, on a connection and in a transaction")
    void operations() {
        assertEquals(1, pool.exec("update t set name = ? where id = ?", "x", 1).getRowsAffected());
        assertEquals("x", pool.queryRow("select name from t where id = 1").getString("name"));
        assertNull(pool.queryRow("select name from t where id = 99"));
        try (BlockingSqlConn conn = pool.conn()) {
            assertEquals(1, conn.exec("delete from t where id = 1").getRowsAffected());
            try (BlockingSqlTxn txn = conn.beginTxn()) {
                txn.exec("delete from t where id = 2");
                txn.commit();
            }
            assertEquals(ConnStatus.OPEN, conn.status());
        }
        Sql named = Sql.Companion.named("select id from t where id < :max", Map.of("max", 5));
        assertEquals(List.of(3, 4), pool.list(named).stream().map(row -> row.getInt(0)).toList());
    }

    @Test
    @DisplayName("try-with-resources rolls back what was not committed; after a commit close does nothing")
    void tryWithResources() {
        try (BlockingSqlTxn txn = pool.beginTxn()) {
            txn.exec("delete from t");
            assertEquals(0, txn.one("select count(*) from t").getLong(0));
        }
        assertEquals(10, count());
        BlockingSqlTxn committed;
        try (BlockingSqlTxn txn = pool.beginTxn()) {
            committed = txn;
            txn.exec("delete from t where id = 1");
            txn.commit();
        }
        assertEquals(TxnStatus.COMMITTED, committed.status());
        assertEquals(9, count());
        assertThrows(StorageException.TxnFinished.class, committed::commit);
    }

    @Test
    @DisplayName("a nested transaction is a savepoint")
    void nested() {
        pool.txn(outer -> {
            outer.exec("delete from t where id = 1");
            try (BlockingSqlTxn inner = outer.beginTxn()) {
                inner.exec("delete from t");
            }
            return outer.exec("delete from t where id = 2");
        });
        assertEquals(8, count());
    }

    @Test
    @DisplayName("the runner commits, rolls back with the same exception, and retries what may pass")
    void runner() throws Exception {
        assertEquals("value", pool.txn(txn -> "value"));
        Exception mine = new Exception("checked");
        assertSame(mine, assertThrows(Exception.class, () -> pool.txn(txn -> {
            txn.exec("delete from t");
            throw mine;
        })));
        assertEquals(10, count());
        int[] runs = {0};
        TxnPolicy retrying = new TxnPolicyBuilder()
                .retry(new RetryPolicyBuilder().attempts(3).start(Duration.ofMillis(1)).build())
                .build();
        pool.txn(retrying, txn -> {
            txn.exec("update t set name = 'mine' where id = 1");
            if (runs[0]++ == 0) pool.exec("update t set name = 'theirs' where id = 1");
            return null;
        });
        assertEquals(2, runs[0]);
        assertEquals("mine", pool.one("select name from t where id = 1").getString(0));
    }

    @Test
    @DisplayName("hooks run after the end, when the session is back")
    void hooks() {
        List<String> seen = new ArrayList<>();
        try (BlockingSqlTxn txn = pool.beginTxn()) {
            txn.beforeCommit(() -> seen.add("before"));
            txn.afterCommit(() -> seen.add("after"));
            txn.afterRollback(() -> seen.add("never"));
            txn.onUnknown(() -> seen.add("never"));
            txn.afterCompletion(status -> seen.add(status.name()));
            txn.commit();
        }
        assertEquals(List.of("before", "after", "COMMITTED"), seen);
        BlockingSqlTxn marked = pool.beginTxn();
        marked.setRollbackOnly();
        assertThrows(StorageException.TxnRollbackOnly.class, marked::commit);
    }

    @Test
    @DisplayName("rows are read in a loop, as an Iterable and as a Stream, each of which closes")
    void rows() {
        List<Integer> ids = new ArrayList<>();
        try (BlockingRows rows = pool.query("select id from t where id <= 3")) {
            assertEquals(List.of("id"), rows.columns().getNames());
            while (rows.next()) ids.add(rows.row().getInt(0));
            assertTrue(rows.isClosed());
        }
        try (BlockingRows rows = pool.query("select id from t where id <= 3")) {
            for (Row row : rows) ids.add(row.getInt("id"));
        }
        try (var stream = pool.query("select id from t").stream()) {
            ids.add(stream.skip(1).findFirst().orElseThrow().getInt(0));
        }
        assertEquals(List.of(1, 2, 3, 1, 2, 3, 2), ids);
    }

    @Test
    @DisplayName("an operation on a connection whose rows this thread has open is told at once, not waited for")
    void cursorOpen() {
        try (BlockingSqlConn conn = pool.conn(); BlockingRows rows = conn.query("select id from t")) {
            assertTrue(rows.next());
            assertThrows(StorageException.CursorOpen.class, () -> conn.exec("delete from t"));
            try (BlockingSqlConn other = pool.conn(); BlockingSqlTxn txn = other.beginTxn()) {
                assertThrows(StorageException.WouldWaitForSelf.class, () -> other.exec("delete from t"));
                txn.rollback();
            }
        }
    }

    @Test
    @DisplayName("a connection closed with a transaction of this thread on it rolls that back")
    void closedWithTxn() {
        BlockingSqlConn conn = pool.conn();
        BlockingSqlTxn txn = conn.beginTxn();
        txn.exec("delete from t");
        conn.close();
        assertEquals(TxnStatus.ROLLED_BACK, txn.status());
        assertEquals(10, count());
        conn.close();
        assertThrows(StorageException.ConnClosed.class, () -> conn.exec("delete from t"));
    }

    @Test
    @DisplayName("an interrupt cancels what runs, is thrown when that has settled, and stays set")
    void interrupt() throws Exception {
        CountDownLatch running = new CountDownLatch(1);
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            running.countDown();
            try {
                pool.queryRow("select sleep(600000)");
            } catch (StorageException.Interrupted expected) {
                flag.complete(Thread.currentThread().isInterrupted());
            }
        });
        thread.start();
        running.await();
        while (pool.stats().getLeased() == 0) Thread.onSpinWait();
        thread.interrupt();
        assertTrue(flag.get(20, TimeUnit.SECONDS));
        thread.join();
        assertEquals(0, pool.stats().getLeased());
    }

    @Test
    @DisplayName("an interrupted thread takes nothing, and still ends what it has")
    void interruptedBefore() {
        BlockingSqlConn conn = pool.conn();
        Thread.currentThread().interrupt();
        assertThrows(StorageException.Interrupted.class, () -> pool.conn());
        assertThrows(StorageException.Interrupted.class, () -> pool.beginTxn());
        conn.close();
        assertTrue(Thread.interrupted());
    }

    @Test
    @DisplayName("what a thread has ends also if it is interrupted at that very moment")
    void interruptedJustThen() throws Exception {
        Thread mine = Thread.currentThread();
        // Odd: interrupted again and again.
        AtomicInteger phase = new AtomicInteger();
        AtomicInteger seen = new AtomicInteger();
        Thread other = new Thread(() -> {
            while (phase.get() >= 0) {
                seen.set(phase.get());
                if (seen.get() % 2 == 1) mine.interrupt();
            }
        });
        other.start();
        try {
            for (int round = 0; round < 2_000; round++) {
                BlockingSqlTxn txn = pool.beginTxn();
                phase.incrementAndGet();
                try {
                    txn.close();
                } catch (StorageException.Interrupted waiting) {
                    assertTrue(mine.isInterrupted());
                }
                phase.incrementAndGet();
                while (seen.get() != phase.get()) Thread.onSpinWait();
                Thread.interrupted();
                assertEquals(TxnStatus.ROLLED_BACK, txn.status());
            }
        } finally {
            phase.set(-1);
            other.join();
        }
    }

    @Test
    @DisplayName("a timeout of one operation is a timeout")
    void timeout() {
        OpOptions soon = new OpOptionsBuilder().timeout(Duration.ofMillis(20)).build();
        Sql slow = Sql.Companion.of("select sleep(600000)", List.of()).with(soon);
        assertThrows(StorageException.OpTimeout.class, () -> pool.queryRow(slow));
    }

    @Test
    @DisplayName("futures: results, failures as they are, cancelling stops the statement")
    void futures() throws Exception {
        Sql select = Sql.Companion.of("select id from t where id <= ?", List.of(2));
        assertEquals(2, pool.futures().list(select).get().size());
        assertEquals(1, pool.futures().queryRow(select).get().getInt(0));
        Sql wrong = Sql.Companion.of("selec", List.of());
        ExecutionException failure =
                assertThrows(ExecutionException.class, () -> pool.futures().exec(wrong).get());
        assertEquals(ErrorCategory.SYNTAX, ((StorageException.Platform) failure.getCause()).getCategory());
        CompletableFuture<Row> slow =
                pool.futures().queryRow(Sql.Companion.of("select sleep(600000)", List.of()));
        while (pool.stats().getLeased() == 0) Thread.onSpinWait();
        slow.cancel(true);
        assertThrows(CancellationException.class, slow::get);
        while (pool.stats().getLeased() > 0) Thread.onSpinWait();
        try (BlockingRows rows = pool.futures().query(select).get()) {
            assertTrue(rows.next());
        }
    }

    @Test
    @DisplayName("futures: a transaction around stages, and one ended by hand")
    void txnFutures() throws Exception {
        String result = StorageFutures.<SqlTxn, String>txn(
                        pool.storagePool(),
                        TxnPolicy.Companion.getDEFAULT(),
                        txn -> BlockingSqlTxn.of(txn)
                                .futures()
                                .exec(Sql.Companion.of("delete from t where id = 1", List.of()))
                                .thenApply(done -> "deleted " + done.getRowsAffected()))
                .get();
        assertEquals("deleted 1", result);
        SqlTxn txn = StorageFutures.<SqlTxn>beginTxn(pool.storagePool(), TxnPolicy.Companion.getDEFAULT())
                .get();
        BlockingSqlTxn.of(txn).exec("delete from t");
        StorageFutures.rollback(txn).get();
        assertEquals(9, count());
        var conn = StorageFutures.conn(pool.storagePool()).get();
        StorageFutures.close(conn).get();
    }

    @Test
    @DisplayName("a publisher delivers as many rows as were asked for, and stops the query when it is cancelled")
    void publisher() throws Exception {
        List<Integer> seen = new ArrayList<>();
        CompletableFuture<Subscription> subscribed = new CompletableFuture<>();
        CountDownLatch three = new CountDownLatch(3);
        pool.stream("select id from t").subscribe(new Subscriber<>() {
            @Override
            public void onSubscribe(Subscription subscription) {
                subscribed.complete(subscription);
            }

            @Override
            public void onNext(Row row) {
                seen.add(row.getInt(0));
                three.countDown();
            }

            @Override
            public void onError(Throwable failure) {}

            @Override
            public void onComplete() {}
        });
        assertEquals(0, pool.stats().getLeased());
        subscribed.get().request(3);
        assertTrue(three.await(20, TimeUnit.SECONDS));
        subscribed.get().cancel();
        while (pool.stats().getLeased() > 0) Thread.onSpinWait();
        assertEquals(List.of(1, 2, 3), seen);
    }

    @Test
    @DisplayName("builders read what they build")
    void builders() {
        TxnPolicy txn = new TxnPolicyBuilder()
                .isolation(Isolation.SERIALIZABLE)
                .readOnly(true)
                .timeout(Duration.ofSeconds(3))
                .retry(new RetryPolicyBuilder()
                        .attempts(7)
                        .max(Duration.ofSeconds(9))
                        .categories(Set.of(ErrorCategory.DEADLOCK))
                        .build())
                .label("label")
                .build();
        assertEquals(txn.toString(), TxnPolicyBuilder.from(txn).build().toString());
        assertEquals(Duration.ofSeconds(3), TxnPolicyBuilder.from(txn).timeout());
        StoragePolicy storage =
                new StoragePolicyBuilder().acquireTimeout(StoragePolicyBuilder.INFINITE).build();
        assertEquals(storage.toString(), StoragePolicyBuilder.from(storage).build().toString());
        assertEquals(StoragePolicyBuilder.INFINITE, StoragePolicyBuilder.from(storage).acquireTimeout());
        OpOptions options = new OpOptionsBuilder().maxRows(5).fetchSize(2).build();
        assertEquals(options.toString(), OpOptionsBuilder.from(options).build().toString());
        assertThrows(IllegalArgumentException.class, () -> new OpOptionsBuilder().fetchSize(0).build());
        assertFalse(new TxnPolicyBuilder().lazy());
    }
}
