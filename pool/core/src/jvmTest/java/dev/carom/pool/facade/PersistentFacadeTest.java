package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingPersistentConnection;
import dev.carom.pool.BlockingWriter;
import dev.carom.pool.Overflow;
import dev.carom.pool.PersistentException;
import dev.carom.pool.PersistentFutures;
import dev.carom.pool.PersistentPolicy;
import dev.carom.pool.PersistentPolicyBuilder;
import dev.carom.pool.PersistentReport;
import dev.carom.pool.PersistentState;
import dev.carom.pool.Resolver;
import dev.carom.pool.Resolvers;
import dev.carom.pool.SetNotice;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import kotlinx.coroutines.flow.MutableStateFlow;
import kotlinx.coroutines.flow.StateFlowKt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The facades over a real persistent connection. */
@Timeout(60)
class PersistentFacadeTest {
    private static final Backend A = new Backend("a", "10.0.0.1", 1);
    private final MutableStateFlow<Set<Backend>> listed = StateFlowKt.MutableStateFlow(Set.of());
    private final Resolver resolver = Resolvers.asResolver(listed);
    private final SetFacadeTest.Lines connector = new SetFacadeTest.Lines();
    private final List<String> written = new CopyOnWriteArrayList<>();
    private final BlockingWriter<SetFacadeTest.Line, String> writer = (line, message) -> {
        if (message.equals("bad")) throw new IOException("broken pipe");
        written.add(message);
    };

    private BlockingPersistentConnection<SetFacadeTest.Line, String> open(PersistentPolicy policy) {
        return BlockingPersistentConnection.open("bus", resolver, connector, writer, policy);
    }

    @AfterEach
    void allIsClosed() {
        assertEquals(connector.opened.get(), connector.closed.get());
    }

    @Test
    @DisplayName("messages sent from Java before there is a connection are written when there is, in order")
    void sends() throws Exception {
        Signals<PersistentState> states = new Signals<>();
        Signals<SetNotice> notices = new Signals<>();
        try (BlockingPersistentConnection<SetFacadeTest.Line, String> bus = open(new PersistentPolicy())) {
            bus.states().subscribe(states);
            bus.notices().subscribe(notices);
            assertInstanceOf(PersistentState.WaitingForBackends.class, bus.state());
            assertTrue(bus.trySend("0"));
            bus.put("1");
            CompletableFuture<Void> third = bus.futures().put("2");
            third.get();
            CompletableFuture<Void> taken = bus.futures().send("withdrawn");
            taken.cancel(true);
            CompletableFuture<Void> last = bus.futures().send("3");
            assertFalse(last.isDone());
            listed.setValue(Set.of(A));
            last.get();
            bus.send("4");
            assertEquals(List.of("0", "1", "2", "3", "4"), written);
            assertEquals(5, bus.snapshot().getWritten());
            // It is told of by another coroutine than the one that writes.
            Threads.await(() -> bus.current() != null);
            assertEquals(A, assertNotNullAnd(bus.current()).getBackend());
            assertEquals("bus", bus.name());
            assertEquals("BlockingPersistentConnection(bus)", bus.toString());
        }
        states.awaitComplete();
        notices.awaitComplete();
        assertInstanceOf(PersistentState.Closed.class, states.last());
    }

    private static <T> T assertNotNullAnd(T value) {
        assertNotNull(value);
        return value;
    }

    @Test
    @DisplayName("failures arrive as they are: not written, full, too large, closed with a report")
    void failures() throws Exception {
        PersistentPolicy policy = new PersistentPolicyBuilder()
                .maxMessages(1).maxBytes(20).overflow(Overflow.Refuse).attempts(1).build();
        BlockingPersistentConnection<SetFacadeTest.Line, String> bus = open(policy);
        assertEquals(policy, bus.policy());
        assertThrows(PersistentException.TooLarge.class, () -> bus.put("eleven char"));
        bus.put("0");
        assertThrows(PersistentException.OutboxFull.class, () -> bus.put("1"));
        assertFalse(bus.trySend("1"));
        listed.setValue(Set.of(A));
        Threads.start("sender", () -> {
            while (!written.contains("0")) Thread.onSpinWait();
            return null;
        }).result();
        assertThrows(PersistentException.NotWritten.class, () -> bus.send("bad"));
        PersistentFutures<SetFacadeTest.Line, String> futures = bus.futures();
        ExecutionException failure = assertThrows(ExecutionException.class, () -> futures.send("bad").get());
        assertInstanceOf(PersistentException.class, failure.getCause());
        PersistentReport report = bus.close(Duration.ZERO);
        assertEquals(0, report.getLeft());
        assertEquals(report, futures.close(Duration.ZERO).get());
        assertEquals(report, futures.close().get());
        assertEquals(bus.connection(), futures.connection());
        assertThrows(PersistentException.Closed.class, () -> bus.trySend("late"));
    }

    @Test
    @DisplayName("an interrupted sender takes its message out again")
    void interrupts() throws Exception {
        try (BlockingPersistentConnection<SetFacadeTest.Line, String> bus = open(new PersistentPolicy())) {
            Threads.Running<Object> sender = Threads.start("sender", () -> {
                bus.send("mine");
                return null;
            });
            while (bus.snapshot().getMessages() == 0) Thread.onSpinWait();
            sender.thread().interrupt();
            assertThrows(InterruptedException.class, sender::result);
            assertEquals(0, bus.snapshot().getMessages());
            listed.setValue(Set.of(A));
            bus.send("yours");
            assertEquals(List.of("yours"), written);
        }
    }

    @Test
    @DisplayName("the size of a message is that of its bytes or characters, unless the writer says otherwise")
    void sizes() {
        BlockingWriter<Object, Object> plain = (line, message) -> {};
        assertEquals(3, plain.toWriter().sizeOf(new byte[3]));
        assertEquals(6, plain.sizeOf("abc"));
        assertEquals(1, plain.sizeOf(42));
    }
}
