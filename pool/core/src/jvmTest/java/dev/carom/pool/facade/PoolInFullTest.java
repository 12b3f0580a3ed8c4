package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.AuthenticationFailed;
import dev.carom.pool.Backend;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.Claim;
import dev.carom.pool.ClaimOptions;
import dev.carom.pool.ClaimOptionsBuilder;
import dev.carom.pool.ClaimOutcome;
import dev.carom.pool.Explanation;
import dev.carom.pool.Fault;
import dev.carom.pool.LeasePolicyBuilder;
import dev.carom.pool.Holder;
import dev.carom.pool.NestedClaims;
import dev.carom.pool.PoolException;
import dev.carom.pool.PoolNotice;
import dev.carom.pool.PoolPolicy;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.QueuePolicies;
import dev.carom.pool.Resolvers;
import dev.carom.pool.Role;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What Kotlin callers can do beyond claiming, done from Java on the real pool. */
@Timeout(60)
class PoolInFullTest {
    private static final Backend PRIMARY = new Backend("primary", "10.0.0.1", 1);
    private static final Backend REPLICA = new Backend("replica", "10.0.0.2", 1);
    private final Database database = new Database();
    private BlockingPool<String> pool;

    /** Connections are the names of their backends. */
    static class Database implements BlockingConnector<String> {
        static class ReadOnly extends RuntimeException {
            private static final long serialVersionUID = 1;
        }

        final AtomicInteger open = new AtomicInteger();
        final Map<String, Role> roles =
                new ConcurrentHashMap<>(Map.of("primary", Role.Primary, "replica", Role.Replica));

        @Override
        public String connect(Backend backend) {
            open.incrementAndGet();
            return new String(backend.getName());
        }

        @Override
        public Role probeRole(String connection) {
            return roles.get(connection);
        }

        @Override
        public Fault classify(Throwable cause) {
            return cause instanceof ReadOnly ? Fault.Demoted : BlockingConnector.super.classify(cause);
        }

        @Override
        public void close(String connection) {
            open.decrementAndGet();
        }
    }

    private BlockingPool<String> open(PoolPolicyBuilder policy) throws InterruptedException {
        PoolPolicy built = policy.spares(4).healthReserve(0).build();
        pool = BlockingPool.open("db", Resolvers.fixedResolver(PRIMARY, REPLICA), database, built);
        pool.awaitReady(4);
        return pool;
    }

    @AfterEach
    void nothingIsLeft() throws InterruptedException {
        assertEquals(0, pool.close(Duration.ZERO).getStuck());
        assertEquals(0, database.open.get());
    }

    @Test
    @DisplayName("options: role, backends, deadline, tags; the refusal explains itself")
    void options() throws Exception {
        open(new PoolPolicyBuilder().maxSlots(4));
        ClaimOptions write = new ClaimOptionsBuilder().role(Role.Primary).tag("request", "7").build();
        ClaimOptions hasty = new ClaimOptionsBuilder().role(Role.Primary).timeout(Duration.ofMillis(50)).build();
        try (Claim<String> one = pool.claim(write);
                Claim<String> two = pool.claim(write)) {
            assertEquals("primary", one.getConnection());
            assertEquals(PRIMARY, two.getBackend());
            PoolException.AllClaimed refusal =
                    assertThrows(PoolException.AllClaimed.class, () -> pool.claim(hasty));
            assertEquals(Map.of("request", "7"), refusal.getHolders().get(0).getTags());
            assertEquals(2, refusal.getExplanation().getBackends().size());
            ClaimOptions other = new ClaimOptionsBuilder().except(PRIMARY).build();
            assertEquals(REPLICA, pool.futures().claim(other).join().getBackend());
        }
        ClaimOptions only = new ClaimOptionsBuilder().only(REPLICA).holder("report").build();
        try (Claim<String> claim = pool.claim(only)) {
            Explanation mine = pool.explain(claim);
            assertEquals("report", mine.getHolders().get(0).getName());
            assertTrue(pool.futures().explain().join().toString().contains("held by \"report\""));
            String later = pool.futures().explain(claim).join().getSummary();
            assertEquals(withoutAge(mine.getSummary()), withoutAge(later));
        }
    }

    /** The second of two looks at a claim finds it older. */
    private static String withoutAge(String summary) {
        int age = summary.lastIndexOf(" for ");
        assertTrue(age > 0, summary);
        return summary.substring(0, age);
    }

