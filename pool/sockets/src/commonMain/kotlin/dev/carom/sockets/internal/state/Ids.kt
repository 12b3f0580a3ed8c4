package dev.carom.sockets.internal.state

import kotlin.random.Random

/**
 * Ids of requests and surveys: 31 bits that count up from a random start, under a highest bit that is always set. An id
 * in use is skipped.
 */
internal class Ids(random: Random) {
    private var last = random.nextInt()

    fun next(used: (Int) -> Boolean): Int {
        do last++ while (used(last or MARK))
        return last or MARK
    }

    private companion object {
        const val MARK = Int.MIN_VALUE
    }
}
