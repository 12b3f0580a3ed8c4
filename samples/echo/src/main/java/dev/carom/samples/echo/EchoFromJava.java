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
import java.util.stream.Stream;

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
            for (long end = System.nanoTime() + 3_000_000_000L; System.nanoTime() < end; Thread.sleep(5)) {
                if (Stream.of(one, two, moved, three).allMatch(it -> it.getOpen() == 0)) return;
            }
            throw new IllegalStateException("leaked: " + List.of(one, two, moved, three));
        }
    }

    private static void follow(BlockingPool<TcpConnection> pool, String change, EchoBackend... expected)
            throws Exception {
        var ports = Arrays.stream(expected).map(EchoBackend::getPort).sorted().toList();
        long start = System.nanoTime();
        while (!pool.snapshot().getBackends().stream().filter(it -> it.getOnline() && it.getActive())
                .map(it -> it.getBackend().getPort()).sorted().toList().equals(ports)) {
            if (System.nanoTime() - start > 2_000_000_000L) throw new IllegalStateException(change + ": " + pool.snapshot());
            var claim = pool.claim();
            try (claim) {
                claim.getConnection().outputStream().write('x');
                if (claim.getConnection().inputStream().read() != 'x') claim.discard();
            } catch (IOException e) {
                claim.discard(e);
            }
        }
        System.out.println(change + ": followed in " + (System.nanoTime() - start) / 1_000_000 + " ms");
    }
}
