package dev.carom.pool.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.carom.pool.Backend;
import dev.carom.pool.testkit.DnsTestServer;
import dev.carom.pool.testkit.DnsZone;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlinx.coroutines.BuildersKt;
import kotlinx.coroutines.flow.FlowKt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

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

    @SuppressWarnings("unchecked")
    private static Set<Backend> first(DnsResolver resolver) throws InterruptedException {
        return BuildersKt.runBlocking(
                EmptyCoroutineContext.INSTANCE,
                (scope, k) ->
                        FlowKt.first(resolver.backends(), (Continuation<? super Set<Backend>>) (Continuation<?>) k));
    }
}
