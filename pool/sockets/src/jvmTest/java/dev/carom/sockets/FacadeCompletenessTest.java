package dev.carom.sockets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
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
    /** Each public interface and its facade. */
    private static final Map<Class<?>, Class<?>> FACADES = new LinkedHashMap<>();

    static {
        FACADES.put(PairSocket.class, BlockingPairSocket.class);
        FACADES.put(PubSocket.class, BlockingPubSocket.class);
        FACADES.put(SubSocket.class, BlockingSubSocket.class);
        FACADES.put(ReqSocket.class, BlockingReqSocket.class);
        FACADES.put(RepSocket.class, BlockingRepSocket.class);
        FACADES.put(PushSocket.class, BlockingPushSocket.class);
        FACADES.put(PullSocket.class, BlockingPullSocket.class);
        FACADES.put(SurveyorSocket.class, BlockingSurveyorSocket.class);
        FACADES.put(RespondentSocket.class, BlockingRespondentSocket.class);
        FACADES.put(BusSocket.class, BlockingBusSocket.class);
        FACADES.put(RawSocket.class, BlockingRawSocket.class);
        FACADES.put(SocketEndpoint.class, BlockingEndpoint.class);
        FACADES.put(Request.class, BlockingRequest.class);
    }

    /** Kotlin's properties read like methods in Java; milliseconds are a Duration. */
    private static final Map<String, String> RENAMED = Map.of(
            "getName()", "name()",
            "getProtocol()", "protocol()",
            "getPolicy()", "policy()",
            "getPipes()", "pipeChanges()",
            "getNotices()", "notices()",
            "getCounters()", "counters()",
            "getMessages()", "messages()",
            "getRequests()", "requests()",
            "close(long)", "close(Duration)");

    private static final Map<String, String> RENAMED_MORE =
            Map.of("getUrl()", "url()", "getBody()", "body()", "getPipe()", "pipe()");

    private static String signature(Method method) {
        return method.getName() + Arrays.stream(method.getParameterTypes())
                .filter(parameter -> parameter != Continuation.class)
                .map(Class::getSimpleName)
                .collect(Collectors.joining(", ", "(", ")"));
    }

    private static Stream<Method> methods(Class<?> type) {
        return Arrays.stream(type.getMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                .filter(method -> method.getDeclaringClass() != Object.class);
    }

    private static boolean suspends(Method method) {
        return List.of(method.getParameterTypes()).contains(Continuation.class);
    }

    @Test
    @DisplayName("each blocking facade has all that its interface has")
    void complete() {
        FACADES.forEach((type, facade) -> {
            Set<String> lacking = methods(type)
                    .map(FacadeCompletenessTest::signature)
                    .map(it -> RENAMED.getOrDefault(it, RENAMED_MORE.getOrDefault(it, it)))
                    .collect(Collectors.toCollection(TreeSet::new));
            assertFalse(lacking.isEmpty(), type.getName());
            lacking.removeAll(methods(facade).map(FacadeCompletenessTest::signature).collect(Collectors.toSet()));
            assertEquals(Set.of(), lacking, facade.getSimpleName() + " lacks these");
        });
    }

    @Test
    @DisplayName("whatever suspends is there as a future")
    void futures() {
        Set<String> futures = methods(SocketFutures.class).map(FacadeCompletenessTest::signature).collect(Collectors.toSet());
        for (Class<?> type : FACADES.keySet()) {
            methods(type).filter(FacadeCompletenessTest::suspends).forEach(method -> {
                String rest = signature(method).replace("(long)", "(Duration)").substring(method.getName().length() + 1);
                String wanted = method.getName() + "(" + method.getDeclaringClass().getSimpleName()
                        + (rest.equals(")") ? ")" : ", " + rest);
                assertTrue(futures.contains(wanted), wanted);
            });
        }
    }

    @Test
    @DisplayName("each blocking call of a socket can be interrupted, and says so; and takes a time limit of its own")
    void interruptible() {
        Set<String> waiting = Set.of("send", "receive", "request", "reply", "awaitPipes", "bind", "survey", "serve", "device");
        FACADES.values().forEach(facade -> {
            Set<String> all = methods(facade).map(FacadeCompletenessTest::signature).collect(Collectors.toSet());
            methods(facade).filter(method -> waiting.contains(method.getName()) && method.getReturnType() != Request.class).forEach(method -> {
                boolean spreads = BlockingSpreadingSocket.class.isAssignableFrom(facade) && method.getName().equals("send");
                boolean says = List.of(method.getExceptionTypes()).contains(InterruptedException.class);
                assertEquals(!spreads, says, method.toString());
            });
            for (String call : List.of("receive()", "request(byte[])", "reply(byte[])", "awaitPipes(int)")) {
                String limited = call.replace(")", call.endsWith("()") ? "Duration)" : ", Duration)");
                if (facade != BlockingRawSocket.class && all.contains(call)) assertTrue(all.contains(limited), limited);
            }
        });
    }

    @Test
    @DisplayName("no signature a Java caller sees has a Continuation, a Kotlin Duration or a mangled name")
    void plainJava() {
        Stream.concat(FACADES.values().stream(), Stream.of(SocketFutures.class, SocketPolicyBuilder.class))
                .flatMap(FacadeCompletenessTest::methods)
                .forEach(method -> {
                    assertFalse(method.getName().contains("-"), method.toString());
                    String generic = method.toGenericString();
                    assertFalse(Stream.of("kotlin.coroutines", "kotlin.time", "kotlin.jvm.functions", "sockets.internal")
                            .anyMatch(generic::contains), generic);
                });
        assertTrue(methods(SocketPolicyBuilder.class).anyMatch(it -> it.getReturnType() == Duration.class));
    }
}
