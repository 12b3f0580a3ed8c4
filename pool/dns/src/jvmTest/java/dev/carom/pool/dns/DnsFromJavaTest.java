package dev.carom.pool.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.PoolPolicy;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.testkit.DnsTestServer;
import dev.carom.pool.testkit.DnsZone;
import dev.carom.pool.testkit.FakeBackends;
import dev.carom.pool.testkit.FakeConnection;
import dev.carom.pool.testkit.LeakCheckExtension;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlinx.coroutines.BuildersKt;
import kotlinx.coroutines.flow.FlowKt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheckExtension.class)
class DnsFromJavaTest {
    @Test
    @DisplayName("a resolver is built, told its numbers and heard, all from Java")
    void resolves() throws InterruptedException {
        try (DnsTestServer dns = new DnsTestServer()) {
            dns.setZone(new DnsZone().ttl(5).instance("_db._tcp.shop.test", "a.shop.test", "10.0.0.1", 5432));
            List<DnsNotice> notices = new CopyOnWriteArrayList<>();
            DnsResolver resolver = new DnsResolverBuilder("shop.test")
                    .service("_db._tcp")
                    .config(new DnsConfig(List.of(dns.getAddress())))
                    .policy(new DnsPolicyBuilder()
                            .serverTimeout(Duration.ofSeconds(5))
                            .serveStaleFor(ChronoUnit.FOREVER.getDuration())
                            .build())
                    .listener(notices::add)
                    .build();
            assertEquals(Set.of(new Backend("a.shop.test", "10.0.0.1", 5432)), first(resolver));
            assertEquals(new DnsNotice.Asked(new DnsQuestion("_db._tcp.shop.test", DnsType.SRV)), notices.get(0));
            assertEquals(DnsNotice.Ended.INSTANCE, notices.get(notices.size() - 1));
        }
    }

    @Test
    @DisplayName("a number out of bounds is refused with its name, its value and the bound")
    void refuses() {
        DnsPolicyBuilder builder = new DnsPolicyBuilder().attempts(11);
        Exception refused = assertThrows(IllegalArgumentException.class, builder::build);
        assertEquals("attempts must be in 1..10, was 11", refused.getMessage());
    }

    @Test
    @DisplayName("the system's files are read, and what is in the hosts file is asked of nobody")
    void files() throws InterruptedException {
        DnsConfig config = DnsConfig.parse(
                "nameserver 127.0.0.53\nsearch a.test b.test\noptions ndots:5 rotate timeout:3 attempts:4",
                "10.0.0.7 Shop.Test");
        assertEquals(List.of("a.test", "b.test"), config.getSearch());
        assertEquals(5, config.getNdots());
        assertTrue(config.getRotate());
        assertEquals(3, config.getTimeoutSeconds());
        assertEquals(4, config.getAttempts());
        assertEquals(Map.of("shop.test", List.of("10.0.0.7")), config.getHosts());
        assertEquals(53, config.getServers().get(0).getPort());
        DnsResolver resolver = new DnsResolverBuilder("shop.test").defaultPort(80).config(config).build();
        assertEquals(Set.of(new Backend("shop.test", "10.0.0.7", 80)), first(resolver));
    }

    @Test
    @DisplayName("removal is gated by the health a pool knows, and what DNS does is counted")
    void removal() throws Exception {
        try (DnsTestServer dns = new DnsTestServer()) {
            // So long that nothing is asked a second time, however busy the machine is.
            dns.setZone(new DnsZone().ttl(250).address("shop.test", "10.0.0.1"));
            PoolHealth health = new PoolHealth();
            DnsCounter counter = new DnsCounter();
            DnsResolver resolver = new DnsResolverBuilder("shop.test.")
                    .defaultPort(80)
                    .servers(List.of(dns.getAddress()))
                    .policy(new DnsPolicyBuilder()
                            .serverTimeout(Duration.ofSeconds(14))
                            .removal(RemovalPolicy.HEALTH_GATED)
                            .maxKept(100)
                            .build())
                    .listener(counter)
                    .health(health)
                    .build();
            FakeBackends network = new FakeBackends();
            PoolPolicy policy = new PoolPolicyBuilder().build();
            try (BlockingPool<FakeConnection> pool = BlockingPool.open("shop", resolver, network, policy)) {
                health.follow(pool::snapshot);
                pool.awaitReady();
                assertTrue(health.isHealthy(new Backend("shop.test", "10.0.0.1", 80)));
            }
            DnsCounts counts = counter.getCounts();
            assertEquals(2, counts.getQuestions());
            assertEquals(1, counts.getRecords());
            assertEquals(1, counts.getNoData());
            assertEquals(1, counts.getBackends());
            assertEquals(250L, counts.getTtlSeconds());
            assertEquals("the answers of round 1", counts.getLastChange());
            network.assertAllClosed();
        }
    }

    @Test
    @DisplayName("every removal policy can be named, and one that needs somebody who knows the health says so")
    void policies() {
        assertEquals("after 3 misses", new RemovalPolicy.AfterMisses(3).toString());
        assertEquals("never", RemovalPolicy.NEVER.toString());
        assertEquals("immediate", RemovalPolicy.IMMEDIATE.toString());
        DnsResolverBuilder builder = new DnsResolverBuilder("shop.test")
                .defaultPort(80)
                .policy(new DnsPolicyBuilder().removal(RemovalPolicy.HEALTH_GATED).build());
        Exception refused = assertThrows(IllegalArgumentException.class, builder::build);
        assertEquals("\"shop.test\" needs a BackendHealth: its removal policy is HealthGated", refused.getMessage());
    }

    @SuppressWarnings("unchecked")
    private static Set<Backend> first(DnsResolver resolver) throws InterruptedException {
        return BuildersKt.runBlocking(
                EmptyCoroutineContext.INSTANCE,
                (scope, k) ->
                        FlowKt.first(resolver.backends(), (Continuation<? super Set<Backend>>) (Continuation<?>) k));
    }
}
