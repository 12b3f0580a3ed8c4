package dev.carom.bench.gossip;

import dev.carom.gossip.AesGcmEnvelope;
import dev.carom.gossip.EnvelopeUse;
import dev.carom.gossip.GossipKey;
import dev.carom.gossip.Header;
import dev.carom.gossip.KeyRing;
import dev.carom.gossip.MemberState;
import dev.carom.gossip.MemberUpdate;
import dev.carom.gossip.NativeCodec;
import dev.carom.gossip.NodeAddress;
import dev.carom.gossip.NodeId;
import dev.carom.gossip.NodeIdCodec;
import dev.carom.gossip.PacketKind;
import dev.carom.gossip.PacketWriter;
import dev.carom.gossip.Swim;
import dev.carom.gossip.SwimEffect;
import dev.carom.gossip.SwimEvent;
import dev.carom.gossip.SwimPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import kotlin.random.RandomKt;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** How many packets does the core of one member handle in a second, on one thread, and how many bytes does each cost? */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class PacketsHandled {
    private static final int NEWS = 30;

    @Param({"10", "1000"})
    public int members;

    private final NativeCodec<NodeId> codec = new NativeCodec<>(new NodeIdCodec());
    private Swim<NodeId> swim;
    private byte[] ping;
    private byte[] news;
    private long now;

    private static NodeId node(int number) {
        byte[] ip = {10, 0, (byte) (number >> 8), (byte) number};
        return new NodeId(new NodeAddress(ip, 7946), 1_700_000_000L);
    }

    @Setup
    public void prepare() {
        swim = new Swim<>(node(0), SwimPolicy.lan(), codec, RandomKt.Random(1));
        List<MemberUpdate<NodeId>> others = new ArrayList<>();
        for (int i = 1; i < members; i++) others.add(new MemberUpdate<>(node(i), 0, MemberState.Alive));
        swim.on(new SwimEvent.UpdatesLearned<>(others, false), 0);
        ping = packet(PacketKind.Ping, 0);
        news = packet(PacketKind.Gossip, Math.min(NEWS, members - 1));
    }

    private byte[] packet(PacketKind kind, int updates) {
        PacketWriter writer = new PacketWriter(1_400);
        codec.writeHeader(new Header<>(node(1), 0, node(0), kind, null, 7, 0), writer);
        writer.writeShort(updates);
        for (int i = 1; i <= updates; i++) codec.writeUpdate(new MemberUpdate<>(node(i), 0, MemberState.Alive), writer);
        return writer.toByteArray();
    }

    /** A ping without news: decoded, answered with an ack. */
    @Benchmark
    public List<SwimEffect<NodeId>> ping() {
        return swim.on(new SwimEvent.PacketReceived<>(ping), ++now);
    }

    /** Thirty pieces of news (nine of ten members), all known already, as nearly all are: decoded, compared, dropped. */
    @Benchmark
    public List<SwimEffect<NodeId>> oldNews() {
        return swim.on(new SwimEvent.PacketReceived<>(news), ++now);
    }

    /** What a datagram costs on top: sealed by its sender. */
    @State(Scope.Benchmark)
    public static class Sealed {
        private final KeyRing keys = new KeyRing(new GossipKey(new byte[32]));
        private final AesGcmEnvelope sender = new AesGcmEnvelope(keys, "bench");
        private final AesGcmEnvelope receiver = new AesGcmEnvelope(keys, "bench");
        private final byte[] content = new byte[600];
        private final byte[] forged = sender.seal(content, EnvelopeUse.Packet);

        /** Damages the last byte of the tag. */
        public Sealed() {
            forged[forged.length - 1]++;
        }
    }

    /** 600 bytes sealed and opened with AES-256-GCM: the sender's and the receiver's share together. */
    @Benchmark
    public Object sealedAndOpened(Sealed sealed) {
        byte[] datagram = sealed.sender.seal(sealed.content, EnvelopeUse.Packet);
        return sealed.receiver.open(datagram, EnvelopeUse.Packet);
    }

    /** 600 forged bytes of the right version: what a stranger's datagram costs. */
    @Benchmark
    public Object forged(Sealed sealed) {
        return sealed.receiver.open(sealed.forged, EnvelopeUse.Packet);
    }
}
