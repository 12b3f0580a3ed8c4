package dev.carom.storage.r2dbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.storage.StorageException;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.split.Consistency;
import dev.carom.storage.split.Written;
import dev.carom.storage.sql.BlockingRows;
import dev.carom.storage.sql.BlockingSqlPool;
import dev.carom.storage.sql.BlockingSqlSplit;
import dev.carom.storage.sql.BlockingSqlTxn;
import dev.carom.storage.sql.Row;
import dev.carom.storage.sql.Sql;
import io.r2dbc.spi.ConnectionFactories;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockingR2dbcTest {
    private static BlockingSqlPool open(R2dbcDialect dialect, Backend backend, R2dbcConnect connect) {
        return BlockingR2dbc.open(
                "r2dbc",
                dialect,
                Resolvers.fixedResolver(backend),
                connect,
                new PoolPolicyBuilder().spares(1).maxSlots(2).build(),
                new StoragePolicy());
    }

    private static BlockingSqlPool h2() {
        return open(
                R2dbcDialect.H2,
                new Backend("embedded", "localhost", 1),
                backend -> ConnectionFactories.get("r2dbc:h2:mem:///java?options=DB_CLOSE_DELAY=-1"));
    }

    private static BlockingSqlPool postgres() {
        Server server = Server.Companion.getPostgres();
        assumeTrue(server != null, "SKIPPED: no PostgreSQL here");
        return open(server.getDialect(), server.getBackend(), server.getConnect());
    }

    @Test
    @DisplayName("from Java: statements, rows, transactions, a publisher")
    void operations() {
        try (BlockingSqlPool pool = h2()) {
            pool.exec("create table t (id bigint primary key)");
            try (BlockingSqlTxn txn = pool.beginTxn()) {
                txn.exec("insert into t values (?)", 1);
            }
            pool.txn(txn -> txn.exec("insert into t values (?)", 2));
            try (BlockingRows rows = pool.query("select id from t")) {
                assertTrue(rows.next());
                assertEquals(2, rows.row().getInt("id"));
            }
            pool.exec("insert into t select x from system_range(3, 100)");
            assertEquals(99, collected(pool.stream("select id from t")).join().size());
        }
    }

    @Test
    @DisplayName("cancelling a future stops the statement on the server, and so does an interrupt")
    void cancellation() {
        try (BlockingSqlPool pool = postgres()) {
            Sql sleep = Sql.Companion.of("select pg_sleep(?)", List.of(30.0));
            CompletableFuture<?> future = pool.futures().queryRow(sleep);
            future.cancel(true);
            assertThrows(CancellationException.class, future::join);
            Thread.currentThread().interrupt();
            assertThrows(StorageException.Interrupted.class, () -> pool.queryRow(sleep));
            assertTrue(Thread.interrupted());
            assertEquals(1, pool.one("select 1").getInt(0));
        }
    }

    @Test
    @DisplayName("reads and writes apart, on a primary without replicas: it serves both")
    void split() {
        Server server = Server.Companion.getPostgres();
        assumeTrue(server != null, "SKIPPED: no PostgreSQL here");
        try (BlockingSqlSplit split = BlockingR2dbc.openPostgresSplit(
                "split",
                Resolvers.fixedResolver(server.getBackend()),
                server.getConnect(),
                new PoolPolicyBuilder().spares(1).maxSlots(2).build())) {
            split.pool().exec("drop table if exists js");
            split.pool().exec("create table js (n int)");
            Written<Long> written =
                    split.write(txn -> txn.exec("insert into js values (?)", 1).getRowsAffected());
            assertEquals(1, written.getValue());
            long seen = split.<Long, RuntimeException>read(
                    Consistency.readYourWrites(written.getToken()),
                    txn -> txn.one("select count(*) from js").getLong(0));
            assertEquals(1L, seen);
            assertThrows(
                    StorageException.class,
                    () -> split.read(Consistency.EVENTUAL, txn -> txn.exec("insert into js values (2)")));
            assertEquals(0, split.stats().getReplicaReads());
            assertEquals(2, split.stats().getPrimaryReads());
        }
    }

    private static CompletableFuture<List<Row>> collected(Flow.Publisher<Row> publisher) {
        CompletableFuture<List<Row>> all = new CompletableFuture<>();
        publisher.subscribe(new Flow.Subscriber<>() {
            private final List<Row> rows = new ArrayList<>();

            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(Row row) {
                rows.add(row);
            }

            @Override
            public void onError(Throwable failure) {
                all.completeExceptionally(failure);
            }

            @Override
            public void onComplete() {
                all.complete(rows);
            }
        });
        return all;
    }
}
