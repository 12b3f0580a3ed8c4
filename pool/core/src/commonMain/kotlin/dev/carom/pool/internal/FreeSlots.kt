package dev.carom.pool.internal

import kotlin.concurrent.Volatile
import kotlin.concurrent.atomics.AtomicLongArray
import kotlin.concurrent.atomics.ExperimentalAtomicApi

/**
 * Which connections are free: one bit each, 63 to a word; the top bit of every word says that somebody waits.
 *
 * Taking is one compare-and-set, giving back another. While the top bit is set no other bit of the word is, so nobody who
 * comes later overtakes a waiter. The top bits are raised and lowered by one thread at a time (the desk sees to that);
 * everything else is free for all.
 */
@OptIn(ExperimentalAtomicApi::class)
internal class FreeSlots(capacity: Int) {
    private val words = (capacity + BITS - 1) / BITS

    /** Words lie a cache line apart. */
    private val bits = AtomicLongArray(words * STRIDE)

    /** For each word, the bits of each backend's connections. Replaced as a whole. */
    @Volatile
    private var owners: Array<LongArray> = Array(words) { LongArray(0) }

    /** Where the next search begins. Threads may race on it: it only spreads the load. */
    private var cursor = 0

    /** Takes a free connection of the backend with the smallest share on loan, or returns -1. */
    fun take(): Int {
        val from = cursor
        for (i in 0 until words) {
            val word = if (words == 1) 0 else (from + i) % words
            while (true) {
                val free = bits.loadAt(word * STRIDE)
                if (free <= 0) break
                val bit = choose(free, owners[word], from % BITS)
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

    /** Says that somebody waits. If a connection is free after all, takes it instead and returns its index; else -1. */
    fun raise(): Int {
        for (word in 0 until words) {
            val at = word * STRIDE
            while (true) {
                val free = bits.loadAt(at)
                if (free < 0) break
                if (free == 0L) {
                    if (bits.compareAndSetAt(at, 0, Long.MIN_VALUE)) break
                } else {
                    val bit = choose(free, owners[word], 0)
                    if (bits.compareAndSetAt(at, free, free xor (1L shl bit))) return bit * words + word
                }
            }
        }
        return -1
    }

    /** Says that nobody waits any more. */
    fun lower() {
        for (word in 0 until words) {
            val at = word * STRIDE
            // Nobody but the caller changes a word whose top bit is set.
            if (bits.loadAt(at) < 0) bits.storeAt(at, 0)
        }
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

    /** Sets whose connections are where: for each backend, the indices it has. */
    fun assign(backends: Collection<List<Int>>) {
        owners = Array(words) { word ->
            backends
                .map { indices ->
                    indices.filter { it % words == word }.fold(0L) { mask, i ->
                        mask or
                            (1L shl (i / words))
                    }
                }
                .filter { it != 0L }
                .toLongArray()
        }
    }

    private fun choose(free: Long, masks: LongArray, from: Int): Int = when {
        masks.size <= 1 -> next(free, from)
        masks.size <= EXACT -> leastLent(free, masks, from)
        else -> betterOfTwo(free, masks, from)
    }

    /** The backend with the smallest share on loan; of equals, the one whose free bit comes first after [from]. */
    private fun leastLent(free: Long, masks: LongArray, from: Int): Int {
        var best = -1
        var bestLent = 0
        var bestAll = 1
        var bestDistance = 0
        for (mask in masks) {
            val mine = free and mask
            if (mine == 0L) continue
            val all = mask.countOneBits()
            val lent = all - mine.countOneBits()
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
        return if (best >= 0) best else next(free, from)
    }

    /** With many backends: two free bits far apart, and the one whose backend has the smaller share on loan. */
    private fun betterOfTwo(free: Long, masks: LongArray, from: Int): Int {
        val one = next(free, from)
        val other = next(free, (from + BITS / 2) % BITS)
        if (one == other) return one
        val a = owner(masks, one)
        val b = owner(masks, other)
        val lentA = a.countOneBits() - (a and free).countOneBits()
        val lentB = b.countOneBits() - (b and free).countOneBits()
        return if (lentA * b.countOneBits() <= lentB * a.countOneBits()) one else other
    }

    private fun owner(masks: LongArray, bit: Int): Long {
        for (mask in masks) if (mask and (1L shl bit) != 0L) return mask
        return 1L shl bit
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
    }
}
