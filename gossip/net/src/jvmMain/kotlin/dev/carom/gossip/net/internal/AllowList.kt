package dev.carom.gossip.net.internal

import dev.carom.gossip.Admission
import dev.carom.gossip.NodeId
import java.net.InetAddress

/** Ranges of addresses, as CIDR (RFC 4632, RFC 4291) writes them; none: everybody. */
internal class AllowList(texts: List<String>) {
    private val ranges = texts.map(AddressRange::parse)

    /** Null: everybody. */
    val admission: Admission<NodeId>? = if (ranges.isEmpty()) null else Admission { admits(it.at.ip()) }

    /** Whether a datagram or a stream from [address] is read. */
    fun admits(address: ByteArray): Boolean = ranges.isEmpty() || ranges.any { address in it }
}

/** The addresses whose first [bits] bits are those of [first]. */
internal class AddressRange private constructor(private val first: ByteArray, private val bits: Int) {
    operator fun contains(address: ByteArray): Boolean {
        if (address.size != first.size) return false
        val whole = bits / Byte.SIZE_BITS
        for (i in 0 until whole) if (address[i] != first[i]) return false
        val rest = bits % Byte.SIZE_BITS
        return rest == 0 ||
            ((address[whole].toInt() xor first[whole].toInt()) and 0xff) ushr (Byte.SIZE_BITS - rest) == 0
    }

    companion object {
        fun parse(text: String): AddressRange {
            val literal = text.substringBefore('/')
            // Digits, dots and colons only: a name must not be looked up here.
            require(literal.isNotEmpty() && LITERAL.matches(literal)) { wrong(text) }
            val first = if (':' in literal) ipv6(literal, text) else ipv4(literal, text)
            val all = first.size * Byte.SIZE_BITS
            val bits = if ('/' in text) text.substringAfter('/').toIntOrNull() else all
            require(bits != null && bits in 0..all) { wrong(text) }
            return AddressRange(first, bits)
        }

        private fun ipv4(literal: String, text: String): ByteArray {
            val octets = literal.split('.').map { it.toIntOrNull() ?: -1 }
            require(octets.size == V4_BYTES && octets.all { it in 0..MAX_OCTET }) { wrong(text) }
            return ByteArray(octets.size) { octets[it].toByte() }
        }

        private fun ipv6(literal: String, text: String): ByteArray {
            val parsed = runCatching { InetAddress.getByName("[$literal]").address }.getOrNull()
            return requireNotNull(parsed?.takeIf { it.size == V6_BYTES }) { wrong(text) }
        }

        private fun wrong(text: String) = "a range must be address/bits, as 10.0.0.0/8 or 2001:db8::/32, was \"$text\""

        private val LITERAL = Regex("[0-9a-fA-F:.]+")
        private const val MAX_OCTET = 255
        private const val V4_BYTES = 4
        private const val V6_BYTES = 16
    }
}
