package dev.carom.pool.internal

import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicLongArray
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/**
 * Which connections are free: one bit each, 63 to a word; the top bit of every word says that somebody waits.
 *
 * Taking is one compare-and-set, giving back another. While the top bits are up, [take] and [give] refuse: whoever comes
 * later goes by the queue and overtakes nobody. What is free then is what no waiter may have; it stays for [raise] and
 * [seize]. The top bits are raised and lowered by one thread at a time (the desk sees to that); everything else is free
 * for all.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class FreeSlots(val capacity: Int) {
    val words = (capacity + BITS - 1) / BITS

    /** Words lie a cache line apart. */
    private val bits = AtomicLongArray(words * STRIDE)

    /** For each word, whose its connections are. Replaced as a whole. */
    @Volatile
    private var owners: Array<Owners> = Array(words) { Owners(LongArray(0), null) }

    /** Where the next search begins. Threads may race on it: it only spreads the load. */
    private var cursor = 0

    /**
     * Takes a free connection, of those in [among] (null: of all), of the backend with the smallest share on loan, or
     * returns -1.
     */
    fun take(among: LongArray? = null): Int {
        val from = cursor
        for (i in 0 until words) {
            val word = if (words == 1) 0 else (from + i) % words
            while (true) {
                val free = bits.loadAt(word * STRIDE)
                val usable = if (among == null) free else free and among[word]
                if (free <= 0 || usable == 0L) break
                val bit = choose(free, usable, word, from % BITS)
                if (bits.compareAndSetAt(word * STRIDE, free, free xor (1L shl bit))) {
                    cursor = if (bit + 1 < BITS) bit + 1 else 0
                    return bit * words + word
                }
            }
        }
        return -1
    }

    /** Gives [index] back. False: somebody waits, so it was not; hand it over. */
    fun give(index: Int): Boolean {
        val at = index % words * STRIDE
        val bit = 1L shl (index / words)
        while (true) {
            val free = bits.loadAt(at)
            if (free < 0) return false
            if (bits.compareAndSetAt(at, free, free or bit)) return true
        }
    }

    /** Takes just this one, if it is free. */
    fun seize(index: Int): Boolean {
        val at = index % words * STRIDE
        val bit = 1L shl (index / words)
        while (true) {
            val free = bits.loadAt(at)
            if (free and bit == 0L) return false
            if (bits.compareAndSetAt(at, free, free xor bit)) return true
        }
    }

    fun isFree(index: Int): Boolean = bits.loadAt(index % words * STRIDE) and (1L shl (index / words)) != 0L

    /** Free connections; exact only if nobody else is at it. */
    fun count(): Int = (0 until words).sumOf { (bits.loadAt(it * STRIDE) and Long.MAX_VALUE).countOneBits() }

    /** Makes [index] free although somebody waits: it is of no use to any waiter. */
    fun stash(index: Int) {
        val at = index % words * STRIDE
        val bit = 1L shl (index / words)
        while (true) {
            val free = bits.loadAt(at)
            if (bits.compareAndSetAt(at, free, free or bit)) return
        }
    }

    /**
     * Says that somebody waits for one of those in [among] (null: for any). If such a one is free after all, takes it and
     * returns its index; else -1.
     */
    fun raise(among: LongArray? = null): Int {
        for (word in 0 until words) {
            val at = word * STRIDE
            while (true) {
                val free = bits.loadAt(at)
                val usable = (if (among == null) free else free and among[word]) and Long.MAX_VALUE
                if (usable != 0L) {
                    val bit = choose(free, usable, word, 0)
                    if (bits.compareAndSetAt(at, free, free xor (1L shl bit))) return bit * words + word
                } else if (free < 0 || bits.compareAndSetAt(at, free, free or Long.MIN_VALUE)) {
                    break
                }
            }
        }
        return -1
    }

    /** Says that nobody waits any more. */
    fun lower() {
        for (word in 0 until words) {
            val at = word * STRIDE
            while (true) {
                val free = bits.loadAt(at)
                if (free >= 0 || bits.compareAndSetAt(at, free, free and Long.MAX_VALUE)) break
            }
        }
    }

    /** Of all indices, those that [accept] accepts, as [take] and [raise] want them. */
    inline fun maskOf(accept: (Int) -> Boolean): LongArray {
        val mask = LongArray(words)
        for (index in 0 until capacity) {
            if (accept(index)) mask[index % words] = mask[index % words] or (1L shl (index / words))
        }
        return mask
    }

    /** Raises the top bits for good. What is free stays free for [seize] alone. */
    fun shut() {
        for (word in 0 until words) {
            val at = word * STRIDE
            while (true) {
                val free = bits.loadAt(at)
                if (bits.compareAndSetAt(at, free, free or Long.MIN_VALUE)) break
            }
        }
    }

    /**
     * Sets whose connections are where: for each backend, the indices it has; and how to choose among backends: with
     * [meters], in the same order, by load times latency.
     */
    fun assign(backends: Collection<List<Int>>, meters: List<Meter>? = null) {
        owners = Array(words) { word ->
            val masks = backends.map { indices ->
                indices.filter { it % words == word }.fold(0L) { mask, i -> mask or (1L shl (i / words)) }
            }
            val present = masks.indices.filter { masks[it] != 0L }
            Owners(LongArray(present.size) { masks[present[it]] }, meters?.let { all -> present.map { all[it] } })
        }
    }

    private fun choose(free: Long, usable: Long, word: Int, from: Int): Int {
        val owned = owners[word]
        return when {
            owned.masks.size <= 1 || owned.uneven -> next(usable, from)
            owned.meters != null -> betterOfTwo(free, usable, owned, from)
            owned.masks.size <= EXACT -> leastLent(free, usable, owned.masks, from)
            else -> betterOfTwo(free, usable, owned, from)
        }
    }

    /** The backend with the smallest share on loan; of equals, the one whose free bit comes first after [from]. */
    private fun leastLent(free: Long, usable: Long, masks: LongArray, from: Int): Int {
        var best = -1
        var bestLent = 0
        var bestAll = 1
        var bestDistance = 0
        for (mask in masks) {
            val mine = usable and mask
            if (mine == 0L) continue
            val all = mask.countOneBits()
            val lent = all - (free and mask).countOneBits()
            val bit = next(mine, from)
            val distance = if (bit >= from) bit - from else bit - from + BITS
            val order = lent * bestAll - bestLent * all
            if (best < 0 || order < 0 || (order == 0 && distance < bestDistance)) {
                best = bit
                bestLent = lent
                bestAll = all
                bestDistance = distance
            }
        }
        // A free bit that no mask knows belongs to a connection that was just added.
        return if (best >= 0) best else next(usable, from)
    }

    /**
     * Two backends with something free, and of these the one with the lower cost (Mitzenmacher, The Power of Two Choices,
     * 2001): the share on loan or, when latencies are known, what is on loan and this claim times the latency.
     */
    private fun betterOfTwo(free: Long, usable: Long, owned: Owners, from: Int): Int {
        val one = next(usable, from)
        val mine = owned.of(one)
        val others = if (mine < 0) usable else usable and owned.masks[mine].inv()
        if (others == 0L) return one
        val other = next(others, (from * STEP + BITS / 2) % BITS)
        return if (owned.cost(mine, free) <= owned.cost(owned.of(other), free)) one else other
    }

    private class Owners(val masks: LongArray, val meters: List<Meter>?) {
        /**
         * With weights, going round the free connections gives each backend just its share; the smallest share on loan would
         * give the light ones more than twice theirs when little is on loan.
         */
        val uneven: Boolean = meters == null &&
            masks.maxOfOrNull { it.countOneBits() }.orZero() - masks.minOfOrNull { it.countOneBits() }.orZero() > 1

        /** Which backend has [bit], or -1. */
        fun of(bit: Int): Int {
            for (i in masks.indices) if (masks[i] and (1L shl bit) != 0L) return i
            return -1
        }

        private fun Int?.orZero() = this ?: 0

        fun cost(backend: Int, free: Long): Double {
            if (backend < 0) return 0.0
            val all = masks[backend].countOneBits()
            val lent = all - (free and masks[backend]).countOneBits()
            return if (meters == null) lent.toDouble() / all else meters[backend].cost(lent)
        }
    }

    /** The first set bit at or after [from], going round. [bits] is not 0. */
    private fun next(bits: Long, from: Int): Int {
        val after = bits and (-1L shl from)
        return (if (after != 0L) after else bits).countTrailingZeroBits()
    }

    private companion object {
        const val BITS = 63
        const val STRIDE = 8
        const val EXACT = 8

        /** No divisor of 63: the two choices do not keep the same distance. */
        const val STEP = 31
    }
}
