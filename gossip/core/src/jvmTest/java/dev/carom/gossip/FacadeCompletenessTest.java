package dev.carom.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
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
            BlockingGossip.class,
            GossipFutures.class,
            BlockingTransport.class,
            BlockingTransport.Answers.class,
            BlockingSeeds.class,
            GossipPolicyBuilder.class,
            SwimPolicyBuilder.class);

    /** Kotlin's properties read like methods in Java. */
    private static final Map<String, String> RENAMED = Map.of(
            "getIdentity()", "identity()",
            "getMembers()", "members()",
            "getNotices()", "notices()");

    /** What never waits needs no future: it is on {@code GossipFutures.gossip()}. */
    private static final Set<String> NOT_IN_FUTURES = Set.of(
            "identity()", "members()", "notices()", "isOpen()", "seeds(List)", "follow(SeedSource)");

    /** A flow is a call made again and again; a suspending function is an interface to call. */
    private static final Map<String, String> RENAMED_IN_TRANSPORT =
            Map.of("packets()", "receive()", "serve(Function2)", "serve(Answers)");

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
    @DisplayName("BlockingGossip has all that Gossip has")
    void blockingGossip() {
        assertHasAll(BlockingGossip.class, expected(Gossip.class, RENAMED));
    }

    @Test
    @DisplayName("GossipFutures has all that Gossip has and that waits")
    void gossipFutures() {
        Set<String> expected = expected(Gossip.class, RENAMED);
        assertTrue(expected.removeAll(NOT_IN_FUTURES));
        assertHasAll(GossipFutures.class, expected);
    }

    @Test
    @DisplayName("BlockingTransport has all that Transport has")
    void blockingTransport() {
        assertHasAll(BlockingTransport.class, expected(Transport.class, RENAMED_IN_TRANSPORT));
    }

    @Test
    @DisplayName("every kind of waiting that a blocking call does can be interrupted, and says so")
    void interruptible() {
        Set<String> waits = signatures(GossipFutures.class);
        Set<String> quiet = Arrays.stream(BlockingGossip.class.getDeclaredMethods())
                .filter(method -> waits.contains(signature(method)) && !Modifier.isStatic(method.getModifiers()))
                .filter(method -> !List.of(method.getExceptionTypes()).contains(InterruptedException.class))
                .map(FacadeCompletenessTest::signature)
                .collect(Collectors.toSet());
        assertEquals(Set.of("close()", "gossip()", "toString()"), quiet);
    }

    @Test
    @DisplayName("what a user implements has no method that only Kotlin can write, or a blocking twin")
    void implementable() {
        List<Class<?>> written = List.of(
                Identity.class, IdentityCodec.class, MemberCodec.class, BroadcastHandler.class, BroadcastKey.class,
                Envelope.class, Admission.class, BlockingTransport.class, BlockingSeeds.class);
        for (Class<?> type : written) {
            for (Method method : type.getMethods()) {
                assertFalse(List.of(method.getParameterTypes()).contains(Continuation.class), method.toString());
                assertFalse(method.getName().contains("-"), method.toString());
            }
        }
    }

    @Test
    @DisplayName("no signature a Java caller sees has a Continuation, a Kotlin Duration or a mangled name")
    void plainJava() {
        for (Class<?> facade : FACADES) {
            List<Method> methods = Arrays.stream(facade.getDeclaredMethods())
                    .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                    .toList();
            assertFalse(methods.isEmpty());
            for (Method method : methods) {
                assertFalse(method.getName().contains("-"), method.toString());
                String generic = method.toGenericString();
                assertFalse(Stream.of("kotlin.coroutines", "kotlin.time", "kotlin.jvm.functions", "carom.gossip.internal")
                        .anyMatch(generic::contains), generic);
            }
        }
    }
}
