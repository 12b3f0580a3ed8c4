package dev.carom.sockets.internal.wire

/** How messages stand in a byte stream: a length of 64 bits in front of each, over IPC a type of one byte before it. */
internal enum class Layout(val typeSize: Int) {
    /** TCP and TLS (sp-tcp-mapping). */
    Stream(0),

    /** Unix-domain sockets (sp-ipc-mapping). */
    Ipc(1),
    ;

    val prefixSize: Int get() = typeSize + LENGTH_SIZE

    /** What goes on the wire in front of the body: type, length, header. */
    fun prefix(frame: Frame): ByteArray = ByteArray(sizeOf(frame.header)).also {
        put(frame.header, frame.body.size, it)
    }

    /** Bytes of the [prefix] of a frame with this [header]. */
    fun sizeOf(header: IntArray): Int = prefixSize + WORD * header.size

    /** Room for the prefix of a frame whose header has at most [MOST_IN_PLACE] words. */
    fun room(): ByteArray = ByteArray(prefixSize + WORD * MOST_IN_PLACE)

    /** Puts the [prefix] of a frame of [header] and so many bytes of [body] at the beginning of [bytes]; returns its size. */
    fun put(header: IntArray, body: Int, bytes: ByteArray): Int {
        if (typeSize == 1) bytes[0] = IN_BAND
        val size = WORD.toLong() * header.size + body
        var at = bytes.put(typeSize, (size ushr WORD_BITS).toInt())
        at = bytes.put(at, size.toInt())
        for (word in header) at = bytes.put(at, word)
        return at
    }

    companion object {
        const val LENGTH_SIZE = 8

        /** The type of a message whose bytes follow; the other known type, shared memory, is used by nobody. */
        const val IN_BAND: Byte = 1

        /** Largest frame, unless the user says otherwise: 1 MiB. */
        const val DEFAULT_LIMIT = 1 shl 20

        /** Largest frame at all: what fits into one array. */
        const val MOST = Int.MAX_VALUE - 8

        /** Longer headers, of messages that went through many hops, are put elsewhere. */
        const val MOST_IN_PLACE = 4

        private const val WORD_BITS = 32

        private fun ByteArray.put(at: Int, word: Int): Int {
            for (i in 0 until WORD) this[at + i] = (word ushr (24 - 8 * i)).toByte()
            return at + WORD
        }
    }
}
