package dev.carom.gossip

import kotlin.jvm.JvmName

/**
 * Writes into a bounded buffer. Nothing here throws for want of room: what does not fit sets [overflowed] and is
 * dropped, and the caller goes back to a [position] from before. In Java: `writeByte`, `writeShort`, `writeLong`.
 *
 * @param limit most bytes; 1 or more. The buffer grows up to it as needed.
 */
public class PacketWriter(limit: Int) {
    /** Most bytes. */
    public var limit: Int = limit
        private set
    private var buffer = ByteArray(minOf(limit, INITIAL))

    /** Bytes written. */
    public var position: Int = 0
        private set

    /** Something did not fit. */
    public var overflowed: Boolean = false
        private set

    /** Bytes that still fit. */
    public val remaining: Int get() = limit - position

    init {
        require(limit > 0) { "limit must be positive, was $limit" }
    }

    /** One byte: the low eight bits of [value]. */
    @JvmName("writeByte")
    public fun byte(value: Int) {
        if (!reserve(1)) return
        buffer[position++] = value.toByte()
    }

    /** Two bytes, high first: the low sixteen bits of [value]. */
    @JvmName("writeShort")
    public fun short(value: Int) {
        if (!reserve(2)) return
        buffer[position++] = (value ushr 8).toByte()
        buffer[position++] = value.toByte()
    }

    /** Eight bytes, high first. */
    @JvmName("writeLong")
    public fun long(value: Long) {
        if (!reserve(Long.SIZE_BYTES)) return
        for (shift in 56 downTo 0 step 8) buffer[position++] = (value ushr shift).toByte()
    }

    /** Seven bits per byte, low group first (LEB128), of [value] as an unsigned number: 1 to 10 bytes. */
    public fun varint(value: Long) {
        if (!reserve(varintSize(value))) return
        var rest = value
        while (rest and 0x7f.inv().toLong() != 0L) {
            buffer[position++] = (rest.toInt() or 0x80).toByte()
            rest = rest ushr 7
        }
        buffer[position++] = rest.toInt().toByte()
    }

    /** All of [value]. */
    public fun bytes(value: ByteArray) {
        if (!reserve(value.size)) return
        value.copyInto(buffer, position)
        position += value.size
    }

    /** So many zeros. */
    public fun zeros(count: Int) {
        if (!reserve(count)) return
        buffer.fill(0, position, position + count)
        position += count
    }

    /** UTF-8, its length in bytes first as a [varint]. */
    public fun string(value: String) {
        val encoded = value.encodeToByteArray()
        varint(encoded.size.toLong())
        bytes(encoded)
    }

    /** Forgets what was written after [position], and the overflow. */
    public fun rewind(position: Int) {
        require(position in 0..this.position) { "position must be in 0..${this.position}, was $position" }
        this.position = position
        overflowed = false
    }

    /** A copy of what was written. */
    public fun toByteArray(): ByteArray = buffer.copyOf(position)

    /** Starts afresh with another limit. */
    internal fun restart(limit: Int) {
        this.limit = limit
        position = 0
        overflowed = false
    }

    /** Overwrites two bytes written before. */
    internal fun patchShort(at: Int, value: Int) {
        buffer[at] = (value ushr 8).toByte()
        buffer[at + 1] = value.toByte()
    }

    private fun reserve(count: Int): Boolean {
        // Once over, always over: a later, smaller piece must not slip in behind a missing one.
        if (overflowed || count > limit - position) {
            overflowed = true
            return false
        }
        if (position + count > buffer.size) {
            buffer = buffer.copyOf(minOf(limit.toLong(), maxOf(buffer.size * 2L, position.toLong() + count)).toInt())
        }
        return true
    }

    internal companion object {
        private const val INITIAL = 2_048

        fun varintSize(value: Long): Int = (Long.SIZE_BITS - 1 - (value or 1).countLeadingZeroBits()) / 7 + 1
    }
}
