package dev.carom.bench;

import dev.carom.pool.BlockingPool;
import dev.carom.pool.Claim;
import dev.carom.pool.ClaimOptions;
import dev.carom.pool.ClaimOptionsBuilder;
import dev.carom.pool.LeasePolicyBuilder;
import dev.carom.pool.NestedClaims;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What does it cost one thread that the pool knows who holds a connection, for how long, and where it was claimed? */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class LeaseInsight {
    private static final int CONNECTIONS = 10;

    /** A pool that records where one claim in so many was made. */
    public abstract static class Sampling {
        private final int sites;
        private final NestedClaims nested;
        BlockingPool<Noop> pool;
        ClaimOptions named;

        Sampling(int sites, NestedClaims nested) {
            this.sites = sites;
            this.nested = nested;
        }

        @Setup
        public void open() {
            LeasePolicyBuilder lease = new LeasePolicyBuilder()
                    .warnAfter(Duration.ofSeconds(30))
                    .nested(nested)
                    .sites(sites);
            pool = NoopKt.openCarom(CONNECTIONS, 1, lease.build());
            named = new ClaimOptionsBuilder().holder("checkout").tag("request", "7").build();
        }

        @TearDown
        public void close() {
            pool.close();
        }
    }

    /** No claim. */
    @State(Scope.Benchmark)
    public static class Never extends Sampling {
        public Never() {
            super(0, NestedClaims.Warn);
        }
    }

    /** One in a hundred. */
    @State(Scope.Benchmark)
    public static class Sometimes extends Sampling {
        public Sometimes() {
            super(100, NestedClaims.Warn);
        }
    }

    /** Each. */
    @State(Scope.Benchmark)
    public static class Always extends Sampling {
        public Always() {
            super(1, NestedClaims.Warn);
        }
    }

    /** No claim, but each is examined for being inside another: for tests. */
    @State(Scope.Benchmark)
    public static class Strict extends Sampling {
        public Strict() {
            super(0, NestedClaims.Error);
        }
    }

    @Benchmark
    public int strict(Strict state) throws InterruptedException {
        try (Claim<Noop> claim = state.pool.claim()) {
            return claim.getConnection().getId();
        }
    }

    @Benchmark
    public int watched(Never state) throws InterruptedException {
        try (Claim<Noop> claim = state.pool.claim()) {
            return claim.getConnection().getId();
        }
    }

    @Benchmark
    public int watchedNamedAndTagged(Never state) throws InterruptedException {
        try (Claim<Noop> claim = state.pool.claim(state.named)) {
            return claim.getConnection().getId();
        }
    }

    @Benchmark
    public int siteOfOneInAHundred(Sometimes state) throws InterruptedException {
        try (Claim<Noop> claim = state.pool.claim()) {
            return claim.getConnection().getId();
        }
    }

    @Benchmark
    public int siteOfEach(Always state) throws InterruptedException {
        try (Claim<Noop> claim = state.pool.claim()) {
            return claim.getConnection().getId();
        }
    }
}
