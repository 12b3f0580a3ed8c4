package dev.carom.pool.facade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.BackoffPolicyBuilder;
import dev.carom.pool.BlockingConnectionSet;
import dev.carom.pool.BlockingPersistentConnection;
import dev.carom.pool.BlockingWriter;
import dev.carom.pool.ConnectionSet;
import dev.carom.pool.ConnectionSetFutures;
import dev.carom.pool.MessageWriter;
import dev.carom.pool.Overflow;
import dev.carom.pool.PersistentConnection;
import dev.carom.pool.PersistentFutures;
import dev.carom.pool.PersistentPolicy;
import dev.carom.pool.PersistentPolicyBuilder;
import dev.carom.pool.SetConnection;
import dev.carom.pool.SetPolicy;
import dev.carom.pool.SetPolicyBuilder;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kotlin.coroutines.Continuation;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class SetCompletenessTest {
    private static final List<Class<?>> FACADES = List.of(
            BlockingConnectionSet.class,
            ConnectionSetFutures.class,
            BlockingPersistentConnection.class,
            PersistentFutures.class,
            BlockingWriter.class,
            SetPolicyBuilder.class,
            PersistentPolicyBuilder.class);

    /** Kotlin's properties read like methods in Java; milliseconds are a Duration; flows are publishers. */
    private static final Map<String, String> RENAMED = Map.of(
            "getName()", "name()",
            "getPolicy()", "policy()",
            "getConnections()", "connections()",
            "getChanges()", "changes()",
            "getSnapshot()", "snapshot()",
            "getNotices()", "notices()",
            "getState()", "states()",
            "getCurrent()", "current()",
            "close(long)", "close(Duration)");

    /** What never waits needs no future: it is on the view's owner. */
    private static final Set<String> NEVER_WAITS = Set.of("name()", "policy()", "connections()", "changes()", "snapshot()",
            "notices()", "states()", "current()", "tryLease()", "trySend(Object)");

    private static Set<String> signatures(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                .map(SetCompletenessTest::signature)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String signature(Method method) {
        return method.getName() + Arrays.stream(method.getParameterTypes())
                .filter(parameter -> parameter != Continuation.class)
                .map(Class::getSimpleName)
                .collect(Collectors.joining(", ", "(", ")"));
    }

    private static void assertHasAll(Class<?> facade, Class<?> type, boolean onlyWaiting) {
        Set<String> expected = signatures(type).stream()
                .map(signature -> RENAMED.getOrDefault(signature, signature))
                .collect(Collectors.toCollection(TreeSet::new));
        assertFalse(expected.isEmpty());
        if (onlyWaiting) assertTrue(expected.removeAll(NEVER_WAITS));
        expected.removeAll(signatures(facade));
        assertEquals(Set.of(), expected, facade.getSimpleName() + " lacks these");
    }

    @Test
    @DisplayName("the facades have all that the interfaces have, the futures all that waits")
    void complete() {
        assertHasAll(BlockingConnectionSet.class, ConnectionSet.class, false);
        assertHasAll(ConnectionSetFutures.class, ConnectionSet.class, true);
        assertHasAll(BlockingPersistentConnection.class, PersistentConnection.class, false);
        assertHasAll(PersistentFutures.class, PersistentConnection.class, true);
        assertHasAll(BlockingWriter.class, MessageWriter.class, false);
        assertTrue(signatures(SetConnection.class).contains("awaitRemoved()"));
        assertTrue(signatures(BlockingConnectionSet.class).contains("awaitRemoved(SetConnection)"));
        assertTrue(signatures(ConnectionSetFutures.class).contains("awaitRemoved(SetConnection)"));
    }

    @Test
    @DisplayName("every kind of waiting that a blocking call does can be interrupted, and says so")
    void interruptible() {
        Set<String> waiting = Set.of("lease", "use", "awaitReady", "awaitRemoved", "send", "put", "close");
        Set<String> quiet = Stream.of(BlockingConnectionSet.class, BlockingPersistentConnection.class)
                .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
                .filter(method -> Modifier.isPublic(method.getModifiers()) && waiting.contains(method.getName()))
                .filter(method -> !List.of(method.getExceptionTypes()).contains(InterruptedException.class))
                .map(SetCompletenessTest::signature)
                .collect(Collectors.toSet());
        assertEquals(Set.of("close()"), quiet);
    }

    @Test
    @DisplayName("no signature a Java caller sees has a Continuation, a Kotlin Duration or a mangled name")
    void plainJava() {
        for (Class<?> facade : FACADES) {
            for (Method method : facade.getDeclaredMethods()) {
                if (!Modifier.isPublic(method.getModifiers())) continue;
                assertFalse(method.getName().contains("-"), method.toString());
                String generic = method.toGenericString();
                assertFalse(Stream.of("kotlin.coroutines", "kotlin.time", "kotlin.jvm.functions", "carom.pool.internal")
                        .anyMatch(generic::contains), generic);
            }
        }
    }

    private static void assertBuilds(Class<?> policy, Class<?> builder) throws NoSuchMethodException {
        Set<String> properties = Arrays.stream(policy.getMethods())
                .map(Method::getName)
                .filter(name -> name.startsWith("get") && !name.equals("getClass"))
                .map(name -> name.substring(3, 4).toLowerCase(Locale.ROOT) + name.substring(4).replaceAll("-.*", ""))
                .collect(Collectors.toCollection(TreeSet::new));
        assertTrue(properties.size() >= 6, properties.toString());
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
    @DisplayName("each property of the policies can be set and got, and every value set is the value got")
    void builders() throws NoSuchMethodException {
        assertBuilds(SetPolicy.class, SetPolicyBuilder.class);
        assertBuilds(PersistentPolicy.class, PersistentPolicyBuilder.class);
        assertEquals(new SetPolicy().toString(), new SetPolicyBuilder().build().toString());
        assertEquals(new PersistentPolicy().toString(), new PersistentPolicyBuilder().build().toString());
        SetPolicy set = new SetPolicyBuilder()
                .target(1).maximum(2).connectTimeout(Duration.ofSeconds(3)).closeTimeout(Duration.ofSeconds(4))
                .checkInterval(Duration.ofSeconds(5)).checkTimeout(Duration.ofSeconds(6)).checkLeased(true)
                .drainTimeout(Duration.ofSeconds(7)).replaceWithin(Duration.ofSeconds(8))
                .leaseTimeout(SetPolicyBuilder.INFINITE).decoherenceInterval(Duration.ofNanos(10_000_001))
                .backoff(new BackoffPolicyBuilder().jitter(0.11).build()).noticeBuffer(12).build();
        assertEquals("SetPolicy(target=1, maximum=2, connectTimeout=3s, closeTimeout=4s, checkInterval=5s, checkTimeout=6s, "
                + "checkLeased=true, drainTimeout=7s, replaceWithin=8s, leaseTimeout=Infinity, "
                + "decoherenceInterval=10.000001ms, backoff=BackoffPolicy(start=20ms, max=30s, jitter=0.11, memory=1m), "
                + "noticeBuffer=12)", set.toString());
        assertEquals(set.toString(), SetPolicyBuilder.from(set).build().toString());
        assertEquals(SetPolicyBuilder.INFINITE, SetPolicyBuilder.from(set).leaseTimeout());
        PersistentPolicy persistent = new PersistentPolicyBuilder()
                .maxMessages(1).maxBytes(2).overflow(Overflow.DropOldest).attempts(3).writeTimeout(Duration.ofSeconds(4))
                .connection(set).build();
        assertEquals("PersistentPolicy(maxMessages=1, maxBytes=2, overflow=DropOldest, attempts=3, writeTimeout=4s, "
                + "connection=" + set + ")", persistent.toString());
        assertEquals(persistent.toString(), PersistentPolicyBuilder.from(persistent).build().toString());
    }

    @Test
    @DisplayName("a value out of bounds is refused by build, with the value and the bound")
    void bounds() {
        String target = assertThrows(IllegalArgumentException.class, new SetPolicyBuilder().target(5).maximum(4)::build)
                .getMessage();
        assertEquals("target must be in 1..4, was 5", target);
        String drain = assertThrows(IllegalArgumentException.class,
                new SetPolicyBuilder().drainTimeout(SetPolicyBuilder.INFINITE)::build).getMessage();
        assertTrue(drain.contains("drainTimeout must be finite"), drain);
        String two = assertThrows(IllegalArgumentException.class,
                new PersistentPolicyBuilder().connection(new SetPolicyBuilder().target(2).build())::build).getMessage();
        assertEquals("connection.target must be 1, was 2", two);
    }
}
