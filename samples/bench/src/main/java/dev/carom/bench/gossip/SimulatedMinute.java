package dev.carom.bench.gossip;

import dev.carom.gossip.SwimPolicy;
import dev.carom.gossip.sim.Simulation;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** How long does a minute of a cluster take in the simulator, all members in one thread? */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class SimulatedMinute {
    @Param("1000")
    public int members;

    private Simulation simulation;

    @Setup(Level.Iteration)
    public void start() {
        simulation = new Simulation(1);
        for (int host = 0; host < members; host++) simulation.start(host, SwimPolicy.lan(), 0, 1);
        simulation.acquaint();
        simulation.runMillis(10_000);
    }

    /** Nothing happens. */
    @Benchmark
    public long quiet() {
        simulation.runMillis(60_000);
        return simulation.getSteps();
    }

    /** One member in a hundred crashes at once. */
    @Benchmark
    public long crashes() {
        for (int host = 0; host < members; host += 100) simulation.crash(simulation.node(host));
        simulation.runMillis(60_000);
        return simulation.getSteps();
    }
}
