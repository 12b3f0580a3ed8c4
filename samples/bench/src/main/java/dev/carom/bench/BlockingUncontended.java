package dev.carom.bench;

import com.zaxxer.hikari.HikariDataSource;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.Claim;
import io.agroal.api.AgroalDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.apache.commons.pool2.impl.GenericObjectPool;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import reactor.pool.InstrumentedPool;
import reactor.pool.PooledRef;
import stormpot.Pool;
import stormpot.Pooled;
import stormpot.Timeout;

/** What does one thread pay for a claim and a release while 10 connections are free and nobody else wants one? */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class BlockingUncontended {
    private static final int CONNECTIONS = 10;
    private static final Timeout PATIENCE = new Timeout(30, TimeUnit.SECONDS);

    @State(Scope.Benchmark)
    public static class Carom {
        BlockingPool<Noop> pool;

        @Setup
        public void open() {
            pool = NoopKt.openCarom(CONNECTIONS, 1);
        }

        @TearDown
        public void close() {
            pool.close();
        }
    }

    @State(Scope.Benchmark)
    public static class Hikari {
        HikariDataSource pool;

        @Setup
        public void open() {
            pool = Peers.hikari(CONNECTIONS);
        }

        @TearDown
        public void close() {
            pool.close();
        }
    }

    @State(Scope.Benchmark)
    public static class Agroal {
        AgroalDataSource pool;

        @Setup
        public void open() throws SQLException {
            pool = Peers.agroal(CONNECTIONS);
        }

        @TearDown
        public void close() {
            pool.close();
        }
    }

    @State(Scope.Benchmark)
    public static class Stormpot {
        Pool<Pooled<Noop>> pool;

        @Setup
        public void open() {
            pool = Peers.stormpot(CONNECTIONS);
        }

        @TearDown
        public void close() {
            pool.shutdown();
        }
    }

    @State(Scope.Benchmark)
    public static class Commons {
        GenericObjectPool<Noop> pool;

        @Setup
        public void open() throws Exception {
            pool = Peers.commons(CONNECTIONS);
        }

        @TearDown
        public void close() {
            pool.close();
        }
    }

    @State(Scope.Benchmark)
    public static class Reactor {
        InstrumentedPool<Noop> pool;

        @Setup
        public void open() {
            pool = Peers.reactor(CONNECTIONS);
        }

        @TearDown
        public void close() {
            pool.dispose();
        }
    }

    @Benchmark
    public Noop carom(Carom on) throws InterruptedException {
        try (Claim<Noop> claim = on.pool.claim()) {
            return claim.getConnection();
        }
    }

    @Benchmark
    public Connection hikari(Hikari on) throws SQLException {
        try (Connection connection = on.pool.getConnection()) {
            return connection;
        }
    }

    @Benchmark
    public Connection agroal(Agroal on) throws SQLException {
        try (Connection connection = on.pool.getConnection()) {
            return connection;
        }
    }

    @Benchmark
    public Noop stormpot(Stormpot on) throws Exception {
        try (Pooled<Noop> pooled = on.pool.claim(PATIENCE)) {
            return pooled.object;
        }
    }

    @Benchmark
    public Noop commonsPool2(Commons on) throws Exception {
        Noop connection = on.pool.borrowObject();
        on.pool.returnObject(connection);
        return connection;
    }

    @Benchmark
    public Noop reactorBlock(Reactor on) {
        PooledRef<Noop> ref = on.pool.acquire().block();
        ref.release().block();
        return ref.poolable();
    }
}
