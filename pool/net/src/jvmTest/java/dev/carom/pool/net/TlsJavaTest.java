package dev.carom.pool.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.PoolPolicy;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.Resolvers;
import dev.carom.pool.Secret;
import dev.carom.pool.testkit.TestCertificates;
import dev.carom.pool.testkit.TestIdentity;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TlsJavaTest {
    private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

    @Test
    @DisplayName("a blocking pool over mutual TLS, with keys from files, reads and writes plain streams")
    void mutualTls(@TempDir Path directory) throws Exception {
        TestCertificates authority = new TestCertificates("Shop CA");
        Path ca = directory.resolve("ca.pem");
        Path key = directory.resolve("client.p12");
        authority.writePem(ca);
        authority.issue("client").writePkcs12(key, "pw");
        TlsPolicy tls = new TlsPolicyBuilder()
                .trust(TlsTrust.pem(ca))
                .key(TlsKey.pkcs12(key, Secret.of("pw")))
                .protocols("TLSv1.3")
                .handshakeTimeout(Duration.ofSeconds(40))
                .build();
        TestIdentity server = authority.issue("db.shop.test");
        try (SSLServerSocket listening = (SSLServerSocket) server.sslContext(authority.getCertificate())
                .getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            listening.setNeedClientAuth(true);
            Thread accepting = new Thread(() -> accept(listening));
            accepting.start();
            Backend backend = new Backend("db.shop.test", "127.0.0.1", listening.getLocalPort());
            // The first handshake of a JVM loads much; it is part of the connect.
            PoolPolicy patient = new PoolPolicyBuilder()
                    .connectTimeout(Duration.ofSeconds(50))
                    .claimTimeout(Duration.ofSeconds(55))
                    .build();
            try (BlockingPool<TcpConnection> pool = BlockingPool.open(
                    "java", Resolvers.fixedResolver(backend), new TcpConnector(new TcpPolicy(), tls), patient)) {
                pool.use(connection -> {
                    assertEquals("TLSv1.3", connection.getTlsSession().getProtocol());
                    assertEquals("CN=db.shop.test", connection.getTlsSession().getPeerPrincipal());
                    connection.outputStream().write(HELLO);
                    connection.outputStream().flush();
                    assertArrayEquals(HELLO, connection.inputStream().readNBytes(HELLO.length));
                    return null;
                });
            }
        }
    }

    private static void accept(SSLServerSocket listening) {
        while (!listening.isClosed()) {
            try {
                Socket peer = listening.accept();
                new Thread(() -> echo(peer)).start();
            } catch (IOException e) {
                return;
            }
        }
    }

    private static void echo(Socket peer) {
        try (peer) {
            peer.getInputStream().transferTo(peer.getOutputStream());
        } catch (IOException e) {
            // The pool has closed: the test says what it expects.
        }
    }

    @Test
    @DisplayName("the builder has the defaults of the policy, and its bounds")
    void builder() {
        assertEquals(new TlsPolicy().toString(), new TlsPolicyBuilder().build().toString());
        AtomicInteger told = new AtomicInteger();
        TlsListener listener = new TlsListener() {
            @Override
            public void reloaded(String source) {
                told.incrementAndGet();
            }
        };
        TestCertificates authority = new TestCertificates("Shop CA");
        TestIdentity identity = authority.issue("db.shop.test");
        TlsPolicy policy = new TlsPolicyBuilder()
                .trust(TlsTrust.certificates(List.of(authority.getCertificate())))
                .key(TlsKey.of(identity.getChain(), identity.getPrivateKey()))
                .protocols("TLSv1.2")
                .verifyHost(false)
                .alpn("h2", "http/1.1")
                .clientAuth(TlsClientAuth.WANT)
                .handshakeTimeout(Duration.ofSeconds(1))
                .refusalTimeout(Duration.ZERO)
                .reloadInterval(Duration.ofSeconds(3))
                .listener(listener)
                .build();
        assertEquals(
                "TlsPolicy(trust=given(1 certificates), key=given(CN=db.shop.test), protocols=[TLSv1.2], "
                        + "verifyHost=false, alpn=[h2, http/1.1], clientAuth=WANT, handshakeTimeout=1s, "
                        + "refusalTimeout=0s, reloadInterval=3s)",
                policy.toString());
        policy.getListener().reloaded("file");
        policy.getListener().reloadFailed("file", new IOException());
        assertEquals(1, told.get());
        assertFalse(policy.getVerifyHost());
        assertEquals(policy, new TlsEngine(policy).getPolicy());
        TlsPolicyBuilder wrong = new TlsPolicyBuilder().protocols("SSLv3");
        assertThrows(IllegalArgumentException.class, wrong::build);
    }
}
