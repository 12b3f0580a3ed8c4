package dev.carom.gossip

import dev.carom.gossip.internal.ReplayWindow
import java.nio.ByteBuffer
import java.security.GeneralSecurityException
import java.security.SecureRandom
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.spec.GCMParameterSpec
import javax.crypto.spec.SecretKeySpec

/**
 * AES-GCM (NIST SP 800-38D) with the JDK's own cipher: nobody without a key of the ring can read, write, or change a
 * content; nobody can repeat one; and clusters with different labels do not hear each other even with the same key.
 *
 * ```
 * 01  epoch (8 bytes)  number (4 bytes)  ciphertext  tag (16 bytes)
 * ```
 * Epoch and number are the nonce: the epoch is drawn at random when the envelope is made and after 2³² messages, the
 * number counts up. The version, the label and the use are authenticated. A replay is known as such as long as the
 * receiver remembers the epoch (16,384 of them) within the last 1,024 messages of it; what is further behind is
 * rejected. A receiver that has just started knows no epochs: that a packet is for its very identity is then checked
 * by [Swim].
 *
 * @param keys the keys; may be exchanged at any time.
 * @param label the cluster's name, at most 255 bytes of UTF-8. Not secret, not sent.
 */
public class AesGcmEnvelope(keys: KeyRing, public val label: String) : Envelope {
    private val random = SecureRandom()
    private val context = label.encodeToByteArray()
    private val sealer = Cipher.getInstance(TRANSFORMATION)
    private val opener = Cipher.getInstance(TRANSFORMATION)
    private val window = ReplayWindow()
    private var epoch = random.nextLong()
    private var number = 0L

    @Volatile
    private var secrets = secretsOf(keys)

    /** The keys. Setting them takes effect with the next message. */
    @Volatile
    public var keys: KeyRing = keys
        set(value) {
            secrets = secretsOf(value)
            field = value
        }

    init {
        require(context.size <= MAX_LABEL) { "label must have at most $MAX_LABEL bytes, had ${context.size}" }
    }

    override val overhead: Int get() = OVERHEAD

    override fun seal(content: ByteArray, use: EnvelopeUse): ByteArray {
        val sealed = ByteBuffer.allocate(OVERHEAD + content.size)
        sealed.put(VERSION).putLong(epoch).putInt(number.toInt())
        val nonce = sealed.array().copyOfRange(1, 1 + NONCE)
        sealer.init(Cipher.ENCRYPT_MODE, secrets.first(), GCMParameterSpec(TAG_BITS, nonce))
        sealer.updateAAD(associated(use))
        sealer.doFinal(content, 0, content.size, sealed.array(), 1 + NONCE)
        if (++number == MESSAGES) {
            epoch = random.nextLong()
            number = 0
        }
        return sealed.array()
    }

    override fun open(sealed: ByteArray, use: EnvelopeUse): Opened {
        if (sealed.size < OVERHEAD) return Opened.rejected(Opened.Reason.Truncated)
        if (sealed[0] != VERSION) return Opened.rejected(Opened.Reason.UnknownVersion)
        val content = secrets.firstNotNullOfOrNull { decrypt(it, sealed, use) }
            ?: return Opened.rejected(Opened.Reason.Forged)
        // Only now: whoever has no key must not move the window.
        val head = ByteBuffer.wrap(sealed, 1, NONCE)
        val fresh = window.accept(head.getLong(), head.getInt().toLong() and 0xffff_ffff)
        return if (fresh) Opened.holding(content) else Opened.rejected(Opened.Reason.Replayed)
    }

    private fun decrypt(key: SecretKeySpec, sealed: ByteArray, use: EnvelopeUse): ByteArray? = try {
        opener.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, sealed, 1, NONCE))
        opener.updateAAD(associated(use))
        opener.doFinal(sealed, 1 + NONCE, sealed.size - 1 - NONCE)
    } catch (_: AEADBadTagException) {
        null
    } catch (failure: GeneralSecurityException) {
        throw IllegalStateException("the JDK cannot open AES-GCM", failure)
    }

    private fun associated(use: EnvelopeUse): ByteArray =
        byteArrayOf(VERSION, use.ordinal.toByte(), context.size.toByte()) + context

    private fun secretsOf(ring: KeyRing): List<SecretKeySpec> = ring.keys.map { SecretKeySpec(it.secret(), "AES") }

    override fun toString(): String = "AesGcmEnvelope($keys, label=$label)"

    private companion object {
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val VERSION: Byte = 1
        const val NONCE = 12
        const val TAG_BITS = 128
        const val OVERHEAD = 1 + NONCE + TAG_BITS / 8
        const val MAX_LABEL = 255
        const val MESSAGES = 1L shl 32
    }
}
