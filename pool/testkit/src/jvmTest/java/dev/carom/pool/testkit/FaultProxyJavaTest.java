package dev.carom.pool.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class FaultProxyJavaTest {
    @Test
    @DisplayName("a Java test switches faults and reads counts")
    void fromJava() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                FaultProxy proxy = new FaultProxy((InetSocketAddress) server.getLocalSocketAddress())) {
            try (Socket client = new Socket(proxy.getAddress().getAddress(), proxy.getPort());
                    Socket peer = server.accept()) {
                proxy.setFault(Fault.slow(1_000_000));
                client.getOutputStream().write(42);
                assertEquals(42, peer.getInputStream().read());
                assertEquals(1, proxy.getBytesToTarget());
                proxy.getConnections().get(0).setFault(Fault.BLACK_HOLE);
                proxy.reset();
                assertThrows(IOException.class, () -> client.getInputStream().read());
            }
        }
    }
}
