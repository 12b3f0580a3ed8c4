package dev.carom.bench;

import com.zaxxer.hikari.HikariDataSource;
import dev.carom.pool.BlockingPool;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import reactor.pool.InstrumentedPool;

/**
 * What does one coroutine pay for a claim and a release while 10 connections are free and nobody else wants one?
 *
 * <p>The peers are what a suspending caller can use today: kotlinx's own primitives, a reactive pool awaited, and a
 * blocking pool behind {@code Dispatchers.IO}.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(Loops.ONE_CALLER)
public class SuspendingUncontended {
    private static final int CONNECTIONS = 10;

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
    public static class ByHand {
        SemaphoreDeque pool;

        @Setup
        public void open() {
            pool = new SemaphoreDeque(CONNECTIONS);
        }

        @TearDown
        public void close() {
            pool = null;
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

    @Benchmark
    public int carom(Carom on) {
        return Loops.caromOneCaller(on.pool.pool());
    }

    @Benchmark
    public int semaphoreAndDeque(ByHand on) {
        return Loops.semaphoreOneCaller(on.pool);
    }

    @Benchmark
    public int reactorPool(Reactor on) {
        return Loops.reactorOneCaller(on.pool);
    }

    @Benchmark
    public int hikariOnIo(Hikari on) {
        return Loops.jdbcOnIoOneCaller(on.pool);
    }
}
