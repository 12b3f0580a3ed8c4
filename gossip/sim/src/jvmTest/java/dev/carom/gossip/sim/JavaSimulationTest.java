package dev.carom.gossip.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.gossip.GossipNotice;
import dev.carom.gossip.SwimEvent;
import dev.carom.gossip.SwimPolicy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class JavaSimulationTest {
    private static Simulation five() {
        Simulation simulation = new Simulation(42);
        for (int host = 0; host < 5; host++) simulation.start(host, SwimPolicy.lan(), 0);
        assertTrue(simulation.awaitMillis(30_000, 100, simulation::converged));
        return simulation;
    }

    @Test
    @DisplayName("a cluster splits and heals, on a network that loses, repeats and delays")
    void splits() {
        Simulation simulation = five();
        SimNetwork network = simulation.getNetwork();
        network.setLoss(0.1);
        network.setDuplication(0.1);
        network.setMeanExtraDelayMicros(20_000);
        network.partition(host -> host < 2 ? 0 : 1);
        simulation.runMillis(300_000);
        assertEquals(1, simulation.node(0).getSwim().getMemberCount());
        network.heal();
        assertTrue(simulation.awaitMillis(120_000, 100, simulation::converged));
    }

    @Test
    @DisplayName("a member is paused, crashes, leaves, and what happens is told")
    void members() {
        Simulation simulation = five();
        List<String> told = new ArrayList<>();
        simulation.listen((node, notice, nanos) -> {
            if (node.getHost() == 0 && notice instanceof GossipNotice.MemberDown<SimId> down) {
                told.add(down.getMember().getHost() + (down.getLeft() ? " left" : " died"));
            }
        });
        simulation.pause(simulation.node(1), 1_500);
        simulation.crash(simulation.node(2));
        simulation.submit(simulation.node(3), new SwimEvent.LeaveRequested<>());
        simulation.runMillis(60_000);
        assertEquals(List.of("3 left", "2 died"), told);
        assertNull(simulation.node(2));
        assertNotNull(simulation.node(1));
        assertFalse(simulation.converged());
    }

    @Test
    @DisplayName("what cannot be is refused with the value")
    void bounds() {
        Simulation simulation = five();
        assertThrows(IllegalArgumentException.class, () -> simulation.start(0, SwimPolicy.lan()));
        String message = assertThrows(IllegalArgumentException.class, () -> simulation.getNetwork().setLoss(2)).getMessage();
        assertEquals("loss must be in 0.0..1.0, was 2.0", message);
    }
}
