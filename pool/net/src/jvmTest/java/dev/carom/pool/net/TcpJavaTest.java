package dev.carom.pool.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlin.jvm.functions.Function1;
import kotlinx.coroutines.BuildersKt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class TcpJavaTest {
    private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

    private final TcpConnector connector =
            new TcpConnector(new TcpPolicyBuilder().closeTimeout(Duration.ofMillis(500)).build());

    @AfterEach
    void leavesNoThread() throws InterruptedException {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (!thread.getName().startsWith("carom-net-selector")) continue;
            thread.join(30_000);
            assertFalse(thread.isAlive(), "selector left");
        }
    }

    @Test
    @DisplayName("a Java caller reads and writes plain streams")
    void streams() throws Exception {
        echoThroughStreams();
    }

    @Test
    @DisplayName("a virtual thread, where there are any, reads and writes plain streams")
    void virtualThread() throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread thread = start(() -> {
            try {
                echoThroughStreams();
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        thread.join();
        assertNull(failure.get());
    }

    @Test
    @DisplayName("the builder has the defaults of the policy, and its bounds")
    void builder() {
        assertEquals(new TcpPolicy().toString(), new TcpPolicyBuilder().build().toString());
        assertNotNull(new TcpConnector());
        TcpPolicy policy = new TcpPolicyBuilder()
                .connectTimeout(Duration.ofMillis(1500))
                .noDelay(false)
                .keepAlive(false)
                .receiveBuffer(2048)
                .sendBuffer(4096)
                .closeTimeout(Duration.ofSeconds(2))
                .quietWhenIdle(true)
                .keepAliveIdle(Duration.ofSeconds(7))
                .keepAliveInterval(Duration.ofSeconds(8))
                .keepAliveCount(9)
                .build();
        assertEquals(
                "TcpPolicy(connectTimeout=1.5s, noDelay=false, keepAlive=false, receiveBuffer=2048, sendBuffer=4096, "
                        + "closeTimeout=2s, quietWhenIdle=true, keepAliveIdle=7s, keepAliveInterval=8s, keepAliveCount=9)",
                policy.toString());
        TcpPolicyBuilder wrong = new TcpPolicyBuilder().connectTimeout(Duration.ZERO);
        assertThrows(IllegalArgumentException.class, wrong::build);
    }

    private void echoThroughStreams() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Backend backend = new Backend("peer", server.getInetAddress().getHostAddress(), server.getLocalPort());
            TcpConnection connection = call(k -> connector.connect(backend, k));
            try (Socket peer = server.accept()) {
                Thread echo = start(() -> echo(peer));
                OutputStream out = connection.outputStream();
                InputStream in = connection.inputStream();
                for (int i = 0; i < 100; i++) {
                    out.write(HELLO);
                    assertArrayEquals(HELLO, in.readNBytes(HELLO.length));
                }
                assertTrue(connection.isOpen());
                this.<Unit>call(k -> connector.close(connection, k));
                assertFalse(connection.isOpen());
                echo.join();
            }
        }
    }

    private static void echo(Socket peer) {
        try {
            peer.getInputStream().transferTo(peer.getOutputStream());
        } catch (IOException e) {
            // This side closed in the middle: the test says what it expects.
        }
    }

    /** A virtual thread, or on JDKs without them a platform thread. */
    private static Thread start(Runnable task) throws ReflectiveOperationException {
        try {
            return (Thread) Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
        } catch (NoSuchMethodException e) {
            Thread thread = new Thread(task);
            thread.start();
            return thread;
        }
    }

    @SuppressWarnings("unchecked")
    private <T> T call(Function1<Continuation<? super T>, Object> suspending) throws InterruptedException {
        return (T) BuildersKt.runBlocking(
                EmptyCoroutineContext.INSTANCE,
                (scope, k) -> suspending.invoke((Continuation<? super T>) (Continuation<?>) k));
    }
}
