package dev.carom.samples.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.carom.pool.dns.DnsPolicyBuilder;
import dev.carom.pool.dns.DnsResolverBuilder;
import dev.carom.pool.testkit.DnsTestServer;
import dev.carom.pool.testkit.DnsZone;
import dev.carom.sockets.BlockingAnsweringSocket;
import dev.carom.sockets.BlockingRepSocket;
import dev.carom.sockets.BlockingReqSocket;
import dev.carom.sockets.BlockingRespondentSocket;
import dev.carom.sockets.BlockingSocket;
import dev.carom.sockets.BlockingSurveyorSocket;
import dev.carom.sockets.SocketPolicyBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/** Questions and surveys to a service that changes while they are asked. Ends with an exception if one is lost. */
public final class MessagingFromJava {
    private MessagingFromJava() {}

    /** A backend: answers questions and surveys with its name. */
    private static final class Backend implements AutoCloseable {
        final String name;
        final BlockingRepSocket rep;
        final BlockingRespondentSocket respondent;
        final int askPort;
        final int surveyPort;

        Backend(String name, ExecutorService threads) throws InterruptedException {
            this.name = name;
            rep = BlockingRepSocket.open(name + " ask");
            respondent = BlockingRespondentSocket.open(name + " survey");
            askPort = port(rep.bind("tcp://127.0.0.1:0").url());
            surveyPort = port(respondent.bind("tcp://127.0.0.1:0").url());
            for (BlockingAnsweringSocket<?> socket : List.of(rep, respondent)) {
                threads.submit(() -> {
                    socket.serve(question -> (new String(question, UTF_8) + "@" + name).getBytes(UTF_8));
                    return null;
                });
            }
        }

        private static int port(String url) {
            return Integer.parseInt(url.substring(url.lastIndexOf(':') + 1));
        }

        @Override
        public void close() {
            rep.close();
            respondent.close();
        }
    }

    public static void main(String[] args) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        var policy = new SocketPolicyBuilder()
                .surveyDeadline(Duration.ofSeconds(30)).requestTimeout(Duration.ofSeconds(20)).build();
        try (var dns = new DnsTestServer();
                var one = new Backend("one", threads);
                var two = new Backend("two", threads);
                var three = new Backend("three", threads);
                var req = BlockingReqSocket.open("asking", policy);
                var surveyor = BlockingSurveyorSocket.open("surveying", policy)) {
            var often = new DnsPolicyBuilder().minInterval(Duration.ofMillis(200)).build();
            for (var service : List.of("_ask._tcp", "_survey._tcp")) {
                var resolver = new DnsResolverBuilder("shop.test").service(service)
                        .servers(List.of(dns.getAddress())).policy(often).build();
                BlockingSocket<?> socket = service.startsWith("_ask") ? req : surveyor;
                socket.connect(resolver);
            }
            follow("open with one", dns, req, surveyor, threads, one);
            follow("grow to three", dns, req, surveyor, threads, one, two, three);
            follow("shrink to two", dns, req, surveyor, threads, two, three);
        } finally {
            threads.shutdown();
        }
    }

    /** Lists {@code backends}, and asks as long as not exactly these are connected. */
    private static void follow(
            String change,
            DnsTestServer dns,
            BlockingReqSocket req,
            BlockingSurveyorSocket surveyor,
            ExecutorService threads,
            Backend... backends)
            throws Exception {
        DnsZone zone = new DnsZone().ttl(1).negativeTtl(1);
        for (Backend it : backends) {
            zone = zone.instance("_ask._tcp.shop.test", it.name + "-ask.shop.test", "127.0.0.1", it.askPort)
                    .instance("_survey._tcp.shop.test", it.name + "-survey.shop.test", "127.0.0.1", it.surveyPort);
        }
        dns.setZone(zone);
        Set<Integer> asks = new TreeSet<>();
        Set<Integer> surveys = new TreeSet<>();
        for (Backend it : backends) {
            asks.add(it.askPort);
            surveys.add(it.surveyPort);
        }
        long start = System.nanoTime();
        int answered = 0;
        while (!ports(req).equals(asks) || !ports(surveyor).equals(surveys)) {
            if (System.nanoTime() - start > 30e9) throw new IllegalStateException(change + ": " + req.pipes());
            answered += ask(req, threads, answered);
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        answered += ask(req, threads, answered);
        int answers = survey(surveyor, backends.length);
        if (answers != backends.length) throw new IllegalStateException(change + ": " + answers + " answers");
        System.out.println(change + ": followed in " + millis + " ms, " + answered + " questions, each answered");
    }

    /** How many answer: until {@code expected} have, and a little longer, for nobody may answer twice. */
    private static int survey(BlockingSurveyorSocket surveyor, int expected) throws InterruptedException {
        Answers answers = new Answers(expected);
        surveyor.answers("up?".getBytes(UTF_8)).subscribe(answers);
        answers.enough.await();
        TimeUnit.MILLISECONDS.sleep(300);
        answers.subscription.cancel();
        return answers.count.get();
    }

    /** Counts answers, until the survey ends. */
    private static final class Answers implements Subscriber<byte[]> {
        final AtomicInteger count = new AtomicInteger();
        final CountDownLatch enough = new CountDownLatch(1);
        final int expected;
        volatile Subscription subscription;

        Answers(int expected) {
            this.expected = expected;
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            this.subscription = subscription;
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(byte[] answer) {
            if (count.incrementAndGet() == expected) enough.countDown();
        }

        @Override
        public void onError(Throwable failure) {
            enough.countDown();
        }

        @Override
        public void onComplete() {
            enough.countDown();
        }
    }

    private static Set<Integer> ports(BlockingSocket<?> socket) {
        return socket.pipes().stream().map(pipe -> Backend.port(pipe.getUrl())).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Sixteen questions at once, each of which must have its own answer. */
    private static int ask(BlockingReqSocket req, ExecutorService threads, int from) throws Exception {
        List<Future<String>> answers = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            byte[] question = String.valueOf(from + i).getBytes(UTF_8);
            answers.add(threads.submit(() -> new String(req.request(question), UTF_8)));
        }
        for (int i = 0; i < 16; i++) {
            String answer = answers.get(i).get();
            if (!answer.startsWith((from + i) + "@")) throw new IllegalStateException((from + i) + ": " + answer);
        }
        return 16;
    }
}
