package dev.carom.gossip.resolver

import dev.carom.gossip.PacketReader
import dev.carom.gossip.PacketWriter
import dev.carom.gossip.SwimPolicy
import kotlin.jvm.JvmStatic

/**
 * What a member offers, as bytes of its metadata: `CA 01`, the number of offers, and each behind its length, so that
 * what a later version appends to an offer is passed over by this one. Numbers are varints, strings UTF-8 behind their
 * length.
 */
public object Offers {
    private const val MAGIC = 0xCA
    private const val VERSION = 1
    private const val DRAINING = 1

    /** Most offers of one member. */
    public const val MOST: Int = 256

    /**
     * The bytes of [offers], for [dev.carom.gossip.Gossip.updateMetadata].
     *
     * @throws IllegalArgumentException if there are more than [MOST], or they take more than
     *   [SwimPolicy.MAX_METADATA] bytes.
     */
    @JvmStatic
    public fun encode(offers: List<Offer>): ByteArray {
        require(offers.size <= MOST) { "a member has at most $MOST offers, was ${offers.size}" }
        val writer = PacketWriter(SwimPolicy.MAX_METADATA)
        writer.byte(MAGIC)
        writer.byte(VERSION)
        writer.varint(offers.size.toLong())
        for (offer in offers) {
            val one = write(offer)
            writer.varint(one.position.toLong())
            writer.bytes(one.toByteArray())
            require(!one.overflowed && !writer.overflowed) {
                "${offers.size} offers must fit in ${SwimPolicy.MAX_METADATA} bytes, do not from \"${offer.role}\" on"
            }
        }
        return writer.toByteArray()
    }

    /**
     * The offers in [metadata]; null: these are not the bytes of [encode], or of a version that changed more than it
     * appended. Never throws for what the bytes are, and allocates no more than a few times their number.
     */
    @JvmStatic
    public fun decode(metadata: ByteArray): List<Offer>? {
        val reader = PacketReader(metadata)
        if (reader.byte() != MAGIC || reader.byte() != VERSION) return null
        val count = reader.varint(Int.SIZE_BITS)
        if (count > MOST || count > reader.remaining) return null
        val offers = ArrayList<Offer>(count.toInt())
        repeat(count.toInt()) {
            val length = reader.varint(Int.SIZE_BITS)
            if (length > reader.remaining) return null
            offers += read(PacketReader(reader.bytes(length.toInt()))) ?: return null
        }
        return if (reader.failed || reader.remaining > 0) null else offers
    }

    private fun write(offer: Offer): PacketWriter = PacketWriter(SwimPolicy.MAX_METADATA).apply {
        string(offer.role)
        varint(offer.port.toLong())
        string(offer.host.orEmpty())
        string(offer.zone.orEmpty())
        varint(offer.priority.toLong())
        varint(offer.weight.toLong())
        byte(if (offer.draining) DRAINING else 0)
        varint(offer.tags.size.toLong())
        for ((key, value) in offer.tags) {
            string(key)
            string(value)
        }
    }

    private fun read(reader: PacketReader): Offer? {
        val role = reader.text()
        val port = reader.number()
        val host = reader.text().ifEmpty { null }
        val zone = reader.text().ifEmpty { null }
        val priority = reader.number()
        val weight = reader.number()
        val flags = reader.byte()
        val count = reader.varint(Int.SIZE_BITS)
        if (count > reader.remaining) return null
        val tags = LinkedHashMap<String, String>()
        repeat(count.toInt()) { tags[reader.text()] = reader.text() }
        if (reader.failed || role.isEmpty() || port !in 1..Offer.MOST) return null
        return Offer(role, port, host, zone, priority, weight, flags and DRAINING != 0, tags)
    }

    private fun PacketReader.text() = string(SwimPolicy.MAX_METADATA)

    private fun PacketReader.number() = varint(Short.SIZE_BITS).toInt()
}
