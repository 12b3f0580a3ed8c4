package dev.carom.gossip

import kotlin.jvm.JvmName

/**
 * Reads what the network sent. Nothing here throws for what the bytes are: the first thing wrong sets [failure],
 * everything read after it is zero or empty, and the caller looks at [failed] once, at the end. No length is believed
 * before it is compared with what is there, so that nothing larger than the input is ever allocated. In Java:
 * `readByte`, `readShort`, `readLong`.
 */
public class PacketReader(private val bytes: ByteArray) {
    private var position = 0

    /** What is wrong with the input; null: nothing so far. */
    public var failure: String? = null
        private set

    /** Whether something is wrong with the input. */
    public val failed: Boolean get() = failure != null

    /** Bytes left; 0 once [failed]. */
    public val remaining: Int get() = if (failed) 0 else bytes.size - position

    /** Declares the input wrong. The first reason stays. */
    public fun fail(reason: String) {
        if (failure == null) failure = reason
    }

    /** One byte, 0..255. */
    @JvmName("readByte")
    public fun byte(): Int {
        if (!has(1)) return 0
        return bytes[position++].toInt() and 0xff
    }

    /** Two bytes, high first, 0..65535. */
    @JvmName("readShort")
    public fun short(): Int {
        if (!has(2)) return 0
        return (byte() shl 8) or byte()
    }

    /** Eight bytes, high first. */
    @JvmName("readLong")
    public fun long(): Long {
        if (!has(Long.SIZE_BYTES)) return 0
        var value = 0L
        repeat(Long.SIZE_BYTES) { value = (value shl 8) or byte().toLong() }
        return value
    }

    /**
     * An unsigned LEB128 number of at most [bits] bits (1..64): as many bytes as that takes, minimal or not, as
     * postcard reads it. More bytes, or bits beyond [bits] in the last one, are a failure.
     */
    public fun varint(bits: Int): Long {
        val most = (bits + 6) / 7
        var value = 0L
        for (i in 0 until most) {
            val next = byte()
            if (failed) return 0
            if (i == most - 1 && next ushr (bits - 7 * i) != 0) break
            value = value or ((next and 0x7f).toLong() shl (7 * i))
            if (next and 0x80 == 0) return value
        }
        fail("a number of more than $bits bits")
        return 0
    }

    /** The next [count] bytes; empty and a failure if there are fewer. */
    public fun bytes(count: Int): ByteArray {
        if (count < 0 || !has(count)) {
            fail("a negative length")
            return NONE
        }
        position += count
        return bytes.copyOfRange(position - count, position)
    }

    /** Goes past the next [count] bytes. */
    public fun skip(count: Int) {
        if (count < 0 || !has(count)) fail("a negative length") else position += count
    }

    /** UTF-8 of at most [most] bytes, its length first as a varint. Bytes that are not UTF-8 are a failure. */
    public fun string(most: Int): String {
        val length = varint(Int.SIZE_BITS)
        if (length > most) {
            fail("a string of $length bytes, at most $most allowed")
            return ""
        }
        val encoded = bytes(length.toInt())
        // Malformed input becomes the replacement character, which its own encoding gives away.
        val text = encoded.decodeToString()
        if (REPLACEMENT in text && !text.encodeToByteArray().contentEquals(encoded)) fail("a string that is not UTF-8")
        return if (failed) "" else text
    }

    private fun has(count: Int): Boolean {
        if (failed) return false
        if (count <= bytes.size - position) return true
        fail("$count more bytes expected, ${bytes.size - position} left")
        return false
    }

    private companion object {
        val NONE = ByteArray(0)
        const val REPLACEMENT = '\uFFFD'
    }
}
