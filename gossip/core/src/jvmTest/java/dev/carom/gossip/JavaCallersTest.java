package dev.carom.gossip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import kotlin.random.RandomKt;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Everything a user writes, written in Java: an identity, its codec, a broadcast handler, and what drives a state. */
class JavaCallersTest {
    record Name(String name, long generation) implements Identity<Name> {
        @Override
        public Object address() {
            return name;
        }

        @Override
        public @Nullable Name renewed(long above) {
            return new Name(name, above + 1);
        }
    }

    static final class NameCodec implements IdentityCodec<Name> {
        @Override
        public void write(Name identity, PacketWriter to) {
            to.string(identity.name());
            to.varint(identity.generation());
        }

        @Override
        public @Nullable Name read(PacketReader from) {
            String name = from.string(100);
            long generation = from.varint(63);
            return from.getFailed() ? null : new Name(name, generation);
        }
    }

    /** Items like {@code key=value}; every new value of a key is news. */
    static final class Settings implements BroadcastHandler<Name> {
        record Key(String key) implements BroadcastKey {
            @Override
            public boolean invalidates(BroadcastKey other) {
                return equals(other);
            }
        }

        final Map<String, String> values = new HashMap<>();

        @Override
        public BroadcastVerdict receive(byte[] item, @Nullable Name from) {
            String[] parts = new String(item, StandardCharsets.UTF_8).split("=", 2);
            if (parts.length != 2) return BroadcastVerdict.rejected("not key=value");
            return parts[1].equals(values.put(parts[0], parts[1]))
                    ? BroadcastVerdict.known()
                    : BroadcastVerdict.fresh(new Key(parts[0]));
        }
    }

    /** A cluster in one thread, without a network: packets and streams are handed over at once. */
    static final class Cluster {
        record Letter(Name to, SwimEvent<Name> event) {}

        final Map<Object, Swim<Name>> members = new HashMap<>();
        final Map<Object, Settings> settings = new HashMap<>();
        final List<String> notices = new ArrayList<>();
        final Queue<Letter> letters = new ArrayDeque<>();
        final Map<Long, Letter> streams = new HashMap<>();
        long nextStream;
        long now;

        Swim<Name> start(String name) {
            Settings handler = new Settings();
            Swim<Name> swim = new Swim<>(new Name(name, 1), SwimPolicy.lan(), new NativeCodec<>(new NameCodec()),
                    RandomKt.Random(members.size()), handler);
            members.put(name, swim);
            settings.put(name, handler);
            return swim;
        }

        void submit(Swim<Name> swim, SwimEvent<Name> event) {
            for (SwimEffect<Name> effect : swim.on(event, now)) {
                if (effect instanceof SwimEffect.Send<Name> send) {
                    letters.add(new Letter(send.getTo(), new SwimEvent.PacketReceived<>(send.getPacket())));
                } else if (effect instanceof SwimEffect.Notify<Name> notify) {
                    notices.add(swim.getIdentity().name() + ": " + notify.getNotice());
                } else if (effect instanceof SwimEffect.OpenStream<Name> open) {
                    long number = nextStream++;
                    streams.put(number, new Letter(swim.getIdentity(), new SwimEvent.StreamFailed<>(open.getStream())));
                    letters.add(new Letter(open.getTo(), new SwimEvent.StreamRequested<>(number, open.getRequest())));
                } else if (effect instanceof SwimEffect.AnswerStream<Name> answer) {
                    Letter asked = streams.remove(answer.getStream());
                    byte[] bytes = answer.getAnswer();
                    long stream = ((SwimEvent.StreamFailed<Name>) asked.event()).getStream();
                    letters.add(bytes == null
                            ? asked
                            : new Letter(asked.to(), new SwimEvent.StreamAnswered<>(stream, bytes)));
                } else if (effect instanceof SwimEffect.Refuse<Name> refuse) {
                    notices.add(swim.getIdentity().name() + ": " + refuse.getRefusal());
                }
            }
        }

        void settle() {
            for (Letter letter = letters.poll(); letter != null; letter = letters.poll()) {
                Swim<Name> swim = members.get(letter.to().address());
                if (swim != null) submit(swim, letter.event());
            }
        }

