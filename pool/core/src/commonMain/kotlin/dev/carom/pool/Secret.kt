package dev.carom.pool

import kotlin.concurrent.Volatile
import kotlin.jvm.JvmStatic

/**
 * A password, token or key that never prints: `toString` is always `Secret(***)`. Not serializable. May be shared between
 * threads; [wipe] it when nobody uses it any more.
 *
 * The characters are kept apart from the caller's: what is passed in may be wiped at once.
 */
public class Secret(value: CharArray) {
    @Volatile
    private var chars: CharArray? = value.copyOf()

    /** Characters in it. Must not be wiped. */
    public val length: Int get() = held().size

    /**
     * Calls [block] with a copy of the characters, which is filled with zeros when [block] returns or throws. Must not keep
     * it.
     *
     * @throws IllegalStateException if this was wiped.
     */
    public fun <R> use(block: (CharArray) -> R): R {
        val copy = held().copyOf()
        try {
            return block(copy)
        } finally {
            copy.fill(BLANK)
        }
    }

    /**
     * The characters as a string, for interfaces that take nothing else. A string cannot be wiped: prefer [use].
     *
     * @throws IllegalStateException if this was wiped.
     */
    public fun reveal(): String = held().concatToString()

    /**
     * [text] without this secret, for messages of others: each occurrence, as it is and percent-encoded (RFC 3986, section
     * 2.1), becomes `***`. A secret that was wiped or is empty changes nothing.
     */
    public fun redact(text: String): String {
        val plain = chars?.concatToString().orEmpty()
        if (plain.isEmpty()) return text
        return text
            .replace(plain, MASK)
            .replace(encoded(plain), MASK, ignoreCase = true)
            .replace(encoded(plain).replace("%20", "+"), MASK, ignoreCase = true)
    }

    /** Fills the characters with zeros. Using it afterwards is an [IllegalStateException]. May be called again. */
    public fun wipe() {
        chars?.fill(BLANK)
        chars = null
    }

    /** Whether both have the same characters; takes the same time wherever they differ. A wiped one equals only itself. */
    override fun equals(other: Any?): Boolean {
        if (this === other) return true
        val mine = chars ?: return false
        val theirs = (other as? Secret)?.chars ?: return false
        var difference = mine.size xor theirs.size
        for (i in theirs.indices) {
            val at = if (mine.isEmpty()) 0 else mine[i % mine.size].code
            difference = difference or (at xor theirs[i].code)
        }
        return difference == 0
    }

    /** The same for all secrets: a hash would tell something about the characters. */
    override fun hashCode(): Int = 0

    /** Always `Secret(***)`. */
    override fun toString(): String = "Secret($MASK)"

    private fun held(): CharArray = checkNotNull(chars) { "the secret was wiped" }

    public companion object {
        private const val MASK = "***"
        private const val BLANK = '\u0000'
        private const val UNRESERVED = "-._~"
        private const val HEX = "0123456789ABCDEF"
        private const val BYTE = 0xff
        private const val NIBBLE = 4
        private const val LOW_NIBBLE = 0xf

        /** A secret with the characters of [text]. */
        @JvmStatic
        public fun of(text: String): Secret = Secret(text.toCharArray())

        private fun encoded(plain: String): String = buildString {
            for (byte in plain.encodeToByteArray()) {
                val char = (byte.toInt() and BYTE).toChar()
                if (char in 'a'..'z' || char in 'A'..'Z' || char in '0'..'9' || char in UNRESERVED) {
                    append(char)
                } else {
                    append('%').append(HEX[char.code shr NIBBLE]).append(HEX[char.code and LOW_NIBBLE])
                }
            }
        }
    }
}
