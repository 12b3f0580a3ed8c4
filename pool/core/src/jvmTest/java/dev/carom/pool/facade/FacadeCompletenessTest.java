package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.BackoffPolicyBuilder;
import dev.carom.pool.BlockingConnector;
import dev.carom.pool.BlockingPool;
import dev.carom.pool.BlockingResolver;
import dev.carom.pool.Connector;
import dev.carom.pool.Pool;
import dev.carom.pool.PoolFutures;
import dev.carom.pool.PoolPolicyBuilder;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kotlin.coroutines.Continuation;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class FacadeCompletenessTest {
    private static final List<Class<?>> FACADES = List.of(
            BlockingPool.class,
            BlockingPool.Work.class,
            BlockingPool.Task.class,
            PoolFutures.class,
            PoolPolicyBuilder.class,
            BackoffPolicyBuilder.class,
            BlockingConnector.class,
            BlockingResolver.class);

    /** Kotlin's properties read like methods in Java; milliseconds are a Duration. */
    private static final Map<String, String> RENAMED = Map.of(
            "getName()", "name()",
            "getPolicy()", "policy()",
            "getSnapshot()", "snapshots()",
            "getNotices()", "notices()",
            "close(long)", "close(Duration)");

    /** What never waits needs no future: it is on {@code PoolFutures.pool()}. */
    private static final Set<String> NOT_IN_FUTURES =
            Set.of("name()", "policy()", "snapshots()", "notices()", "tryClaim()", "tryClaim(String)", "undrain(Backend)", "health()",
                    "evict()", "evict(Backend)", "pause()", "resume()", "limit(int, int)");

    /** A watch that blocks costs a thread for each connection: {@code whenClosed} is a stage. */
    private static final Map<String, String> RENAMED_IN_CONNECTOR = Map.of("awaitClosed(Object)", "whenClosed(Object)");

    private static Set<String> signatures(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                .map(FacadeCompletenessTest::signature)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String signature(Method method) {
        return method.getName() + Arrays.stream(method.getParameterTypes())
                .filter(parameter -> parameter != Continuation.class)
                .map(Class::getSimpleName)
                .collect(Collectors.joining(", ", "(", ")"));
    }

    private static Set<String> expected(Class<?> type, Map<String, String> renamed) {
        Set<String> expected = signatures(type).stream()
                .map(signature -> renamed.getOrDefault(signature, signature))
                .collect(Collectors.toCollection(TreeSet::new));
        assertFalse(expected.isEmpty());
        return expected;
    }

    private static void assertHasAll(Class<?> facade, Set<String> expected) {
        expected.removeAll(signatures(facade));
        assertEquals(Set.of(), expected, facade.getSimpleName() + " lacks these");
    }

    @Test
    @DisplayName("BlockingPool has all that Pool has")
    void blockingPool() {
        assertHasAll(BlockingPool.class, expected(Pool.class, RENAMED));
    }

    @Test
    @DisplayName("PoolFutures has all that Pool has and that waits")
    void poolFutures() {
        Set<String> expected = expected(Pool.class, RENAMED);
        assertTrue(expected.removeAll(NOT_IN_FUTURES));
        assertHasAll(PoolFutures.class, expected);
    }

    @Test
    @DisplayName("BlockingConnector has all that Connector has")
    void blockingConnector() {
        assertHasAll(BlockingConnector.class, expected(Connector.class, RENAMED_IN_CONNECTOR));
    }

    @Test
    @DisplayName("every kind of waiting that a blocking call does can be interrupted, and says so")
    void interruptible() {
        Set<String> quiet = Arrays.stream(BlockingPool.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()))
                .filter(method -> Set.of("claim", "awaitReady", "use", "run", "explain", "drain", "close").contains(method.getName()))
                .filter(method -> !List.of(method.getExceptionTypes()).contains(InterruptedException.class))
                .map(FacadeCompletenessTest::signature)
                .collect(Collectors.toSet());
        assertEquals(Set.of("close()"), quiet);
    }

    @Test
    @DisplayName("no signature a Java caller sees has a Continuation, a Kotlin Duration or a mangled name")
    void plainJava() {
        for (Class<?> facade : FACADES) {
            List<Method> methods = Arrays.stream(facade.getDeclaredMethods())
                    .filter(method -> Modifier.isPublic(method.getModifiers()))
                    .toList();
            assertFalse(methods.isEmpty());
            for (Method method : methods) {
                assertFalse(method.getName().contains("-"), method.toString());
                String generic = method.toGenericString();
                assertFalse(Stream.of("kotlin.coroutines", "kotlin.time", "kotlin.jvm.functions", "carom.pool.internal")
                        .anyMatch(generic::contains), generic);
            }
        }
        assertEquals(Duration.class, PoolPolicyBuilder.INFINITE.getClass());
    }
}
