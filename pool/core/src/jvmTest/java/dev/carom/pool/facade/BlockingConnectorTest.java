package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.Connector;
import dev.carom.pool.internal.HookedConnector;
import dev.carom.pool.internal.Hooks;
import dev.carom.pool.internal.JavaCalls;
import dev.carom.pool.internal.JavaFutures;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import kotlin.Unit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockingConnectorTest {
    private static final Backend BACKEND = new Backend("db", "10.0.0.1", 1);

    /** Only what must be implemented. */
    static class Plain implements BlockingConnector<String> {
        final AtomicInteger closed = new AtomicInteger();
        final CountDownLatch closedOnce = new CountDownLatch(1);
        volatile Thread thread = Thread.currentThread();

        @Override
        public String connect(Backend backend) throws Exception {
            thread = Thread.currentThread();
            return backend.getName();
        }

        @Override
        public void close(String connection) throws Exception {
            closed.incrementAndGet();
            closedOnce.countDown();
        }
    }

    /** Every hook, each written down. */
    static class Full extends Plain {
        final StringBuffer calls = new StringBuffer();
        final CompletableFuture<String> peer = new CompletableFuture<>();

        @Override
        public boolean isValid(String connection) {
            calls.append("isValid ");
            return false;
        }

        @Override
        public void onAcquire(String connection) {
            calls.append("onAcquire ");
        }

        @Override
        public void onRecycle(String connection) {
            calls.append("onRecycle ");
        }

        @Override
        public CompletionStage<?> whenClosed(String connection) {
            return peer;
        }
    }

    private static Stream<String> hooks(BlockingConnector<String> connector) {
        Hooks hooks = ((HookedConnector<String>) connector.toConnector()).getHooks();
        Stream<String> all = Stream.of(
                hooks.getAcquire() ? "onAcquire" : "",
                hooks.getRecycle() ? "onRecycle" : "",
                hooks.getValid() ? "isValid" : "",
                hooks.getRole() ? "probeRole" : "");
        return all.filter(hook -> !hook.isEmpty());
    }

    @Test
    @DisplayName("calls run on another thread, and their results come back")
    void calls() throws Exception {
        Full full = new Full();
        Connector<String> connector = full.toConnector();
        String connection = JavaCalls.call(k -> connector.connect(BACKEND, k));
        assertEquals("db", connection);
        assertNotEquals(Thread.currentThread(), full.thread);
        assertFalse(JavaCalls.<Boolean>call(k -> connector.isValid(connection, k)));
        JavaCalls.<Unit>call(k -> connector.onAcquire(connection, k));
        JavaCalls.<Unit>call(k -> connector.onRecycle(connection, k));
        JavaCalls.<Unit>call(k -> connector.close(connection, k));
        assertEquals("isValid onAcquire onRecycle ", full.calls.toString());
        assertEquals(1, full.closed.get());
        assertTrue(JavaCalls.<Boolean>call(k -> new Plain().toConnector().isValid(connection, k)));
    }

    @Test
    @DisplayName("the adapter has the hooks its connector overrides, and no others")
    void onlyOverriddenHooks() {
        assertEquals("[]", hooks(new Plain()).toList().toString());
        assertEquals("[onAcquire, onRecycle, isValid]", hooks(new Full()).toList().toString());
        assertEquals("[onAcquire]", hooks(new Plain() {
            @Override
            public void onAcquire(String connection) {}
        }).toList().toString());
        assertEquals("[onRecycle]", hooks(new Plain() {
            @Override
            public void onRecycle(String connection) {}
        }).toList().toString());
    }

    @Test
    @DisplayName("a failure to connect is the failure itself, and nothing is closed")
    void connectFails() {
        IOException failure = new IOException("refused");
        Plain failing = new Plain() {
            @Override
            public String connect(Backend backend) throws IOException {
                throw failure;
            }
        };
        Connector<String> connector = failing.toConnector();
        IOException thrown =
                assertThrows(IOException.class, () -> JavaCalls.<String>call(k -> connector.connect(BACKEND, k)));
        assertEquals("refused", thrown.getMessage());
        assertEquals(0, failing.closed.get());
    }

    @Test
    @DisplayName("no connection is a failure, not a connection")
    void connectsToNothing() {
        Connector<String> connector = new Plain() {
            @Override
            public String connect(Backend backend) {
                return null;
            }
        }.toConnector();
        assertThrows(NullPointerException.class, () -> JavaCalls.<String>call(k -> connector.connect(BACKEND, k)));
    }

    @Test
    @DisplayName("calls run on virtual threads where these do not pin their carrier")
    void virtualThreads() throws Exception {
        assumeTrue(Runtime.version().feature() >= 24, "virtual threads that may block in synchronized");
        Plain plain = new Plain();
        Connector<String> connector = plain.toConnector();
        JavaCalls.<String>call(k -> connector.connect(BACKEND, k));
        assertEquals(true, Thread.class.getMethod("isVirtual").invoke(plain.thread));
    }

    @Test
    @DisplayName("cancelling interrupts the thread that connects")
    void interrupts() throws Exception {
        CountDownLatch connecting = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        Plain hanging = new Plain() {
            @Override
            public String connect(Backend backend) throws InterruptedException {
                connecting.countDown();
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    interrupted.countDown();
                    throw e;
                }
                return "never";
            }
        };
        Connector<String> connector = hanging.toConnector();
        CompletableFuture<String> future = JavaFutures.startFuture(late -> {}, k -> connector.connect(BACKEND, k));
        connecting.await();
        future.cancel(true);
        interrupted.await();
        assertEquals(0, hanging.closed.get());
    }

    @Test
    @DisplayName("a connection that is there as the cancel comes is closed, once")
    void connectedTooLate() throws Exception {
        CountDownLatch connecting = new CountDownLatch(1);
        Plain deaf = new Plain() {
            @Override
            public String connect(Backend backend) {
                connecting.countDown();
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    return "late";
                }
                return "never";
            }
        };
        Connector<String> connector = deaf.toConnector();
        CompletableFuture<String> late = new CompletableFuture<>();
        CompletableFuture<String> future = JavaFutures.startFuture(late::complete, k -> connector.connect(BACKEND, k));
        connecting.await();
        future.cancel(true);
        deaf.closedOnce.await();
        assertEquals(1, deaf.closed.get());
        assertFalse(late.isDone());
    }

    @Test
    @DisplayName("connects that race with cancels leave nothing open")
    void connectRaces() throws Exception {
        AtomicInteger opened = new AtomicInteger();
        Plain quick = new Plain() {
            @Override
            public String connect(Backend backend) {
                return "connection " + opened.incrementAndGet();
            }
        };
        Connector<String> connector = quick.toConnector();
        int returned = 0;
        for (int round = 0; round < 300; round++) {
            if (Cancelling.connectsAlthoughCancelled(connector, BACKEND)) returned++;
            assertEquals(opened.get(), quick.closed.get() + returned);
        }
    }

    @Test
    @DisplayName("awaitClosed ends with the user's stage, and does not cancel it")
    void whenClosed() throws Exception {
        Full full = new Full();
        Connector<String> connector = full.toConnector();
        CompletableFuture<Unit> first = JavaFutures.startFuture(late -> {}, k -> connector.awaitClosed("db", k));
        CompletableFuture<Unit> second = JavaFutures.startFuture(late -> {}, k -> connector.awaitClosed("db", k));
        first.cancel(true);
        assertFalse(full.peer.isDone());
        full.peer.completeExceptionally(new IOException("reset"));
        // Not the same object: coroutines copy an exception to show both stacks.
        assertInstanceOf(IOException.class, second.handle((none, failure) -> failure).join());
    }
}
