package dev.carom.samples.cluster;

import dev.carom.gossip.BlockingGossip;
import dev.carom.gossip.GossipNotice;
import dev.carom.gossip.NodeId;
import dev.carom.gossip.net.GossipSecurity;
import dev.carom.gossip.net.NetGossip;
import dev.carom.gossip.resolver.BlockingOffering;
import dev.carom.gossip.resolver.OfferBuilder;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.function.Consumer;

/** The member program once more, in Java: the same arguments, the same input, the same output. */
public final class MemberFromJava {
    private MemberFromJava() {}

    public static void main(String[] args) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var security = Cluster.security(Cluster.key(input.readLine()));
        var seeds = Arrays.asList(args).subList(2, args.length);
        // In this order: any port will do for the server, and it might be given the member's.
        try (var gossip = NetGossip.open(Cluster.net(Integer.parseInt(args[1]), seeds), security, Cluster.policy);
                var server = new WhoServer(args[0])) {
            live(gossip, server, security, input);
        }
    }

    private static void live(
            BlockingGossip<NodeId> gossip, WhoServer server, GossipSecurity security, BufferedReader input)
            throws Exception {
        var offering = BlockingOffering.of(gossip);
        offering.offer(List.of(new OfferBuilder(Cluster.ROLE, server.getPort()).build()));
        gossip.notices().subscribe(new Each<>(MemberFromJava::tell));
        gossip.memberChanges().subscribe(new Each<>(all -> System.out.println("members " + Cluster.seen(all))));
        System.out.println("ready " + gossip.identity() + " " + server.getPort());
        while (gossip.isOpen()) {
            var line = input.readLine();
            if (line == null) return;
            var words = line.split(" ");
            switch (words[0]) {
                case "count" -> System.out.println("unopened " + gossip.counters().getUnopened());
                case "leave" -> System.out.println("left " + offering.leave(
                        Duration.ofSeconds(2), Duration.ofSeconds(30), () -> {
                            server.blockUntilIdle();
                            return null;
                        }));
                default -> Cluster.rotate(security, words[0], Cluster.key(words[1]));
            }
            System.out.println("done " + words[0]);
        }
    }

    private static void tell(GossipNotice<NodeId> notice) {
        if (notice instanceof GossipNotice.MemberSuspected<NodeId> it) System.out.println("suspected " + it.getMember());
        if (notice instanceof GossipNotice.MemberDown<NodeId> it) System.out.println("down " + it.getMember());
    }

    /** Takes whatever comes, as fast as it comes. */
    private record Each<T>(Consumer<T> action) implements Flow.Subscriber<T> {
        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(T item) {
            action.accept(item);
        }

        @Override
        public void onError(Throwable failure) {
            System.out.println("failed " + failure);
        }

        @Override
        public void onComplete() {}
    }
}
