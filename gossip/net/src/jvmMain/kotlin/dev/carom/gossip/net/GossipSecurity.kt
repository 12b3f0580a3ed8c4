package dev.carom.gossip.net

import dev.carom.gossip.AesGcmEnvelope
import dev.carom.gossip.Envelope
import dev.carom.gossip.InsecureEnvelope
import dev.carom.gossip.KeyRing
import java.util.concurrent.atomic.AtomicBoolean

/** Who may speak in the cluster. One for each member: it counts that member's messages. */
public class GossipSecurity private constructor(private val envelope: Envelope) {
    private val taken = AtomicBoolean()

    /** Whether anybody at all may read, forge and replay. */
    public val isInsecure: Boolean get() = envelope === InsecureEnvelope

    /**
     * The keys; null if [isInsecure]. Setting them takes effect with the next message, while the member runs. See
     * [KeyRing] for the order of steps.
     */
    public val keys: KeyRing? get() = (envelope as? AesGcmEnvelope)?.keys

    /**
     * Uses [keys] from the next message on.
     *
     * @throws IllegalStateException if [isInsecure].
     */
    public fun rotate(keys: KeyRing) {
        val sealed = envelope as? AesGcmEnvelope
        checkNotNull(sealed) { "there are no keys: this member is insecure" }.keys = keys
    }

    internal fun take(): Envelope {
        check(taken.compareAndSet(false, true)) { "a GossipSecurity serves one member only: make another one" }
        return envelope
    }

    override fun toString(): String = "GossipSecurity(${if (isInsecure) "insecure" else envelope.toString()})"

    public companion object {
        /**
         * AES-GCM with [keys] ([AesGcmEnvelope]); clusters with another [label], at most 255 bytes of UTF-8, are not
         * heard even with the same keys.
         */
        @JvmStatic
        public fun encrypted(keys: KeyRing, label: String): GossipSecurity = GossipSecurity(AesGcmEnvelope(keys, label))

        /** No keys: whoever reaches the port can read everything, and declare anybody dead. */
        @JvmStatic
        public fun insecure(): GossipSecurity = GossipSecurity(InsecureEnvelope)
    }
}
