package dev.carom.bench;

import com.zaxxer.hikari.HikariDataSource;
import dev.carom.samples.bank.Server;
import dev.carom.storage.jdbc.JdbcPool;
import dev.carom.storage.sql.BlockingSqlPool;
import dev.carom.storage.sql.SqlPool;
import io.r2dbc.pool.ConnectionPool;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntToLongFunction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What does a query for one row by its key cost on a PostgreSQL server of the same machine, over 10 connections, for 1 to
 * 1,000 callers at once? Callers are coroutines, or threads that are there already.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@OperationsPerInvocation(StorageLoops.QUERIES)
public class PointQuery {
    private static final int CONNECTIONS = 10;
    private static final Duration CLOSING = Duration.ofSeconds(10);

    /** The server, and so many callers. */
    @State(Scope.Benchmark)
    public static class Setting {
        @Param({"1", "10", "100", "1000"})
        int callers;

        Server server;
        ExecutorService threads;

        @Setup
        public void open() throws Exception {
            server = Server.open();
            if (server == null) throw new IllegalStateException("no PostgreSQL can be started here");
            try (Connection connection = DriverManager.getConnection(server.url("setup"));
                    Statement statement = connection.createStatement()) {
                statement.execute("create table point (id int primary key, v bigint not null)");
                statement.execute("insert into point select n, n * 3 from generate_series(0, " + (StorageLoops.ROWS - 1) + ") n");
                statement.execute("vacuum analyze point");
            }
            threads = Executors.newFixedThreadPool(callers);
        }

        @TearDown
        public void close() {
            threads.shutdown();
            server.close();
        }

        long ask(IntToLongFunction query) throws Exception {
            List<Callable<Long>> calls = new ArrayList<>();
            for (int caller = 0; caller < callers; caller++) {
                int first = caller;
                calls.add(() -> {
                    long sum = 0;
                    for (int n = first; n < StorageLoops.QUERIES; n += callers) sum += query.applyAsLong(n % StorageLoops.ROWS);
                    return sum;
                });
            }
            long sum = 0;
            for (Future<Long> answer : threads.invokeAll(calls)) sum += answer.get();
            return sum;
        }
    }

    /** Carom on the server. */
    @State(Scope.Benchmark)
    public static class Carom {
        JdbcPool pool;
        BlockingSqlPool blocking;

        @Setup
        public void open(Setting setting) {
            pool = StorageLoops.openJdbcCarom(setting.server.url("carom"), setting.server.getPort(), CONNECTIONS);
            blocking = BlockingSqlPool.of(pool);
        }

        @TearDown
        public void close() {
            blocking.close();
        }
    }

    /** HikariCP on the server. */
    @State(Scope.Benchmark)
    public static class Hikari {
        HikariDataSource source;

        @Setup
        public void open(Setting setting) {
            source = new HikariDataSource();
            source.setJdbcUrl(setting.server.url("hikari"));
            source.setMaximumPoolSize(CONNECTIONS);
        }

        @TearDown
        public void close() {
            source.close();
        }
    }

    /** Carom over R2DBC on the server. */
    @State(Scope.Benchmark)
    public static class CaromR2dbc {
        SqlPool pool;
        BlockingSqlPool closing;

        @Setup
        public void open(Setting setting) {
            pool = QueryPeers.openR2dbcCarom(setting.server.getPort(), CONNECTIONS);
            closing = BlockingSqlPool.of(pool);
        }

        @TearDown
        public void close() {
            closing.close();
        }
    }

    /** r2dbc-pool on the server. */
    @State(Scope.Benchmark)
    public static class R2dbc {
        ConnectionPool pool;

        @Setup
        public void open(Setting setting) {
            pool = QueryPeers.openR2dbcPool(setting.server.getPort(), CONNECTIONS);
        }

        @TearDown
        public void close() {
            pool.disposeLater().block(CLOSING);
        }
    }

    /** The Vert.x client on the server. */
    @State(Scope.Benchmark)
    public static class VertxClient {
        Vertx vertx;
        Pool pool;

        @Setup
        public void open(Setting setting) {
            vertx = Vertx.vertx();
            pool = QueryPeers.openVertxPool(vertx, setting.server.getPort(), CONNECTIONS);
        }

        @TearDown
        public void close() throws Exception {
            pool.close().toCompletionStage().toCompletableFuture().get(CLOSING.toSeconds(), TimeUnit.SECONDS);
            vertx.close().toCompletionStage().toCompletableFuture().get(CLOSING.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @Benchmark
    public long caromSuspending(Setting setting, Carom carom) {
        return StorageLoops.caromQueries(carom.pool, setting.callers);
    }

    @Benchmark
    public long caromBlocking(Setting setting, Carom carom) throws Exception {
        return setting.ask(id -> carom.blocking.queryRow(StorageLoops.POINT, id).getLong(0));
    }

    @Benchmark
    public long caromOverR2dbc(Setting setting, CaromR2dbc carom) {
        return StorageLoops.caromQueries(carom.pool, setting.callers);
    }

    @Benchmark
    public long r2dbcPool(Setting setting, R2dbc r2dbc) {
        return QueryPeers.r2dbcPoolQueries(r2dbc.pool, setting.callers);
    }

    @Benchmark
    public long vertx(Setting setting, VertxClient client) {
        return QueryPeers.vertxQueries(client.pool, setting.callers);
    }

    @Benchmark
    public long hikariOnIo(Setting setting, Hikari hikari) {
        return StorageLoops.jdbcOnIoQueries(hikari.source, setting.callers);
    }

    @Benchmark
    public long hikariBlocking(Setting setting, Hikari hikari) throws Exception {
        return setting.ask(id -> StorageLoops.jdbcQuery(hikari.source, id));
    }
}
