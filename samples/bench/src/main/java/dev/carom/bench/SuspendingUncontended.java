package dev.carom.bench;

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

    @Benchmark
    public int carom(BlockingUncontended.Carom on) {
        return Loops.caromOneCaller(on.pool.pool());
    }

    @Benchmark
    public int semaphoreAndDeque(ByHand on) {
        return Loops.semaphoreOneCaller(on.pool);
    }

    @Benchmark
    public int reactorPool(BlockingUncontended.Reactor on) {
        return Loops.reactorOneCaller(on.pool);
    }

    @Benchmark
    public int hikariOnIo(BlockingUncontended.Hikari on) {
        return Loops.jdbcOnIoOneCaller(on.pool);
    }
}
