package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.BackoffPolicyBuilder;
import dev.carom.pool.BlockingConnectionSet;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.CloseReport;
import dev.carom.pool.ConnectionSetFutures;
import dev.carom.pool.PoolException;
import dev.carom.pool.PoolSnapshot;
import dev.carom.pool.Removal;
import dev.carom.pool.Resolver;
import dev.carom.pool.Resolvers;
import dev.carom.pool.SetChange;
import dev.carom.pool.SetConnection;
import dev.carom.pool.SetLease;
import dev.carom.pool.SetNotice;
import dev.carom.pool.SetPolicy;
import dev.carom.pool.SetPolicyBuilder;
import dev.carom.pool.SetSnapshot;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import kotlinx.coroutines.flow.MutableStateFlow;
import kotlinx.coroutines.flow.StateFlowKt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The facades over a real set. */
@Timeout(60)
class SetFacadeTest {
    private static final Backend A = new Backend("a", "10.0.0.1", 1);
    private static final Backend B = new Backend("b", "10.0.0.2", 1);
    private static final SetPolicy PATIENT = retrying().build();

    /** For leases that are to be refused, and nothing else: any other may take longer. */
    private static final SetPolicy HASTY = retrying().leaseTimeout(Duration.ofMillis(200)).build();

    private final MutableStateFlow<Set<Backend>> listed = StateFlowKt.MutableStateFlow(Set.of(A, B));
    private final Resolver resolver = Resolvers.asResolver(listed);
    private final Lines connector = new Lines();

    private static SetPolicyBuilder retrying() {
        return new SetPolicyBuilder().backoff(new BackoffPolicyBuilder().start(Duration.ofMillis(1)).build());
    }

    /** A connection that remembers where it leads. */
    record Line(int number, Backend backend) {}

    static class Lines implements BlockingConnector<Line> {
        final AtomicInteger opened = new AtomicInteger();
        final AtomicInteger closed = new AtomicInteger();
        volatile boolean refusing;

        @Override
        public Line connect(Backend backend) throws IOException {
            if (refusing) throw new IOException("connection refused by " + backend.getName());
            return new Line(opened.incrementAndGet(), backend);
        }

        @Override
        public void close(Line line) {
            closed.incrementAndGet();
        }
    }

    @AfterEach
    void allIsClosed() {
        assertEquals(connector.opened.get(), connector.closed.get());
    }

    @Test
    @DisplayName("a set opened from Java shares its connections, and closes all it opened")
    void shares() throws Exception {
        try (BlockingConnectionSet<Line> set = BlockingConnectionSet.open("lines", resolver, connector, PATIENT)) {
            set.awaitReady(2);
            // The snapshot follows a moment later.
            Threads.await(() -> set.snapshot().getLive() >= 2);
            assertEquals("lines", set.name());
            assertEquals(PATIENT, set.policy());
            assertEquals(2, set.connections().size());
            assertEquals(2, set.snapshot().getLive());
            try (SetLease<Line> one = set.lease(); SetLease<Line> two = set.tryLease(); SetLease<Line> three = set.lease()) {
                assertNotNull(two);
                assertFalse(one.getConnection() == two.getConnection());
                assertTrue(three.getConnection() == one.getConnection() || three.getConnection() == two.getConnection());
                assertEquals(one.getConnection().backend(), one.getSource().getBackend());
            }
            assertEquals(0, set.connections().get(0).getLeases());
            int used = set.use(Line::number);
            assertTrue(used > 0);
            assertEquals("BlockingConnectionSet(lines)", set.toString());
        }
        assertEquals(2, connector.opened.get());
    }

    @Test
    @DisplayName("futures lease, work and wait without blocking; a lease that comes too late is ended")
    void futures() throws Exception {
        try (BlockingConnectionSet<Line> set = BlockingConnectionSet.open("lines", resolver, connector, PATIENT)) {
            ConnectionSetFutures<Line> futures = set.futures();
            futures.awaitReady().get();
            futures.awaitReady(2).get();
            try (SetLease<Line> lease = futures.lease().get()) {
                assertEquals(1, lease.getSource().getLeases());
            }
            int number = futures.use(line -> CompletableFuture.completedFuture(line.number())).get();
            assertTrue(number > 0);
            assertEquals(set.set(), futures.set());
            CompletableFuture<Void> work = new CompletableFuture<>();
            CompletableFuture<Void> use = futures.use(line -> work);
            use.cancel(true);
            assertTrue(work.isCancelled());
            SetConnection<Line> first = set.connections().get(0);
            CompletableFuture<Void> removed = ConnectionSetFutures.awaitRemoved(first);
            first.fail(new IOException("reset"));
            removed.get();
            BlockingConnectionSet.awaitRemoved(first);
            assertTrue(first.isRemoved());
            assertNull(first.lease());
            CloseReport report = futures.close(Duration.ZERO).get();
            assertEquals(0, report.getStuck());
            assertEquals(report, futures.close().get());
        }
    }

    @Test
    @DisplayName("changes come as a publisher: added first, removed for each, complete when closed")
    void changes() throws Exception {
        Signals<SetChange<Line>> changes = new Signals<>();
        Signals<SetNotice> notices = new Signals<>();
        Signals<SetSnapshot> snapshots = new Signals<>();
        try (BlockingConnectionSet<Line> set = BlockingConnectionSet.open("lines", resolver, connector, PATIENT)) {
            set.awaitReady(2);
            set.changes().subscribe(changes);
            set.notices().subscribe(notices);
            set.snapshots().subscribe(snapshots);
            assertInstanceOf(SetChange.Added.class, changes.next());
            assertInstanceOf(SetChange.Added.class, changes.next());
            listed.setValue(Set.of(A));
            SetChange.Removed<?> removed = assertInstanceOf(SetChange.Removed.class, changes.next());
            assertEquals(B, removed.getConnection().getBackend());
            assertEquals(Removal.Unlisted, removed.getReason());
            set.close(Duration.ofSeconds(1));
            assertInstanceOf(SetChange.Removed.class, changes.next());
        }
        changes.awaitComplete();
        notices.awaitComplete();
        snapshots.awaitComplete();
        assertTrue(notices.seen().stream().anyMatch(SetNotice.BackendRemoved.class::isInstance));
        assertEquals(PoolSnapshot.Phase.Closed, snapshots.last().getPhase());
    }

    @Test
    @DisplayName("no connection is a PoolException with the cause; an interrupt takes nothing; closed is closed")
    void failures() throws Exception {
        connector.refusing = true;
        BlockingConnectionSet<Line> set = BlockingConnectionSet.open(
                "lines", resolver, connector.toConnector(), HASTY);
        Threads.await(() -> set.snapshot().getBackends().stream().anyMatch(it -> it.getLastError() != null));
        assertNull(set.tryLease());
        PoolException.NoneOnline failure = assertThrows(PoolException.NoneOnline.class, set::lease);
        assertTrue(failure.getMessage().contains("connection refused by"), failure.getMessage());
        assertThrows(PoolException.NotReady.class, set::awaitReady);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, set::lease);
        set.close(Duration.ZERO);
        set.close();
        assertThrows(PoolException.Closed.class, set::tryLease);
    }
}
