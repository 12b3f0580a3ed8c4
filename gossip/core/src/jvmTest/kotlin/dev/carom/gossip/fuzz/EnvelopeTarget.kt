package dev.carom.gossip.fuzz

import dev.carom.fuzz.FuzzTarget
import dev.carom.gossip.AesGcmEnvelope
import dev.carom.gossip.EnvelopeUse
import dev.carom.gossip.GossipKey
import dev.carom.gossip.KeyRing
import dev.carom.gossip.Opened
import java.security.SecureRandom
import kotlin.random.asKotlinRandom

/**
 * Three bytes: whether to open the rest as it is, or to seal it and change one byte of the envelope: which, and how.
 * Only what was sealed is opened, once, and for the same use.
 */
internal class EnvelopeTarget : FuzzTarget(fixed = 262_144, perByte = 64) {
    override fun prepare(): (ByteArray) -> Unit {
        // Keys of its own each time: the fuzzer remembers sealed bytes that it has seen compared, and tries those.
        val ring = KeyRing(GossipKey(DICE.nextBytes(16))).add(GossipKey(DICE.nextBytes(32)))
        val sender = AesGcmEnvelope(ring, "fuzz")
        val receiver = AesGcmEnvelope(ring, "fuzz")
        return { input -> if (input.size >= HEAD) take(sender, receiver, input) }
    }

    private fun take(sender: AesGcmEnvelope, receiver: AesGcmEnvelope, input: ByteArray) {
        val content = input.copyOfRange(HEAD, input.size)
        val use = EnvelopeUse.entries[(input[0].toInt() and 0xFF) % EnvelopeUse.entries.size]
        check(receiver.open(content, use).content == null) { "opened what nobody sealed" }
        val sealed = sender.seal(content, use)
        val at = (input[1].toInt() and 0xFF) % sealed.size
        val changed = sealed.copyOf().also { it[at] = (it[at].toInt() xor input[2].toInt()).toByte() }
        if (!changed.contentEquals(sealed)) {
            check(receiver.open(changed, use).content == null) {
                "byte $at was changed"
            }
        }
        for (other in EnvelopeUse.entries - use) check(receiver.open(sealed, other).content == null) { "as $other" }
        check(receiver.open(sealed, use).content.contentEquals(content)) { "does not open" }
        check(receiver.open(sealed, use).rejection == Opened.Reason.Replayed) { "opened twice" }
    }

    private companion object {
        const val HEAD = 3
        val DICE = SecureRandom().asKotlinRandom()
    }
}
