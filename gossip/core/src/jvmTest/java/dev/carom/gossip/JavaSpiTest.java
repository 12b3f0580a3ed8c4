package dev.carom.gossip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A running member whose transport, seeds, envelope, codec and admission are all written in Java. */
@Timeout(120)
class JavaSpiTest {
    private static final GossipPolicy QUICK = new GossipPolicyBuilder()
            .swim(new SwimPolicyBuilder()
                    .probePeriod(Duration.ofMillis(200))
                    .probeTimeout(Duration.ofMillis(100))
                    .seedInterval(Duration.ofMillis(200))
                    .syncInterval(Duration.ofMillis(500))
                    .build())
            .joinTimeout(Duration.ofSeconds(60))
            .leaveTimeout(Duration.ofSeconds(60))
            .closeTimeout(Duration.ofSeconds(60))
            .reopen(Duration.ofMillis(1), Duration.ofMillis(10))
            .build();

    /** Four bytes of checksum: no secret, but a whole envelope. */
    static final class Checked implements Envelope {
        @Override
        public int getOverhead() {
            return 4;
        }

        @Override
        public byte[] seal(byte[] content, EnvelopeUse use) {
            byte[] sealed = Arrays.copyOf(content, content.length + 4);
            int sum = sum(content, content.length, use);
            for (int i = 0; i < 4; i++) sealed[content.length + i] = (byte) (sum >>> (8 * i));
            return sealed;
        }

        @Override
        public Opened open(byte[] sealed, EnvelopeUse use) {
            if (sealed.length < 4) return Opened.rejected(Opened.Reason.Truncated);
            byte[] content = Arrays.copyOf(sealed, sealed.length - 4);
            return Arrays.equals(seal(content, use), sealed)
                    ? Opened.holding(content)
                    : Opened.rejected(Opened.Reason.Forged);
        }

        private static int sum(byte[] bytes, int length, EnvelopeUse use) {
            CRC32 crc = new CRC32();
            crc.update(use.ordinal());
            crc.update(bytes, 0, length);
            return (int) crc.getValue();
        }
    }

    /** The native bytes behind a byte of one's own. */
    static final class Marked implements MemberCodec<NodeId> {
        private static final int MARK = 0xC4;
        private final NativeCodec<NodeId> inner = new NativeCodec<>(new NodeIdCodec());

        @Override
        public long getMaxIncarnation() {
            return inner.getMaxIncarnation();
        }

        @Override
        public boolean getExtended() {
            return true;
        }

        @Override
        public void writeIdentity(NodeId identity, PacketWriter to) {
            inner.writeIdentity(identity, to);
        }

        @Override
        public @Nullable NodeId readIdentity(PacketReader from) {
            return inner.readIdentity(from);
        }

        @Override
        public void writeHeader(Header<NodeId> header, PacketWriter to) {
            to.writeByte(MARK);
            inner.writeHeader(header, to);
        }

        @Override
        public @Nullable Header<NodeId> readHeader(PacketReader from) {
            if (from.readByte() != MARK) from.fail("no mark");
            return inner.readHeader(from);
        }

        @Override
        public void writeUpdate(MemberUpdate<NodeId> update, PacketWriter to) {
            inner.writeUpdate(update, to);
        }

        @Override
        public @Nullable MemberUpdate<NodeId> readUpdate(PacketReader from) {
            return inner.readUpdate(from);
        }
    }

    private static BlockingGossip<NodeId> open(SocketTransport transport, @Nullable Admission<NodeId> admission) {
        NodeId self = new NodeId(transport.address(), 1);
        return BlockingGossip.open(self, transport.transport(), new Checked(), new Marked(), QUICK, null, admission);
    }

    private static <T> CompletableFuture<T> first(Flow.Publisher<T> publisher, Predicate<? super T> fits) {
        CompletableFuture<T> found = new CompletableFuture<>();
        publisher.subscribe(new Flow.Subscriber<>() {
            private Flow.Subscription subscription;

            @Override
            public void onSubscribe(Flow.Subscription given) {
                subscription = given;
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(T item) {
                if (!fits.test(item)) return;
                found.complete(item);
                subscription.cancel();
            }

            @Override
            public void onError(Throwable failure) {
                found.completeExceptionally(failure);
            }

            @Override
            public void onComplete() {
                found.completeExceptionally(new AssertionError("it ended"));
            }
        });
        return found;
    }

    private static <T> T soon(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    @Test
    @DisplayName("two members over plain sockets find each other through a source that fails at first, and sync")
    void wholeLife() throws Exception {
        SocketTransport left = new SocketTransport();
        SocketTransport right = new SocketTransport();
        AtomicInteger asked = new AtomicInteger();
        NodeId seed = new NodeId(left.address(), 0);
        BlockingSeeds<NodeId> seeds = () -> {
            if (asked.getAndIncrement() == 0) throw new IOException("no answer yet");
            return List.of(seed);
        };
        try (BlockingGossip<NodeId> one = open(left, null); BlockingGossip<NodeId> two = open(right, null)) {
            CompletableFuture<GossipNotice<NodeId>> failed =
                    first(two.notices(), notice -> notice instanceof GossipNotice.SeedsFailed);
            two.follow(seeds.every(Duration.ofMillis(100)));
            assertTrue(soon(failed).toString().contains("no answer yet"));
            soon(first(one.memberChanges(), members -> members.size() == 1));
            byte[] metadata = new byte[SwimPolicy.MAX_METADATA];
            metadata[0] = 1;
            two.updateMetadata(metadata);
            List<Member<NodeId>> seen = soon(first(
                    one.memberChanges(), members -> members.size() == 1 && members.get(0).getMetadataVersion() == 1));
            assertArrayEquals(metadata, seen.get(0).getMetadata());
            assertTrue(two.isOpen());
            assertTrue(two.leave());
            assertFalse(two.isOpen());
            two.follow(seeds.every(Duration.ofMillis(100)));
        }
        assertEquals(0, left.running.get());
        assertEquals(0, right.running.get());
    }

    @Test
    @DisplayName("receiving that fails is told and begins again")
    void recovery() throws Exception {
        SocketTransport left = new SocketTransport();
        SocketTransport right = new SocketTransport();
        left.failures.set(3);
        try (BlockingGossip<NodeId> one = open(left, null); BlockingGossip<NodeId> two = open(right, null)) {
            CompletableFuture<GossipNotice<NodeId>> works =
                    first(one.notices(), notice -> notice instanceof GossipNotice.TransportRecovered);
            two.join(List.of(one.identity()));
            soon(works);
            soon(first(one.memberChanges(), members -> members.size() == 1));
            assertEquals(3, one.counters().getReopened());
        }
        assertEquals(0, left.running.get());
    }

    @Test
    @DisplayName("whoever is not admitted is not heard, and only counted")
    void admission() throws Exception {
        SocketTransport left = new SocketTransport();
        SocketTransport right = new SocketTransport();
        int stranger = right.address().getPort();
        try (BlockingGossip<NodeId> one = open(left, id -> id.getAt().getPort() != stranger);
                BlockingGossip<NodeId> two = open(right, null)) {
            two.seeds(List.of(one.identity()));
            while (one.counters().getSwim().getNotAdmitted() < 3) Thread.onSpinWait();
            assertEquals(List.of(), one.members());
            assertEquals(0, one.counters().getSwim().getRejected());
        }
    }

    @Test
    @DisplayName("a source's interval must be positive")
    void bounds() {
        BlockingSeeds<NodeId> seeds = List::of;
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> seeds.every(Duration.ZERO));
        assertTrue(refused.getMessage().contains("PT0S"));
    }
}
