package dev.carom.samples.echo;

import dev.carom.pool.BlockingPool;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.dns.DnsPolicyBuilder;
import dev.carom.pool.dns.DnsResolverBuilder;
import dev.carom.pool.net.TcpConnection;
import dev.carom.pool.net.TcpConnector;
import dev.carom.pool.testkit.DnsBehaviour;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** The main job in short: a pool follows its backends while it works. Ends with an exception if it does not. */
public final class EchoFromJava {
    private EchoFromJava() {}

    public static void main(String[] args) throws Exception {
        var often = new DnsPolicyBuilder().minInterval(Duration.ofMillis(200)).retryStart(Duration.ofMillis(200))
                .retryMax(Duration.ofSeconds(1)).build();
        try (var zone = new EchoZone(); var one = new EchoBackend("echo1"); var two = new EchoBackend("echo2");
                var moved = new EchoBackend("echo2"); var three = new EchoBackend("echo3")) {
            zone.list(one);
            var resolver = new DnsResolverBuilder(EchoZone.NAME).service(EchoZone.SERVICE)
                    .servers(List.of(zone.getAddress())).policy(often).build();
            var policy = new PoolPolicyBuilder().spares(4).maxSlots(8).build();
            try (var pool = BlockingPool.open("echo-java", resolver, new TcpConnector(), policy)) {
                follow(pool, "open with 1", one);
                zone.list(one, two, three);
                follow(pool, "grow to 3", one, two, three);
                zone.list(one, moved, three);
                follow(pool, "move one", one, moved, three);
                zone.setBehaviour(DnsBehaviour.SERVFAIL);
                three.kill();
                follow(pool, "kill one while DNS fails", one, moved);
                zone.setBehaviour(DnsBehaviour.ANSWER);
                zone.list(moved);
                follow(pool, "shrink to 1", moved);
            }
            if (List.of(one, two, moved, three).stream().anyMatch(it -> !it.awaitNoneOpen())) {
                throw new IllegalStateException("leaked: " + List.of(one, two, moved, three));
            }
        }
    }

    private static void follow(BlockingPool<TcpConnection> pool, String change, EchoBackend... expected)
            throws InterruptedException {
        var ports = Arrays.stream(expected).map(EchoBackend::getPort).sorted().toList();
        long start = System.nanoTime();
        while (!pool.snapshot().getBackends().stream().filter(it -> it.getOnline() && it.getActive())
                .map(it -> it.getBackend().getPort()).sorted().toList().equals(ports)) {
            if (System.nanoTime() - start > 60e9) throw new IllegalStateException(change + ": " + pool.snapshot());
            try {
                pool.use(connection -> { connection.outputStream().write('x'); return connection.inputStream().read(); });
            } catch (IOException e) { /* it was in use on the backend that died */ }
        }
        System.out.println(change + ": followed in " + (System.nanoTime() - start) / 1_000_000 + " ms");
    }
}
