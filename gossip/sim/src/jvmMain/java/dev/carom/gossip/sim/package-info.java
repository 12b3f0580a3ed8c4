/**
 * A cluster in virtual time, for tests of what stands on gossip: any number of members in one thread, no sockets, no
 * waiting, and the same run for the same seed.
 *
 * <pre>{@code
 * Simulation simulation = new Simulation(42);
 * for (int host = 0; host < 5; host++) simulation.start(host, SwimPolicy.lan(), 0);
 * assertTrue(simulation.awaitMillis(30_000, 100, simulation::converged));
 *
 * simulation.getNetwork().partition(host -> host < 2 ? 0 : 1);
 * simulation.runMillis(600_000);
 * simulation.getNetwork().heal();
 * assertTrue(simulation.awaitMillis(60_000, 100, simulation::converged));
 * }</pre>
 */
@NullMarked
package dev.carom.gossip.sim;

import org.jspecify.annotations.NullMarked;
