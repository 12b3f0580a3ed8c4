package dev.carom.sockets.internal.wire

/**
 * Cuts a byte stream into frames, however it is chopped. Never throws on input; after a [violation] it takes no more.
 *
 *     Prefix ──all 8 or 9 bytes──► Payload ──all announced bytes──► Prefix
 *        └──unknown type, announced more than the limit──► violation
 *
 * A length is checked before anything is allocated, and the array of a payload grows with what has come: it is never
 * larger than 1 KiB or twice the bytes that are there, so an announcement alone costs nothing.
 *
 * @param limit largest frame, header and body, in bytes; 0..[Layout.MOST], 0 allows only empty ones.
 */
internal class FrameParser(private val framing: Layout, private val limit: Int = Layout.DEFAULT_LIMIT) {
    private val prefix = ByteArray(framing.prefixSize)
    private var prefixed = 0
    private var payload = NOTHING
    private var expected = -1
    private var filled = 0

    init {
        require(limit in 0..Layout.MOST) { "limit must be in 0..${Layout.MOST} bytes, was $limit" }
    }

    var violation: Violation? = null
        private set

    /** Bytes allocated for the frame that is coming in. */
    val allocated: Int get() = payload.size

    /** Whether the stream may end here without cutting a frame in two. */
    val atBoundary: Boolean get() = prefixed == 0 && expected < 0

    /**
     * Takes [input] from [from] until [to], and gives each complete frame to [deliver], which says whether to go on.
     * Returns where it stopped: [to], unless [deliver] said no or there was a violation.
     */
    fun feed(input: ByteArray, from: Int = 0, to: Int = input.size, deliver: (Body) -> Boolean): Int {
        var at = from
        var more = true
        while (more && violation == null && at < to) {
            val whole = if (prefixed == 0) wholeAt(input, at, to) else null
            if (whole != null) {
                at += prefix.size + whole.size
                more = deliver(whole)
                continue
            }
            if (expected < 0) at = takePrefix(input, at, to)
            if (expected >= 0) {
                at = takePayload(input, at, to)
                if (filled == expected) more = deliver(finish())
            }
        }
        return at
    }

    /** The short way of a frame that is all there, and as it should be. */
    private fun wholeAt(input: ByteArray, from: Int, to: Int): Body? {
        val start = from + prefix.size
        if (start > to || (framing.typeSize == 1 && input[from] != Layout.IN_BAND)) return null
        val length = input.word(start - WORD)
        val fits = input.word(start - 2 * WORD) == 0 && length in 0..limit && length <= to - start
        return if (fits) Body(input.copyOfRange(start, start + length)) else null
    }

    private fun takePrefix(input: ByteArray, from: Int, to: Int): Int {
        val count = minOf(to - from, prefix.size - prefixed)
        input.copyInto(prefix, prefixed, from, from + count)
        prefixed += count
        if (framing.typeSize == 1 && prefix[0] != Layout.IN_BAND) {
            violation = Violation.UnknownType(prefix.octet(0))
        } else if (prefixed == prefix.size) {
            announce(input, from + count, to)
        }
        return from + count
    }

    private fun announce(input: ByteArray, at: Int, to: Int) {
        val high = prefix.word(framing.typeSize).toUInt().toULong()
        val length = (high shl 32) or prefix.word(framing.typeSize + WORD).toUInt().toULong()
        // Without sign: 2^63 and above are lengths like any other, and too large.
        if (length > limit.toULong()) {
            violation = Violation.TooLarge(length, limit, if (to - at >= WORD) input.word(at) else null)
        } else {
            expected = length.toInt()
            filled = 0
        }
    }

    private fun takePayload(input: ByteArray, from: Int, to: Int): Int {
        val count = minOf(to - from, expected - filled)
        makeRoom(filled + count)
        input.copyInto(payload, filled, from, from + count)
        filled += count
        return from + count
    }

    private fun makeRoom(needed: Int) {
        if (needed <= payload.size) return
        val doubled = minOf(maxOf(needed * 2L, FIRST_ROOM.toLong()), expected.toLong()).toInt()
        payload = payload.copyOf(doubled)
    }

    private fun finish(): Body {
        // Room never exceeds what was announced, and all of that is here: the array fits.
        val body = Body(payload)
        payload = NOTHING
        expected = -1
        prefixed = 0
        return body
    }

    private companion object {
        const val FIRST_ROOM = 1024
        val NOTHING = ByteArray(0)
    }
}
