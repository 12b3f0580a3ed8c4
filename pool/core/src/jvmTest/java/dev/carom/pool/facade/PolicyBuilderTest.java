package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.BackendChoice;
import dev.carom.pool.BackoffPolicy;
import dev.carom.pool.BackoffPolicyBuilder;
import dev.carom.pool.LeasePolicy;
import dev.carom.pool.LeasePolicyBuilder;
import dev.carom.pool.NestedClaims;
import dev.carom.pool.OutlierPolicy;
import dev.carom.pool.OutlierPolicyBuilder;
import dev.carom.pool.PlacementPolicy;
import dev.carom.pool.PlacementPolicyBuilder;
import dev.carom.pool.PoolPolicy;
import dev.carom.pool.PoolPolicyBuilder;
import dev.carom.pool.QueuePolicies;
import dev.carom.pool.Retention;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class PolicyBuilderTest {
    /** The Kotlin properties of a class, by its getters; those of inline-class type are mangled. */
    private static Set<String> properties(Class<?> policy) {
        return Arrays.stream(policy.getMethods())
                .map(Method::getName)
                .filter(name -> name.startsWith("get") && !name.equals("getClass"))
                .map(name -> name.substring(3, 4).toLowerCase(Locale.ROOT) + name.substring(4).replaceAll("-.*", ""))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void assertComplete(Class<?> policy, Class<?> builder) throws NoSuchMethodException {
        Set<String> properties = properties(policy);
        assertTrue(properties.size() >= 4, properties.toString());
        for (String property : properties) {
            Class<?> type = builder.getMethod(property).getReturnType();
            assertEquals(builder, builder.getMethod(property, type).getReturnType());
        }
        Set<String> own = Arrays.stream(builder.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers()))
                .map(Method::getName)
                .filter(name -> !name.equals("build"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(properties, own);
    }

    @Test
    @DisplayName("each property of the policies can be set and got")
    void complete() throws NoSuchMethodException {
        assertComplete(PoolPolicy.class, PoolPolicyBuilder.class);
        assertComplete(BackoffPolicy.class, BackoffPolicyBuilder.class);
        assertComplete(LeasePolicy.class, LeasePolicyBuilder.class);
        assertComplete(OutlierPolicy.class, OutlierPolicyBuilder.class);
        assertComplete(PlacementPolicy.class, PlacementPolicyBuilder.class);
    }

    @Test
    @DisplayName("the defaults are Kotlin's")
    void defaults() {
        assertEquals(new PoolPolicy().toString(), new PoolPolicyBuilder().build().toString());
        assertEquals(new BackoffPolicy().toString(), new BackoffPolicyBuilder().build().toString());
        assertEquals(new LeasePolicy().toString(), new LeasePolicyBuilder().build().toString());
        assertEquals(new OutlierPolicy().toString(), new OutlierPolicyBuilder().build().toString());
        assertEquals(new PlacementPolicy().toString(), new PlacementPolicyBuilder().build().toString());
        assertEquals(100, new PoolPolicyBuilder().maxSlots(100).build().getCeiling());
        assertEquals(Duration.ofSeconds(30), new PoolPolicyBuilder().claimTimeout());
    }

    @Test
    @DisplayName("every value set is the value got, from the builder and from the policy")
    void everyValue() {
        BackoffPolicyBuilder backoff = new BackoffPolicyBuilder()
                .start(Duration.ofMillis(1)).max(Duration.ofMillis(2)).jitter(0.25).memory(Duration.ofMillis(3));
        assertEquals("BackoffPolicy(start=1ms, max=2ms, jitter=0.25, memory=3ms)", backoff.build().toString());
        assertEquals(backoff.build().toString(), BackoffPolicyBuilder.from(backoff.build()).build().toString());
        PoolPolicy policy = new PoolPolicyBuilder()
                .spares(1).maxSlots(2).maxSlotsPerBackend(3)
                .claimTimeout(Duration.ofSeconds(4)).connectTimeout(Duration.ofSeconds(5))
                .acquireTimeout(Duration.ofSeconds(6)).checkTimeout(Duration.ofSeconds(7))
                .recycleTimeout(Duration.ofSeconds(8)).closeTimeout(Duration.ofNanos(9_000_001))
                .connectParallelism(10).healthInterval(Duration.ofSeconds(11)).healthReserve(2)
                .backoff(backoff.build()).maxLifetime(Duration.ofSeconds(14)).lifetimeJitter(0.15)
                .rebalanceInterval(Duration.ofSeconds(16)).shrinkInterval(Duration.ofSeconds(17)).noticeBuffer(18)
                .maxWaiters(19).queue(QueuePolicies.controlledDelay(Duration.ofMillis(20), Duration.ofMillis(21)))
                .reserved(1).ceiling(22).connectRate(23.5).authBackoff(backoff.build())
                .idleTimeout(Duration.ofSeconds(24)).drainTimeout(Duration.ofSeconds(25)).retention(Retention.WhileUp)
                .roleInterval(Duration.ofSeconds(26))
                .lease(new LeasePolicyBuilder().warnAfter(Duration.ofSeconds(27)).abortAfter(Duration.ofSeconds(28))
                        .sites(29).nested(NestedClaims.Error).build())
                .outlier(new OutlierPolicyBuilder().failuresInARow(30).failureShare(0.31).minimumReports(32)
                        .interval(Duration.ofSeconds(33)).ejection(Duration.ofSeconds(34))
                        .maxEjection(Duration.ofSeconds(35)).maxEjected(0.36).build())
                .placement(new PlacementPolicyBuilder().zone("z37").spillBelow(0.38).hold(Duration.ofSeconds(39))
                        .subset(40).decoherence(Duration.ofSeconds(41)).choice(BackendChoice.LeastLatency)
                        .slowStart(Duration.ofSeconds(42)).build())
                .build();
        assertEquals("PoolPolicy(spares=1, maxSlots=2, maxSlotsPerBackend=3, claimTimeout=4s, connectTimeout=5s, "
                + "acquireTimeout=6s, checkTimeout=7s, recycleTimeout=8s, closeTimeout=9.000001ms, "
                + "connectParallelism=10, healthInterval=11s, healthReserve=2, backoff=" + backoff.build()
                + ", maxLifetime=14s, lifetimeJitter=0.15, rebalanceInterval=16s, shrinkInterval=17s, "
                + "maxWaiters=19, queue=ControlledDelay(target=20ms, interval=21ms), reserved=1, ceiling=22, "
                + "connectRate=23.5, authBackoff=" + backoff.build() + ", idleTimeout=24s, drainTimeout=25s, "
                + "retention=WhileUp, roleInterval=26s, "
                + "lease=LeasePolicy(warnAfter=27s, abortAfter=28s, sites=29, nested=Error), "
                + "outlier=OutlierPolicy(failuresInARow=30, failureShare=0.31, minimumReports=32, interval=33s, "
                + "ejection=34s, maxEjection=35s, maxEjected=0.36), "
                + "placement=PlacementPolicy(zone=z37, spillBelow=0.38, hold=39s, subset=40, decoherence=41s, "
                + "choice=LeastLatency, slowStart=42s), noticeBuffer=18)", policy.toString());
        LeasePolicy lease = LeasePolicyBuilder.from(policy.getLease()).build();
        OutlierPolicy outlier = OutlierPolicyBuilder.from(policy.getOutlier()).build();
        PlacementPolicy placement = PlacementPolicyBuilder.from(policy.getPlacement()).build();
        assertEquals(policy.getLease().toString(), lease.toString());
        assertEquals(policy.getOutlier().toString(), outlier.toString());
        assertEquals(policy.getPlacement().toString(), placement.toString());
        assertEquals(policy.toString(), PoolPolicyBuilder.from(policy).build().toString());
    }

    @Test
    @DisplayName("infinite is INFINITE, and whatever is too long to count")
    void infinite() {
        PoolPolicy policy = new PoolPolicyBuilder()
                .claimTimeout(PoolPolicyBuilder.INFINITE).healthInterval(ChronoUnit.FOREVER.getDuration()).build();
        assertTrue(policy.toString().contains("claimTimeout=Infinity"), policy.toString());
        assertTrue(policy.toString().contains("healthInterval=Infinity"), policy.toString());
        assertEquals(PoolPolicyBuilder.INFINITE, PoolPolicyBuilder.from(policy).claimTimeout());
        assertEquals(PoolPolicyBuilder.INFINITE, PoolPolicyBuilder.from(policy).healthInterval());
    }

    @Test
    @DisplayName("a value out of bounds is refused by build, with the value; null at once")
    void bounds() {
        PoolPolicyBuilder builder = new PoolPolicyBuilder().closeTimeout(PoolPolicyBuilder.INFINITE);
        String message = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertTrue(message.contains("closeTimeout must be finite"), message);
        assertThrows(NullPointerException.class, () -> builder.claimTimeout(null));
    }
}
