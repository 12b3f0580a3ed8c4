package dev.carom.gossip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class EnvelopeTest {
    private static final GossipKey OLD = key(1);
    private static final GossipKey NEW = key(2);
    private static final byte[] CONTENT = "hello".getBytes(StandardCharsets.UTF_8);

    private static GossipKey key(int fill) {
        byte[] secret = new byte[32];
        Arrays.fill(secret, (byte) fill);
        return new GossipKey(secret);
    }

    private static AesGcmEnvelope envelope(GossipKey key) {
        return new AesGcmEnvelope(new KeyRing(key), "blue");
    }

    private static byte[] seal(Envelope envelope) {
        return envelope.seal(CONTENT, EnvelopeUse.Packet);
    }

    private static Object open(Envelope envelope, byte[] sealed) {
        Opened opened = envelope.open(sealed, EnvelopeUse.Packet);
        assertNotEquals(opened.getContent() == null, opened.getRejection() == null);
        return opened.getContent() == null ? opened.getRejection() : new String(opened.getContent(), StandardCharsets.UTF_8);
    }

    @Test
    @DisplayName("what one member seals another opens, once, and no two envelopes are alike")
    void once() {
        AesGcmEnvelope sender = envelope(OLD);
        AesGcmEnvelope receiver = envelope(OLD);
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 1_000; i++) {
            byte[] sealed = seal(sender);
            assertEquals(CONTENT.length + sender.getOverhead(), sealed.length);
            assertEquals("hello", open(receiver, sealed));
            assertEquals(Opened.Reason.Replayed, open(receiver, sealed));
            seen.add(Arrays.toString(sealed));
        }
        assertEquals(1_000, seen.size());
    }

    @Test
    @DisplayName("another key, another label, another use: forged")
    void foreign() {
        byte[] sealed = seal(envelope(OLD));
        assertEquals(Opened.Reason.Forged, open(envelope(NEW), sealed));
        assertEquals(Opened.Reason.Forged, open(new AesGcmEnvelope(new KeyRing(OLD), "green"), sealed));
        assertEquals(Opened.Reason.Forged, envelope(OLD).open(sealed, EnvelopeUse.Request).getRejection());
        assertEquals("hello", open(envelope(OLD), sealed));
    }

    @Test
    @DisplayName("every changed bit and every cut is found, and spoils nothing for the true one")
    void changed() {
        byte[] sealed = seal(envelope(OLD));
        AesGcmEnvelope receiver = envelope(OLD);
        for (int bit = 0; bit < sealed.length * 8; bit++) {
            byte[] changed = sealed.clone();
            changed[bit / 8] ^= (byte) (1 << (bit % 8));
            assertNull(receiver.open(changed, EnvelopeUse.Packet).getContent());
        }
        for (int length = 0; length < sealed.length; length++) {
            assertNull(receiver.open(Arrays.copyOf(sealed, length), EnvelopeUse.Packet).getContent());
        }
        assertEquals(Opened.Reason.Truncated, open(receiver, new byte[28]));
        assertEquals(Opened.Reason.UnknownVersion, open(receiver, new byte[29]));
        Random random = new Random(5);
        for (int i = 0; i < 10_000; i++) {
            byte[] noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            assertNull(receiver.open(noise, EnvelopeUse.Packet).getContent());
        }
        assertEquals("hello", open(receiver, sealed));
    }

    @Test
    @DisplayName("a key is changed in three steps, and members one step apart understand each other")
    void rotation() {
        KeyRing first = new KeyRing(OLD);
        KeyRing[] steps = {first, first.add(NEW), first.add(NEW).use(NEW), first.add(NEW).use(NEW).remove(OLD)};
        for (int step = 1; step < steps.length; step++) {
            AesGcmEnvelope behind = new AesGcmEnvelope(steps[step - 1], "blue");
            AesGcmEnvelope ahead = new AesGcmEnvelope(steps[step], "blue");
            assertEquals("hello", open(behind, seal(ahead)));
            assertEquals("hello", open(ahead, seal(behind)));
        }
        AesGcmEnvelope running = envelope(OLD);
        for (KeyRing step : steps) running.setKeys(step);
        assertEquals("hello", open(envelope(NEW), seal(running)));
        assertEquals(Opened.Reason.Forged, open(running, seal(envelope(OLD))));
    }

    @Test
    @DisplayName("a ring has at most three keys, one of them seals, and that one stays")
    void ring() {
        KeyRing three = new KeyRing(OLD).add(NEW).add(key(3)).add(key(3));
        assertEquals(3, three.getKeys().size());
        assertThrows(IllegalArgumentException.class, () -> three.add(key(4)));
        assertThrows(IllegalArgumentException.class, () -> three.remove(OLD));
        assertThrows(IllegalArgumentException.class, () -> new KeyRing(OLD).use(NEW));
        assertThrows(IllegalArgumentException.class, () -> new GossipKey(new byte[15]));
        assertThrows(IllegalArgumentException.class, () -> new AesGcmEnvelope(three, "x".repeat(256)));
        assertEquals(OLD, key(1));
        assertNotEquals(OLD, NEW);
    }

    @Test
    @DisplayName("no secret is printed")
    void secrets() {
        byte[] secret = "c4n4ry-c4n4ry-12".getBytes(StandardCharsets.UTF_8);
        GossipKey key = new GossipKey(secret);
        AesGcmEnvelope envelope = new AesGcmEnvelope(new KeyRing(key), "blue");
        for (Object printed : new Object[] {key, envelope.getKeys(), envelope}) {
            assertFalse(printed.toString().contains("c4n4ry"), printed.toString());
            assertFalse(printed.toString().contains(Arrays.toString(secret)), printed.toString());
        }
        assertEquals("AesGcmEnvelope(KeyRing(1 keys), label=blue)", envelope.toString());
        secret[0] = 0;
        assertNotEquals(secret[0], key.secret()[0]);
    }

    @Test
    @DisplayName("without an envelope everything is as it is")
    void insecure() {
        assertArrayEquals(CONTENT, seal(InsecureEnvelope.INSTANCE));
        assertEquals("hello", open(InsecureEnvelope.INSTANCE, CONTENT));
    }
}