    @Test
    @DisplayName("a demoted primary gets no further writes")
    void demoted() throws Exception {
        open(new PoolPolicyBuilder().maxSlots(4).roleInterval(Duration.ofMillis(10)));
        ClaimOptions write = new ClaimOptionsBuilder().role(Role.Primary).build();
        try (Claim<String> claim = pool.claim(write)) {
            database.roles.put("primary", Role.Replica);
            assertEquals(Fault.Demoted, claim.report(new Database.ReadOnly()));
            assertEquals(Fault.Authentication, claim.report(new AuthenticationFailed("expired")));
        }
        database.roles.put("replica", Role.Primary);
        try (Claim<String> claim = pool.claim(write)) {
            assertEquals("replica", claim.getConnection());
            claim.report(ClaimOutcome.Success, 1_000);
            claim.report(ClaimOutcome.Degraded);
            claim.renew();
        }
    }

    @Test
    @DisplayName("by default a nested claim that waits is told, with both places")
    void nestedIsTold() throws Exception {
        open(new PoolPolicyBuilder().maxSlots(4).lease(new LeasePolicyBuilder().sites(1).build()));
        Signals<PoolNotice> notices = new Signals<>();
        pool.notices().subscribe(notices);
        ClaimOptions write = new ClaimOptionsBuilder().role(Role.Primary).build();
        ClaimOptions brief = new ClaimOptionsBuilder().role(Role.Primary).timeout(Duration.ofMillis(20)).build();
        try (Claim<String> outer = pool.claim(write);
                Claim<String> second = pool.claim(write)) {
            Holder holder = pool.explain(outer).getHolders().get(0);
            assertEquals(Thread.currentThread().getName(), holder.getName());
            assertTrue(holder.getSite().contains("nestedIsTold"), holder.getSite());
            assertThrows(PoolException.AllClaimed.class, () -> pool.claim(brief));
            PoolNotice next = notices.next();
            while (!(next instanceof PoolNotice.ClaimNested)) next = notices.next();
            PoolNotice.ClaimNested told = (PoolNotice.ClaimNested) next;
            assertTrue(told.getSite().contains("nestedIsTold"), told.getSite());
            assertEquals(Thread.currentThread().getName(), told.getOuter().getName());
            assertEquals(second.getBackend(), told.getOuter().getBackend());
        }
    }

    @Test
    @DisplayName("a nested claim of the same thread is refused, another thread's is not")
    void nested() throws Exception {
        open(new PoolPolicyBuilder().maxSlots(4)
                .lease(new LeasePolicyBuilder().nested(NestedClaims.Error).build()));
        try (Claim<String> outer = pool.claim()) {
            assertTrue(outer.getAgeMillis() >= 0);
            PoolException.NestedClaim refusal =
                    assertThrows(PoolException.NestedClaim.class, () -> pool.claim());
            assertTrue(refusal.getSite().contains("PoolInFullTest"), refusal.getSite());
            assertTrue(refusal.getOuter().getSite().contains("PoolInFullTest"), refusal.getOuter().getSite());
            Threads.Running<Boolean> other = Threads.start("other", () -> {
                try (Claim<String> claim = pool.claim()) {
                    return claim.getConnection() != null;
                }
            });
            assertTrue(other.result());
            pool.claim(new ClaimOptionsBuilder().allowNested(true).build()).close();
        }
    }

    @Test
    @DisplayName("drain, undrain, evict, limit, pause and resume")
    void motion() throws Exception {
        open(new PoolPolicyBuilder().maxSlots(6).ceiling(8));
        pool.claim(new ClaimOptionsBuilder().only(REPLICA).build()).close();
        assertTrue(pool.drain(REPLICA) > 0);
        for (int i = 0; i < 10; i++) pool.run(connection -> assertEquals("primary", connection));
        assertTrue(pool.health().getLive() && pool.health().getReady(), pool.health().toString());
        pool.undrain(REPLICA);
        assertEquals(0, pool.futures().drain(new Backend("unknown", "10.0.0.3", 1)).join());
        pool.evict();
        pool.evict(PRIMARY);
        pool.limit(2, 8);
        assertThrows(IllegalArgumentException.class, () -> pool.limit(2, 9));
        pool.pause();
        ClaimOptions hasty = new ClaimOptionsBuilder().timeout(Duration.ofMillis(20)).build();
        assertThrows(PoolException.class, () -> pool.claim(hasty));
        pool.claim(new ClaimOptionsBuilder().reserved(true).build()).close();
        assertNull(pool.tryClaim());
        assertFalse(pool.health().getReady());
        pool.resume();
        pool.claim().close();
    }

    @Test
    @DisplayName("FailFast refuses without waiting, a future too")
    void failFast() throws Exception {
        open(new PoolPolicyBuilder().maxSlots(4).queue(QueuePolicies.failFast()));
        Set<Claim<String>> held = Set.of(pool.claim(), pool.claim(), pool.claim(), pool.claim());
        assertThrows(PoolException.AllClaimed.class, () -> pool.claim());
        CompletionException later =
                assertThrows(CompletionException.class, () -> pool.futures().claim().join());
        assertTrue(later.getCause() instanceof PoolException.AllClaimed);
        held.forEach(Claim::close);
        assertFalse(pool.snapshot().getPaused());
    }
}