        void run(long seconds) {
            long end = now + seconds * 1_000_000_000L;
            while (true) {
                long next = members.values().stream().mapToLong(Swim::getNextDeadlineNanos).min().orElse(Long.MAX_VALUE);
                if (next > end) break;
                now = Math.max(now, next);
                for (Swim<Name> swim : List.copyOf(members.values())) {
                    if (swim.getNextDeadlineNanos() <= now) submit(swim, new SwimEvent.Tick<>());
                }
                settle();
            }
            now = end;
        }
    }

    private static Cluster three() {
        Cluster cluster = new Cluster();
        for (String name : List.of("a", "b", "c")) {
            cluster.submit(cluster.start(name), new SwimEvent.SeedsResolved<>(List.of(new Name("a", 0))));
        }
        cluster.run(5);
        return cluster;
    }

    @Test
    @DisplayName("three members written in Java find each other, agree, and miss one that ends")
    void membership() {
        Cluster cluster = three();
        for (Swim<Name> swim : cluster.members.values()) {
            assertEquals(2, swim.getMemberCount());
            assertEquals(SwimStatus.Connected, swim.getStatus());
        }
        cluster.members.remove("c");
        cluster.run(60);
        assertTrue(cluster.notices.stream().anyMatch(it -> it.startsWith("a: Name[name=c, generation=1] is down")),
                cluster.notices.toString());
        Member<Name> gone = cluster.members.get("b").memberAt("c");
        assertEquals(MemberState.Down, gone.getState());
    }

    @Test
    @DisplayName("a member leaves, and its next life is known by its generation")
    void leaving() {
        Cluster cluster = three();
        cluster.submit(cluster.members.get("c"), new SwimEvent.LeaveRequested<>());
        cluster.run(2);
        assertTrue(cluster.notices.contains("a: Name[name=c, generation=1] left: said so itself"),
                cluster.notices.toString());
        cluster.submit(cluster.members.get("c"), new SwimEvent.IdentityChangeRequested<>(new Name("c", 2)));
        cluster.submit(cluster.members.get("c"), new SwimEvent.AnnounceRequested<>(new Name("a", 0)));
        cluster.run(5);
        assertTrue(cluster.notices.contains("b: Name[name=c, generation=1] is now Name[name=c, generation=2]"),
                cluster.notices.toString());
        assertEquals(2, cluster.members.get("a").getMemberCount());
    }

    @Test
    @DisplayName("broadcasts and metadata reach everyone")
    void content() {
        Cluster cluster = three();
        byte[] item = "color=blue".getBytes(StandardCharsets.UTF_8);
        cluster.submit(cluster.members.get("a"), new SwimEvent.BroadcastAdded<>(item));
        byte[] metadata = "zone-1".getBytes(StandardCharsets.UTF_8);
        cluster.submit(cluster.members.get("b"), new SwimEvent.MetadataChangeRequested<>(metadata));
        cluster.run(5);
        cluster.settings.values().forEach(it -> assertEquals("blue", it.values.get("color")));
        assertArrayEquals(metadata, cluster.members.get("c").memberAt("b").getMetadata());
        cluster.submit(cluster.members.get("a"), new SwimEvent.BroadcastAdded<>(new byte[2_000]));
        assertTrue(cluster.notices.get(cluster.notices.size() - 1).startsWith("a: BroadcastTooBig: 2000 bytes"),
                cluster.notices.toString());
    }

    @Test
    @DisplayName("the ready-made identity and what is known can be kept and given back")
    void knowledge() {
        NodeId self = new NodeId(new NodeAddress(new byte[] {10, 0, 0, 1}, 7946), 5);
        NodeId other = new NodeId(new NodeAddress(new byte[] {10, 0, 0, 2}, 7946), 6);
        MemberCodec<NodeId> codec = new PostcardCodec<>(new NodeIdCodec());
        Swim<NodeId> swim = new Swim<>(self, SwimPolicy.focaLan(3), codec, RandomKt.Random(1));
        List<MemberUpdate<NodeId>> known = List.of(new MemberUpdate<>(other, 3, MemberState.Suspect));
        swim.on(new SwimEvent.UpdatesLearned<>(known, true), 0);
        assertEquals(known, swim.knowledge());
        assertEquals("10.0.0.2:7946#6 suspect(3)", swim.members().get(0).toString());
        assertEquals(1, swim.getUpdatesBacklog());
        assertEquals(0, swim.counters().getPacketsSent());
    }
}
