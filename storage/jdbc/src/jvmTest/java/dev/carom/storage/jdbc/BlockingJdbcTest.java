package dev.carom.storage.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.storage.StorageException;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.sql.BlockingRows;
import dev.carom.storage.sql.BlockingSqlPool;
import dev.carom.storage.sql.BlockingSqlTxn;
import java.sql.DriverManager;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockingJdbcTest {
    private static final String ENDLESS = "select sum(x * 1.5) from system_range(1, 1000000000000)";

    private static BlockingSqlPool open() {
        return BlockingJdbc.open(
                "jdbc",
                JdbcDialect.H2,
                Resolvers.fixedResolver(new Backend("embedded", "localhost", 1)),
                backend -> DriverManager.getConnection("jdbc:h2:mem:java;DB_CLOSE_DELAY=-1"),
                new PoolPolicyBuilder().spares(1).maxSlots(2).build(),
                new StoragePolicy());
    }

    @Test
    @DisplayName("from Java: statements, rows, transactions")
    void operations() {
        try (BlockingSqlPool pool = open()) {
            pool.exec("create table t (id bigint primary key)");
            try (BlockingSqlTxn txn = pool.beginTxn()) {
                txn.exec("insert into t values (?)", 1);
            }
            pool.txn(txn -> txn.exec("insert into t values (?)", 2));
            try (BlockingRows rows = pool.query("select id from t")) {
                assertTrue(rows.next());
                assertEquals(2, rows.row().getInt("id"));
            }
        }
    }

    @Test
    @DisplayName("from Java: an interrupt stops the statement on the server, and the connection goes on")
    void interrupt() throws Exception {
        try (BlockingSqlPool pool = open()) {
            CompletableFuture<Boolean> flag = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                try {
                    pool.queryRow(ENDLESS);
                } catch (StorageException.Interrupted expected) {
                    flag.complete(Thread.currentThread().isInterrupted());
                }
            });
            thread.start();
            while (pool.stats().getLeased() == 0) Thread.onSpinWait();
            thread.interrupt();
            assertTrue(flag.get(30, TimeUnit.SECONDS));
            thread.join();
            assertEquals(0, pool.stats().getLeased());
            assertEquals(1, pool.one("select 1").getInt(0));
            assertThrows(StorageException.Platform.class, () -> pool.exec("selec"));
        }
    }
}
