package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingConnectionSet;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.BlockingPersistentConnection;
import dev.carom.pool.Overflow;
import dev.carom.pool.PersistentPolicy;
import dev.carom.pool.PersistentPolicyBuilder;
import dev.carom.pool.Resolver;
import dev.carom.pool.Resolvers;
import dev.carom.pool.SetLease;
import dev.carom.pool.SetPolicyBuilder;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the README shows. */
@Timeout(60)
class SetReadmeJavaTest {
    private final List<String> sent = new CopyOnWriteArrayList<>();

    final class Line {
        void send(String text) {
            sent.add(text);
        }
    }

    final class Lines implements BlockingConnector<Line> {
        @Override
        public Line connect(Backend backend) {
            return new Line();
        }

        @Override
        public void close(Line line) {}
    }

    @Test
    @DisplayName("one connection per backend, shared; and one logical connection with an outbox")
    void readme() throws Exception {
        Resolver resolver = Resolvers.fixedResolver(new Backend("n1", "10.0.0.1", 7000));
        Lines connector = new Lines();
        // readme: begin
        try (var set = BlockingConnectionSet.open("nodes", resolver, connector, new SetPolicyBuilder().build())) {
            set.awaitReady();
            try (SetLease<Line> lease = set.lease()) { // shared: others use the same connection meanwhile
                lease.getConnection().send("hello");
            }
        }

        PersistentPolicy policy = new PersistentPolicyBuilder().maxMessages(100).overflow(Overflow.DropOldest).build();
        try (var events = BlockingPersistentConnection.open("events", resolver, connector, Line::send, policy)) {
            events.put("queued, connected or not");
            events.send("written when this returns");
        } // writes what is left, within a grace
        // readme: end
        assertEquals(List.of("hello", "queued, connected or not", "written when this returns"), sent);
    }
}
