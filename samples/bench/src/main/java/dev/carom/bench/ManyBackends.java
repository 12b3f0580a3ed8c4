package dev.carom.bench;

import dev.carom.pool.BlockingPool;
import dev.carom.pool.Claim;
import java.util.concurrent.TimeUnit;
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
 * What does it cost to choose among 64 backends instead of one? 64 connections are open either way; nobody else wants
 * one. The peers know one backend only.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ManyBackends {
    private static final int CONNECTIONS = 64;

    @State(Scope.Benchmark)
    public static class Carom {
        @Param({"1", "64"})
        int backends;

        BlockingPool<Noop> pool;

        @Setup
        public void open() {
            pool = NoopKt.openCarom(CONNECTIONS, backends);
        }

        @TearDown
        public void close() {
            pool.close();
        }
    }

    @Benchmark
    @OperationsPerInvocation(Loops.ONE_CALLER)
    public int suspending(Carom on) {
        return Loops.caromOneCaller(on.pool.pool());
    }

    @Benchmark
    public Noop blocking(Carom on) throws InterruptedException {
        try (Claim<Noop> claim = on.pool.claim()) {
            return claim.getConnection();
        }
    }
}
