package dev.carom.storage.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.storage.DestroyReason;
import dev.carom.storage.StoragePolicy;
import dev.carom.storage.sql.BlockingSqlPool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.support.TransactionTemplate;

/** Code that knows nothing of this library, on its DataSource. */
@Timeout(120)
class DataSourceTest {
    private static BlockingSqlPool open(JdbcDialect dialect, String url) {
        return BlockingJdbc.open(
                "source",
                dialect,
                Resolvers.fixedResolver(new Backend("db", "localhost", 1)),
                backend -> DriverManager.getConnection(url),
                new PoolPolicyBuilder().spares(1).maxSlots(2).build(),
                new StoragePolicy(),
                new JdbcPolicyBuilder().build());
    }

    /** On H2, and on PostgreSQL where there is one. */
    private static Stream<DynamicTest> everywhere(String name, Consumer<BlockingSqlPool> test) {
        PostgresServer server = PostgresServer.Companion.getShared();
        return Stream.of(JdbcDialect.H2, JdbcDialect.POSTGRESQL).map(dialect -> DynamicTest.dynamicTest(
                name + ": " + dialect, () -> {
                    Assumptions.assumeTrue(dialect == JdbcDialect.H2 || server != null, "no PostgreSQL here");
                    String url = dialect == JdbcDialect.H2
                            ? "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1"
                            : server.database("source_java");
                    try (BlockingSqlPool pool = open(dialect, url)) {
                        test.accept(pool);
                        assertEquals(0, pool.stats().getLeased());
                        assertEquals(0, pool.stats().getDestroyed().values().stream().mapToLong(n -> n).sum());
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> jooq() {
        return everywhere("jOOQ: statements, batches, nested transactions", pool -> {
            DSLContext dsl = DSL.using(BlockingJdbc.dataSource(pool), SQLDialect.DEFAULT);
            dsl.execute("create table book (id int primary key, title varchar(50) not null)");
            var book = DSL.table("book");
            var id = DSL.field("id", Integer.class);
            var title = DSL.field("title", String.class);
            dsl.batch(dsl.insertInto(book, id, title).values((Integer) null, null))
                    .bind(1, "one").bind(2, "two").bind(3, "three").execute();
            assertThrows(DataAccessException.class, () -> dsl.transaction(outer -> {
                outer.dsl().deleteFrom(book).where(id.eq(1)).execute();
                outer.dsl().execute("selec");
            }));
            dsl.transaction(outer -> {
                outer.dsl().update(book).set(title, "uno").where(id.eq(1)).execute();
                assertThrows(IllegalStateException.class, () -> outer.dsl().transaction(inner -> {
                    inner.dsl().deleteFrom(book).execute();
                    throw new IllegalStateException("undo");
                }));
            });
            assertEquals(List.of("uno", "two", "three"), dsl.select(title).from(book).orderBy(id).fetch(title));
            try (var rows = dsl.select(id).from(book).fetchLazy()) {
                assertTrue(rows.hasNext());
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> spring() {
        return everywhere("Spring: JdbcTemplate, DataSourceUtils, a transaction manager", pool -> {
            DataSource source = BlockingJdbc.dataSource(pool);
            JdbcTemplate jdbc = new JdbcTemplate(source);
            jdbc.execute("create table stock (id int primary key, n int not null)");
            jdbc.batchUpdate("insert into stock values (?, ?)", List.of(new Object[] {1, 10}, new Object[] {2, 20}));
            TransactionTemplate txn = new TransactionTemplate(new DataSourceTransactionManager(source));
            txn.executeWithoutResult(status -> {
                jdbc.update("update stock set n = n - 1 where id = 1");
                Connection first = DataSourceUtils.getConnection(source);
                assertEquals(1, pool.stats().getLeased());
                DataSourceUtils.releaseConnection(first, source);
                status.setRollbackOnly();
            });
            txn.setIsolationLevel(TransactionTemplate.ISOLATION_SERIALIZABLE);
            txn.executeWithoutResult(status -> jdbc.update("update stock set n = n + 5 where id = 2"));
            assertEquals(List.of(10, 25), jdbc.queryForList("select n from stock order by id", Integer.class));
        });
    }

    @Test
    @DisplayName("Flyway migrates on it")
    void flyway(@TempDir Path scripts) throws Exception {
        Files.writeString(scripts.resolve("V1__first.sql"), "create table migrated (id int primary key);");
        Files.writeString(scripts.resolve("V2__second.sql"), "insert into migrated values (7);");
        try (BlockingSqlPool pool = open(JdbcDialect.H2, "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1")) {
            var result = Flyway.configure().dataSource(BlockingJdbc.dataSource(pool))
                    .locations("filesystem:" + scripts).load().migrate();
            assertEquals(2, result.migrationsExecuted);
            assertEquals(7, pool.one("select id from migrated").getInt(0));
            assertEquals(0, pool.stats().getLeased());
        }
    }

    @TestFactory
    Stream<DynamicTest> noWayAround() {
        return everywhere("what leads back to the connection leads to the one on loan", pool -> {
            try (Connection connection = BlockingJdbc.dataSource(pool).getConnection()) {
                PreparedStatement prepared = connection.prepareStatement("select 1");
                assertSame(connection, prepared.getConnection());
                assertSame(connection, connection.getMetaData().getConnection());
                Statement plain = connection.createStatement();
                assertSame(connection, plain.getConnection());
                assertTrue(plain.isWrapperFor(Statement.class));
                assertFalse(prepared.equals(plain));
                // Left open: they end with the loan.
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    @DisplayName("a connection that the server ended is not lent again")
    void ended() throws Exception {
        PostgresServer server = PostgresServer.Companion.getShared();
        Assumptions.assumeTrue(server != null, "no PostgreSQL here");
        try (BlockingSqlPool pool = open(JdbcDialect.POSTGRESQL, server.database("source_ended"))) {
            DataSource source = BlockingJdbc.dataSource(pool);
            try (Connection connection = source.getConnection(); Statement statement = connection.createStatement()) {
                assertThrows(
                        SQLException.class,
                        () -> statement.execute("select pg_terminate_backend(pg_backend_pid())"));
            }
            assertEquals(1, pool.stats().getDestroyed().get(DestroyReason.BROKEN));
            assertEquals(1, pool.one("select 1").getInt(0));
        }
    }

    @Test
    @DisplayName("the numbers of JDBC from Java")
    void policy() {
        JdbcPolicy policy = new JdbcPolicyBuilder().role(dev.carom.pool.Role.Primary)
                .checkInterval(java.time.Duration.ofMillis(100)).linger(java.time.Duration.ofSeconds(2)).build();
        assertEquals("JdbcPolicy(role=Primary, checkInterval=100ms, linger=2s, validateAfter=1s)", policy.toString());
        assertEquals(policy.toString(), JdbcPolicyBuilder.from(policy).build().toString());
        assertThrows(
                IllegalArgumentException.class,
                () -> new JdbcPolicyBuilder().linger(java.time.Duration.ofSeconds(-1)).build());
    }
}
