package dev.carom.sockets.internal.wire

/**
 * The way back of a request (sp-reqrep): one word per hop, and last the id, the only one whose highest bit is set.
 */
internal sealed interface Backtrace {
    class Complete(val words: IntArray, val body: Body) : Backtrace

    /** More words than allowed, the id counted: the message has been going round. */
    data object TooLong : Backtrace

    data class Broken(val violation: Violation) : Backtrace

    companion object {
        /** Most hops of a message, the request id counted as one. */
        const val DEFAULT_HOPS = 8

        /** Reads at most [maxHops] words; allocates no more than those. */
        fun read(frame: Body, maxHops: Int): Backtrace {
            var count = 0
            while (count < maxHops) {
                val at = count++ * WORD
                if (frame.size - at < WORD) return Broken(Violation.ShortHeader(frame.size))
                if (frame.word(at) < 0) {
                    return Complete(IntArray(count) { frame.word(it * WORD) }, frame.drop(count * WORD))
                }
            }
            return TooLong
        }
    }
}
