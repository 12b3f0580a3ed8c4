package dev.carom.samples.messaging.cat

import java.io.ByteArrayOutputStream

/** How a message is shown: the formats of nanocat and nngcat. */
enum class Format {
    No,
    Ascii,
    Hex,
    Msgpack,
    Quoted,
    Raw,
    ;

    /** What is printed for [message]. */
    fun of(message: ByteArray): ByteArray = when (this) {
        No -> NOTHING

        Raw -> message

        Ascii -> (
            message.joinToString("") {
                if (it in
                    PRINTABLE
                ) {
                    it.toInt().toChar().toString()
                } else {
                    "."
                }
            } + "\n"
            ).ascii()

        Hex -> ("\"" + message.joinToString("") { "\\x%02X".format(it) } + "\"\n").ascii()

        Quoted -> ("\"" + message.joinToString("", transform = ::escaped) + "\"\n").ascii()

        Msgpack -> packed(message)
    }

    private fun escaped(byte: Byte): String = when {
        byte == '\n'.code.toByte() -> "\\n"
        byte == '\r'.code.toByte() -> "\\r"
        byte == '"'.code.toByte() || byte == '\\'.code.toByte() -> "\\" + byte.toInt().toChar()
        byte in PRINTABLE -> byte.toInt().toChar().toString()
        else -> "\\x%02x".format(byte)
    }

    /** A `bin` of the smallest kind that holds it. */
    private fun packed(message: ByteArray): ByteArray {
        val out = ByteArrayOutputStream(message.size + MOST_HEAD)
        val sizeBytes = if (message.size < 1 shl 8) {
            1
        } else if (message.size < 1 shl 16) {
            2
        } else {
            4
        }
        out.write(BIN_8 + sizeBytes.countTrailingZeroBits())
        for (i in sizeBytes - 1 downTo 0) out.write(message.size ushr (8 * i))
        out.write(message)
        return out.toByteArray()
    }

    private fun String.ascii() = toByteArray(Charsets.US_ASCII)

    private companion object {
        val NOTHING = ByteArray(0)
        val PRINTABLE = ' '.code.toByte()..'~'.code.toByte()
        const val BIN_8 = 0xC4
        const val MOST_HEAD = 5
    }
}
