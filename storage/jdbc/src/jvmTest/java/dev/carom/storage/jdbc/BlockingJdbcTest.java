package dev.carom.storage.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
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
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
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
    @DisplayName("a DataSource for code that knows JDBC only: what it left behind is gone when it closes")
    void dataSource() throws Exception {
        try (BlockingSqlPool pool = open()) {
            pool.exec("create table d (id bigint primary key)");
            DataSource source = BlockingJdbc.dataSource(pool);
            Connection escaped;
            try (Connection connection = source.getConnection()) {
                escaped = connection;
                assertEquals(1, pool.stats().getLeased());
                connection.setAutoCommit(false);
                connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                connection.setSchema("INFORMATION_SCHEMA");
                try (Statement statement = connection.createStatement()) {
                    statement.execute("insert into public.d values (1)");
                }
            }
            assertEquals(0, pool.stats().getLeased());
            assertTrue(escaped.isClosed());
            assertThrows(SQLException.class, escaped::createStatement);
            escaped.close();
            for (int n = 0; n < 4; n++) {
                try (Connection connection = source.getConnection()) {
                    assertTrue(connection.getAutoCommit());
                    assertEquals(Connection.TRANSACTION_READ_COMMITTED, connection.getTransactionIsolation());
                    assertEquals("PUBLIC", connection.getSchema());
                }
            }
            assertEquals(0, pool.one("select count(*) from d").getInt(0));
            try (Connection first = source.getConnection(); Connection second = source.getConnection()) {
                assertNotEquals(first, second);
            }
            pool.close(Duration.ZERO);
            assertThrows(SQLException.class, source::getConnection);
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
