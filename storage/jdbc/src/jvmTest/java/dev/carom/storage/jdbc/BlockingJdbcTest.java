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
import dev.carom.storage.TxnStatus;
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
import org.junit.jupiter.api.Assumptions;
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

    @Test
    @DisplayName("from Java: a commit that was sent is not reached by an interrupt, and says what became of it")
    void interruptedCommit() throws Exception {
        PostgresServer server = PostgresServer.Companion.getShared();
        Assumptions.assumeTrue(server != null, "no PostgreSQL here");
        String url = server.database("commit_java");
        try (BlockingSqlPool pool = BlockingJdbc.open(
                "commit",
                JdbcDialect.POSTGRESQL,
                Resolvers.fixedResolver(new Backend("pg", "127.0.0.1", server.getPort())),
                backend -> DriverManager.getConnection(url),
                new PoolPolicyBuilder().spares(1).maxSlots(2).build(),
                new StoragePolicy());
                Connection gate = DriverManager.getConnection(url);
                Statement lock = gate.createStatement()) {
            pool.exec("create table t (n int)");
            pool.exec("create function slow() returns trigger language plpgsql as "
                    + "'begin perform pg_advisory_xact_lock(7); perform pg_sleep(0.5); return null; end'");
            pool.exec("create constraint trigger late after insert on t deferrable initially deferred "
                    + "for each row execute function slow()");
            CompletableFuture<Boolean> flag = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                try (BlockingSqlTxn txn = pool.beginTxn()) {
                    txn.exec("insert into t values (1)");
                    txn.commit();
                    flag.complete(Thread.currentThread().isInterrupted() && txn.status() == TxnStatus.COMMITTED);
                } catch (RuntimeException e) {
                    flag.completeExceptionally(e);
                }
            });
            lock.execute("select pg_advisory_lock(7)");
            thread.start();
            String commits = "select count(*) from pg_stat_activity where datname = 'commit_java' "
                    + "and wait_event_type = 'Lock' and query ilike 'commit%'";
            while (server.<Long>asked(commits) == 0) Thread.onSpinWait();
            // What would stop the commit has the time to: it goes on for a while after this.
            thread.interrupt();
            lock.execute("select pg_advisory_unlock(7)");
            assertTrue(flag.get(30, TimeUnit.SECONDS));
            assertEquals(1, pool.one("select count(*) from t").getInt(0));
        }
    }
}
