package dev.carom.pool.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.Claim;
import dev.carom.pool.PoolException;
import dev.carom.pool.PoolPolicy;
import dev.carom.pool.PoolPolicyBuilder;
import java.time.Duration;
import java.util.Set;
import kotlinx.coroutines.JobKt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** The kit as a Java user's test has it: no clock but the wall's, so nothing here waits for a time to pass. */
@ExtendWith(LeakCheckExtension.class)
@Timeout(60)
class TestkitFromJavaTest {
    private static final Backend A = new Backend("a", "10.0.0.1", 1);
    private static final Backend B = new Backend("b", "10.0.0.2", 1);

    private final FakeBackends network = new FakeBackends();
    private final ScriptedResolver resolver = new ScriptedResolver(A);

    @Test
    @DisplayName("a pool over fakes lends connections that know where they lead, and closes each of them once")
    void lends() throws Exception {
        try (BlockingPool<FakeConnection> pool = open(1)) {
            try (Claim<FakeConnection> claim = pool.claim()) {
                assertEquals(A, claim.getConnection().getBackend());
                claim.getConnection().enter();
                claim.getConnection().leave();
            }
        }
        network.assertAllClosed();
        assertEquals(1, network.on(A).getOpened());
        assertEquals(1, network.on(A).getMostLive());
    }

    @Test
    @DisplayName("a pool follows the script: another backend, and one that refuses")
    void follows() throws Exception {
        network.on(A).refuses();
        try (BlockingPool<FakeConnection> pool = open(2)) {
            resolver.add(B);
            try (Claim<FakeConnection> claim = pool.claim()) {
                assertEquals(B, claim.getBackend());
            }
            resolver.set(Set.of(A));
            assertEquals(Set.of(A), resolver.getBackends());
            network.on(A).accepts();
        }
        network.assertAllClosed();
        assertEquals(0, resolver.getCollectors());
    }

    @Test
    @DisplayName("what a fake was told to fail with is the cause the pool tells")
    void fails() throws Exception {
        network.on(A).refuses();
        PoolPolicy hasty = new PoolPolicyBuilder().claimTimeout(Duration.ofMillis(50)).build();
        try (BlockingPool<FakeConnection> pool = BlockingPool.open("db", resolver, network, hasty)) {
            while (pool.snapshot().getBackends().stream().noneMatch(it -> it.getFailures() > 0)) {
                if (Thread.interrupted()) throw new InterruptedException();
                Thread.yield();
            }
            PoolException.NoneOnline thrown = assertThrows(PoolException.NoneOnline.class, pool::claim);
            assertTrue(thrown.getLastErrors().get(A) instanceof FakeFailure, thrown.toString());
        }
    }

    @Test
    @DisplayName("hooks are there for those who want them")
    void hooks() throws Exception {
        HookedFakeBackends hooked = new HookedFakeBackends();
        PoolPolicy one = new PoolPolicyBuilder().maxSlots(1).spares(1).build();
        hooked.on(A).getAcquire().failsNext(1);
        try (BlockingPool<FakeConnection> pool = BlockingPool.open("db", resolver, hooked, one)) {
            pool.claim().close();
        }
        assertEquals(2, hooked.on(A).getAcquire().getCount());
        hooked.assertAllClosed();
    }

    @Test
    @DisplayName("a zone is written as in a master file, and a server can be told how to treat the next questions")
    void zone() throws Exception {
        try (DnsTestServer dns = new DnsTestServer("127.0.0.1")) {
            dns.setZone(DnsZone.parse("$TTL 5\n_db._tcp.shop.test. SRV 0 1 5432 a.shop.test.\na.shop.test. A 10.0.0.1"));
            dns.next(DnsBehaviour.SERVFAIL, DnsBehaviour.HANG);
            dns.setMostRecords(8);
            dns.setOnQuestion(question -> assertFalse(question.getTcp()));
            assertTrue(dns.getZone().toString().contains("a.shop.test."));
        }
    }

    @Test
    @DisplayName("the extension gives the check to whoever asks for it")
    void watches(LeakCheck leaks) {
        var job = JobKt.Job(null);
        leaks.watch("mine", job);
        assertEquals(1, leaks.leaks().size());
        job.cancel(null);
    }

    private BlockingPool<FakeConnection> open(int slots) {
        PoolPolicy policy = new PoolPolicyBuilder().maxSlots(slots).spares(slots).build();
        return BlockingPool.open("db", resolver, network, policy);
    }
}
