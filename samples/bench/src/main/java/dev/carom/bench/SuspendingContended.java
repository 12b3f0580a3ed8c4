package dev.carom.bench;

import com.zaxxer.hikari.HikariDataSource;
import dev.carom.pool.BlockingPool;
import java.util.concurrent.TimeUnit;
import kotlinx.coroutines.Dispatchers;
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
import reactor.pool.InstrumentedPool;

/**
 * What does a claim and a release cost when more coroutines want a connection than there are, and each yields while it
 * holds one? Launching the coroutines is part of the time: at most 1,000 launches in 100,000 cycles.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(Loops.CROWD)
public class SuspendingContended {
    /** So many coroutines over so many connections. */
    public enum Crowd {
        EIGHT_OVER_2(8, 2),
        THOUSAND_OVER_10(1_000, 10);

        final int callers;
        final int connections;

        Crowd(int callers, int connections) {
            this.callers = callers;
            this.connections = connections;
        }
    }

    @State(Scope.Benchmark)
    public static class Carom {
        @Param
        Crowd crowd;

        BlockingPool<Noop> pool;

        @Setup
        public void open() {
            pool = NoopKt.openCarom(crowd.connections, 1);
        }

        @TearDown
        public void close() {
            pool.close();
        }
    }

    @State(Scope.Benchmark)
    public static class ByHand {
        @Param
        Crowd crowd;

        SemaphoreDeque pool;

        @Setup
        public void open() {
            pool = new SemaphoreDeque(crowd.connections);
        }

        @TearDown
        public void close() {
            pool = null;
        }
    }

    @State(Scope.Benchmark)
    public static class Reactor {
        @Param
        Crowd crowd;

        InstrumentedPool<Noop> pool;

        @Setup
        public void open() {
            pool = Peers.reactor(crowd.connections);
        }

        @TearDown
        public void close() {
            pool.dispose();
        }
    }

    @State(Scope.Benchmark)
    public static class Hikari {
        @Param
        Crowd crowd;

        HikariDataSource pool;

        @Setup
        public void open() {
            pool = Peers.hikari(crowd.connections);
        }

        @TearDown
        public void close() {
            pool.close();
        }
    }

    @Benchmark
    public void carom(Carom on) {
        Loops.caromCrowd(on.pool.pool(), Dispatchers.getDefault(), on.crowd.callers);
    }

    @Benchmark
    public void semaphoreAndDeque(ByHand on) {
        Loops.semaphoreCrowd(on.pool, Dispatchers.getDefault(), on.crowd.callers);
    }

    @Benchmark
    public void reactorPool(Reactor on) {
        Loops.reactorCrowd(on.pool, Dispatchers.getDefault(), on.crowd.callers);
    }

    @Benchmark
    public void hikariOnIo(Hikari on) {
        Loops.jdbcOnIoCrowd(on.pool, Dispatchers.getDefault(), on.crowd.callers);
    }
}
