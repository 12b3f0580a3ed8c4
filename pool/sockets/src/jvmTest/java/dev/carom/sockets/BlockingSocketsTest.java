package dev.carom.sockets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.carom.pool.Backend;
import dev.carom.pool.Resolvers;
import dev.carom.pool.testkit.LeakCheckExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** The facades over real sockets. */
@Timeout(60)
@ExtendWith(LeakCheckExtension.class)
class BlockingSocketsTest {
    private static final Duration SHORT = Duration.ofMillis(30);
    private static final String ANY = "tcp://127.0.0.1:0";

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, UTF_8);
    }

    private static <T> FutureTask<T> thread(Callable<T> work, List<Thread> threads) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(task);
        threads.add(thread);
        thread.start();
        return task;
    }

    private static <T> FutureTask<T> thread(Callable<T> work) {
        return thread(work, new ArrayList<>());
    }

    private static Throwable failure(FutureTask<?> task) {
        return assertThrows(ExecutionException.class, task::get).getCause();
    }

    @Test
    @DisplayName("a request is answered, by a handler that may block, and the server ends when its socket closes")
    void asks() throws Exception {
        FutureTask<Object> serving;
        try (var rep = BlockingRepSocket.open("rep"); var req = BlockingReqSocket.open("req")) {
            req.connect(rep.bind(ANY).url());
            serving = thread(() -> {
                rep.serve(2, question -> bytes(text(question).toUpperCase()));
                return null;
            });
            assertEquals("HELLO", text(req.request(bytes("hello"))));
            assertEquals("AGAIN", text(req.request(bytes("again"), Duration.ofSeconds(20))));
            assertEquals("LATER", text(SocketFutures.request(req.socket(), bytes("later")).get()));
            assertEquals(3, rep.counters().getDelivered());
            assertEquals(Protocol.Req, req.protocol());
            assertEquals("BlockingReqSocket(req)", req.toString());
            assertEquals(1, req.pipes().size());
        }
        serving.get();
    }

    @Test
    @DisplayName("what a handler throws comes out of serve, as it is")
    void handlerFails() throws Exception {
        try (var rep = BlockingRepSocket.open("rep"); var req = BlockingReqSocket.open("req")) {
            req.connect(rep.bind(ANY).url());
            FutureTask<Object> serving = thread(() -> {
                rep.serve(question -> {
                    throw new java.io.IOException("no");
                });
                return null;
            });
            CompletableFuture<byte[]> asked = SocketFutures.request(req.socket(), bytes("hello"));
            assertEquals("no", assertInstanceOf(java.io.IOException.class, failure(serving)).getMessage());
            assertFalse(asked.isDone());
            asked.cancel(true);
        }
    }

    @Test
    @DisplayName("time limits of a call end that call, and say how long it was")
    void limits() throws Exception {
        try (var pull = BlockingPullSocket.open("pull"); var push = BlockingPushSocket.open("push")) {
            var late = assertThrows(SocketException.TimedOut.class, () -> pull.receive(SHORT));
            assertEquals(30, late.getMillis());
            assertEquals("socket \"pull\": no message came within 30 ms", late.getMessage());
            assertThrows(SocketException.TimedOut.class, () -> push.send(bytes("x"), SHORT));
            assertThrows(SocketException.TimedOut.class, () -> push.awaitPipes(1, SHORT));
            assertThrows(IllegalArgumentException.class, () -> pull.receive(Duration.ZERO));
            assertFalse(push.trySend(bytes("x")));
            assertNull(pull.tryReceive());
            push.connect(pull.bind(ANY).url());
            push.send(bytes("first"));
            assertEquals("first", text(pull.receive(Duration.ofSeconds(20))));
        }
    }

    @Test
    @DisplayName("an interrupt ends the call that waits, and nothing else: no message is lost, the socket goes on")
    void interrupts() throws Exception {
        try (var pull = BlockingPullSocket.open("pull"); var push = BlockingPushSocket.open("push")) {
            List<Thread> threads = new ArrayList<>();
            FutureTask<byte[]> first = thread(pull::receive, threads);
            FutureTask<byte[]> second = thread(pull::receive, threads);
            while (threads.stream().anyMatch(it -> it.getState() != Thread.State.TIMED_WAITING
                    && it.getState() != Thread.State.WAITING)) Thread.onSpinWait();
            threads.get(0).interrupt();
            assertInstanceOf(InterruptedException.class, failure(first));
            push.connect(pull.bind(ANY).url());
            push.send(bytes("for the second"));
            assertEquals("for the second", text(second.get()));
            push.send(bytes("next"));
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, pull::receive);
            assertEquals("next", text(pull.receive()));
        }
    }

    @Test
    @DisplayName("while receivers are interrupted at random each message is received exactly once")
    void interruptsAtRandom() throws Exception {
        int count = 2_000;
        try (var pull = BlockingPullSocket.open("pull"); var push = BlockingPushSocket.open("push")) {
            push.connect(pull.bind(ANY).url());
            BlockingQueue<String> received = new LinkedBlockingQueue<>();
            List<Thread> threads = new ArrayList<>();
            List<FutureTask<Object>> receivers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                receivers.add(thread(() -> {
                    while (true) {
                        try {
                            received.add(text(pull.receive()));
                        } catch (InterruptedException e) {
                            // goes on
                        } catch (SocketException.Closed e) {
                            return null;
                        }
                    }
                }, threads));
            }
            var dice = new java.util.Random(1);
            for (int i = 0; i < count; i++) {
                push.send(bytes("" + i));
                if (dice.nextInt(4) == 0) threads.get(dice.nextInt(3)).interrupt();
            }
            Set<String> distinct = new java.util.HashSet<>();
            for (int i = 0; i < count; i++) assertTrue(distinct.add(received.take()));
            pull.close(Duration.ofSeconds(1));
            for (FutureTask<Object> receiver : receivers) receiver.get();
            assertTrue(received.isEmpty());
        }
    }

    @Test
    @DisplayName("closing ends all calls that wait")
    void closes() throws Exception {
        var pull = BlockingPullSocket.open("pull");
        List<FutureTask<byte[]>> waiting = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 20; i++) waiting.add(thread(pull::receive, threads));
        CompletableFuture<byte[]> future = SocketFutures.receive(pull.socket());
        pull.close(Duration.ZERO);
        for (FutureTask<byte[]> call : waiting) assertInstanceOf(SocketException.Closed.class, failure(call));
        assertInstanceOf(
                SocketException.Closed.class, assertThrows(ExecutionException.class, future::get).getCause());
        assertThrows(SocketException.Closed.class, () -> pull.bind(ANY));
        pull.close();
    }

    @Test
    @DisplayName("a cancelled future takes nothing with it")
    void cancels() throws Exception {
        try (var pull = BlockingPullSocket.open("pull"); var push = BlockingPushSocket.open("push")) {
            CompletableFuture<byte[]> cancelled = SocketFutures.receive(pull.socket());
            cancelled.cancel(true);
            assertThrows(CancellationException.class, cancelled::join);
            push.connect(SocketFutures.bind(pull.socket(), ANY).get().getUrl());
            SocketFutures.awaitPipes(push.socket(), 1).get();
            SocketFutures.send(push.socket(), bytes("x")).get();
            assertEquals("x", text(SocketFutures.receive(pull.socket()).get()));
            assertEquals(0, SocketFutures.close(push.socket()).get().getUnsent());
        }
    }

    @Test
    @DisplayName("a publisher takes messages as they are asked for; the others stay for others; notices come all")
    void publishes() throws Exception {
        Signals<byte[]> messages = new Signals<>();
        Signals<SocketNotice> notices = new Signals<>();
        try (var pull = BlockingPullSocket.open("pull"); var push = BlockingPushSocket.open("push")) {
            pull.notices().subscribe(notices);
            notices.subscription.request(Long.MAX_VALUE);
            pull.messages().subscribe(messages);
            push.connect(pull.bind(ANY).url());
            for (String it : List.of("1", "2", "3")) push.send(bytes(it));
            messages.subscription.request(2);
            assertEquals("1", text(messages.items.take()));
            assertEquals("2", text(messages.items.take()));
            assertEquals("3", text(pull.receive()));
        }
        notices.ended.await();
        assertNull(notices.failure);
        assertInstanceOf(SocketNotice.Bound.class, notices.items.take());
        assertInstanceOf(SocketNotice.PipeOpened.class, notices.items.take());
        messages.subscription.request(1);
        messages.ended.await();
        assertNull(messages.failure);
        assertTrue(messages.items.isEmpty());
    }

    @Test
    @DisplayName("subscribers, surveys, buses, pairs: each role does in Java what it does in Kotlin")
    void roles() throws Exception {
        try (var pub = BlockingPubSocket.open("pub"); var sub = BlockingSubSocket.open("sub")) {
            sub.subscribe("a");
            sub.subscribe(bytes("b"));
            sub.unsubscribe("b");
            assertThrows(SocketException.NotSubscribed.class, () -> sub.unsubscribe(bytes("c")));
            sub.connect(pub.bind(ANY).url());
            pub.awaitPipes(1);
            pub.send(bytes("b1"));
            pub.send(bytes("a1"));
            assertEquals("a1", text(sub.receive()));
        }
        var policy = new SocketPolicyBuilder().surveyDeadline(Duration.ofSeconds(1)).build();
        try (var surveyor = BlockingSurveyorSocket.open("surveyor", policy);
                var respondent = BlockingRespondentSocket.open("respondent")) {
            respondent.connect(surveyor.bind(ANY).url());
            surveyor.awaitPipes(1);
            List<byte[]> answers = List.of();
            // An answer may come when its survey has ended: nobody says how busy the machine is.
            while (answers.isEmpty()) {
                FutureTask<Object> answering = thread(() -> {
                    try (BlockingRequest request = respondent.receive()) {
                        assertEquals("up?", text(request.body()));
                        assertEquals("BlockingRequest(3 bytes)", request.toString());
                        request.reply(bytes("yes " + request.pipe().isAccepted()));
                        assertThrows(SocketException.NoSuchRequest.class, () -> request.reply(bytes("yes")));
                        return null;
                    }
                });
                answers = surveyor.survey(bytes("up?"));
                answering.get();
            }
            assertEquals(List.of("yes false"), answers.stream().map(BlockingSocketsTest::text).toList());
            assertNull(respondent.tryReceive());
        }
        try (var one = BlockingBusSocket.open("one"); var two = BlockingBusSocket.open("two")) {
            one.connect(two.bind(ANY).url());
            one.awaitPipes(1);
            two.awaitPipes(1);
            one.send(bytes("x"));
            assertEquals("x", text(two.receive()));
        }
        try (var one = BlockingPairSocket.open("one"); var two = BlockingPairSocket.open("two")) {
            BlockingEndpoint bound = two.bind(ANY);
            assertTrue(bound.isBound());
            try (BlockingEndpoint connected = one.connect(bound.url())) {
                assertEquals("BlockingEndpoint(" + bound.url() + ")", connected.toString());
                one.send(bytes("x"));
                assertEquals("x", text(two.receive()));
            }
            assertTrue(one.pipes().isEmpty());
        }
    }

    @Test
    @DisplayName("a service is dialled by its resolver, and a device stands in between")
    void services() throws Exception {
        try (var rep = BlockingRepSocket.open("rep");
                var left = BlockingRawSocket.open("left", Protocol.Rep);
                var right = BlockingRawSocket.open("right", Protocol.Req);
                var req = BlockingReqSocket.open("req")) {
            String url = rep.bind(ANY).url();
            int port = Integer.parseInt(url.substring(url.lastIndexOf(':') + 1));
            right.connect(Resolvers.fixedResolver(new Backend("b", "127.0.0.1", port)));
            req.connect(left.bind(ANY).url());
            CompletableFuture<Void> device = SocketFutures.device(left.socket(), right.socket());
            FutureTask<Object> serving = thread(() -> {
                rep.serve(question -> question);
                return null;
            });
            assertArrayEquals(bytes("through"), req.request(bytes("through")));
            device.cancel(true);
            assertThrows(CancellationException.class, device::join);
            CompletableFuture<RawMessage> asked = SocketFutures.receive(left.socket());
            CompletableFuture<byte[]> answer = SocketFutures.request(req.socket(), bytes("by hand"));
            RawMessage message = asked.get();
            assertEquals("by hand", text(message.getBody()));
            left.send(new RawMessage(message.getHeader(), bytes("answer")));
            assertEquals("answer", text(answer.get()));
            rep.close(Duration.ofSeconds(1));
            serving.get();
        }
    }

    private static final class Signals<T> implements Subscriber<T> {
        final BlockingQueue<T> items = new LinkedBlockingQueue<>();
        final CountDownLatch ended = new CountDownLatch(1);
        volatile Subscription subscription;
        volatile Throwable failure;

        @Override
        public void onSubscribe(Subscription subscription) {
            this.subscription = subscription;
        }

        @Override
        public void onNext(T item) {
            items.add(item);
        }

        @Override
        public void onError(Throwable failure) {
            this.failure = failure;
            ended.countDown();
        }

        @Override
        public void onComplete() {
            ended.countDown();
        }
    }
}
