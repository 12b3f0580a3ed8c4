package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.BackoffPolicy;
import dev.carom.pool.BackoffPolicyBuilder;
import dev.carom.pool.PoolPolicy;
import dev.carom.pool.PoolPolicyBuilder;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
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
                .map(name -> name.substring(3, 4).toLowerCase() + name.substring(4).replaceAll("-.*", ""))
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
    }

    @Test
    @DisplayName("the defaults are Kotlin's")
    void defaults() {
        assertEquals(new PoolPolicy().toString(), new PoolPolicyBuilder().build().toString());
        assertEquals(new BackoffPolicy().toString(), new BackoffPolicyBuilder().build().toString());
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
                .build();
        assertEquals("PoolPolicy(spares=1, maxSlots=2, maxSlotsPerBackend=3, claimTimeout=4s, connectTimeout=5s, "
                + "acquireTimeout=6s, checkTimeout=7s, recycleTimeout=8s, closeTimeout=9.000001ms, "
                + "connectParallelism=10, healthInterval=11s, healthReserve=2, backoff=" + backoff.build()
                + ", maxLifetime=14s, lifetimeJitter=0.15, rebalanceInterval=16s, shrinkInterval=17s, "
                + "noticeBuffer=18)", policy.toString());
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
