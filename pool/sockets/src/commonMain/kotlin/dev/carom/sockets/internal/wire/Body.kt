package dev.carom.sockets.internal.wire

/** Bytes of a message from [from] to the end of [bytes]: a header is cut off without a copy. Nobody writes to them. */
internal class Body(val bytes: ByteArray, val from: Int = 0) {
    val size: Int get() = bytes.size - from

    operator fun get(index: Int): Byte = bytes[from + index]

    /** The big-endian word at [index]; four bytes must be there. */
    fun word(index: Int): Int = bytes.word(from + index)

    fun drop(count: Int): Body = Body(bytes, from + count)

    fun toByteArray(): ByteArray = bytes.copyOfRange(from, bytes.size)

    override fun equals(other: Any?): Boolean =
        other is Body && size == other.size && (0 until size).all { this[it] == other[it] }

    override fun hashCode(): Int = toByteArray().contentHashCode()

    /** The size only: what is in a message is nobody's business in a log. */
    override fun toString(): String = "Body($size bytes)"
}

/** What goes to a pipe: the words of the [header], then the [body]. */
internal class Frame(val header: IntArray, val body: Body) {
    constructor(body: Body) : this(NO_HEADER, body)

    /** Bytes of header and body. */
    val size: Long get() = header.size * WORD.toLong() + body.size

    override fun equals(other: Any?): Boolean =
        other is Frame && header.contentEquals(other.header) && body == other.body

    override fun hashCode(): Int = 31 * header.contentHashCode() + body.hashCode()

    override fun toString(): String = "Frame(${header.joinToString { it.toUInt().toString(HEX) }}; ${body.size} bytes)"

    private companion object {
        val NO_HEADER = IntArray(0)
        const val HEX = 16
    }
}

internal const val WORD = 4

internal fun ByteArray.word(at: Int): Int =
    (this[at].toInt() shl 24) or (octet(at + 1) shl 16) or (octet(at + 2) shl 8) or octet(at + 3)

internal fun ByteArray.octet(at: Int): Int = this[at].toInt() and 0xFF
