package dev.carom.bench;

import dev.carom.storage.BlockingSessions;
import dev.carom.storage.PoolCore;
import dev.carom.storage.Sessions;
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

/** What does the layer itself cost, over sessions that do nothing: one operation, on a connection, in a transaction? */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@State(Scope.Benchmark)
public class StorageLayer {
    private PoolCore<Quiet> pool;
    private BlockingSessions<Quiet> blocking;

    @Setup
    public void open() {
        pool = StorageLoops.openQuiet(10);
        blocking = new BlockingSessions<>() {
            @Override
            public Sessions<Quiet> sessions() {
                return pool;
            }
        };
    }

    @TearDown
    public void close() {
        StorageLoops.closeQuiet(pool);
    }

    @Benchmark
    @OperationsPerInvocation(Loops.ONE_CALLER)
    public int operation() {
        return StorageLoops.useLoop(pool);
    }

    @Benchmark
    @OperationsPerInvocation(Loops.ONE_CALLER)
    public int connection() {
        return StorageLoops.connLoop(pool);
    }

    @Benchmark
    @OperationsPerInvocation(Loops.ONE_CALLER)
    public int transaction() {
        return StorageLoops.txnLoop(pool);
    }

    @Benchmark
    public int blockingOperation() {
        return blocking.read(session -> session.getTxn().ordinal());
    }
}
