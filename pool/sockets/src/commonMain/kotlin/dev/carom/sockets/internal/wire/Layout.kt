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
    fun prefix(frame: Frame): ByteArray {
        val bytes = ByteArray(prefixSize + WORD * frame.header.size)
        if (typeSize == 1) bytes[0] = IN_BAND
        var at = bytes.put(typeSize, (frame.size ushr WORD_BITS).toInt())
        at = bytes.put(at, frame.size.toInt())
        for (word in frame.header) at = bytes.put(at, word)
        return bytes
    }

    companion object {
        const val LENGTH_SIZE = 8

        /** The type of a message whose bytes follow; the other known type, shared memory, is used by nobody. */
        const val IN_BAND: Byte = 1

        /** Largest frame, unless the user says otherwise: 1 MiB. */
        const val DEFAULT_LIMIT = 1 shl 20

        /** Largest frame at all: what fits into one array. */
        const val MOST = Int.MAX_VALUE - 8

        private const val WORD_BITS = 32

        private fun ByteArray.put(at: Int, word: Int): Int {
            for (i in 0 until WORD) this[at + i] = (word ushr (24 - 8 * i)).toByte()
            return at + WORD
        }
    }
}
