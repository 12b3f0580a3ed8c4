package dev.carom.gossip.sim

import java.util.function.IntUnaryOperator
import kotlin.math.ln
import kotlin.random.Random

/**
 * What the network does to packets. May be changed at any time; holds for what is sent from then on. Streams are
 * delayed and cut off like packets, but lose nothing.
 */
public class SimNetwork internal constructor(private val random: Random) {
    /** The part of packets lost, 0.0..1.0. */
    public var loss: Double = 0.0
        set(value) {
            field = part("loss", value)
        }

    /** The part of packets that arrive twice, 0.0..1.0. */
    public var duplication: Double = 0.0
        set(value) {
            field = part("duplication", value)
        }

    /** Shortest way of a packet, in microseconds. 0 or more. */
    public var minDelayMicros: Long = 200
        set(value) {
            require(value >= 0) { "minDelayMicros must be at least 0, was $value" }
            field = value
        }

    /**
     * Mean of what is added to the shortest way, exponentially distributed, in microseconds: later packets overtake.
     * 0 or more.
     */
    public var meanExtraDelayMicros: Long = 300
        set(value) {
            require(value >= 0) { "meanExtraDelayMicros must be at least 0, was $value" }
            field = value
        }

    private var group: IntUnaryOperator? = null
    private val cut = HashSet<Pair<Int, Int>>()

    /** Splits the network: only hosts of one group reach each other. */
    public fun partition(groupOf: IntUnaryOperator) {
        group = groupOf
    }

    /** Nothing from host [from] reaches host [to] any more; the other way is not changed. */
    public fun cut(from: Int, to: Int) {
        cut += from to to
    }

    /** Ends all partitions and cuts. */
    public fun heal() {
        group = null
        cut.clear()
    }

    internal fun reaches(from: Int, to: Int): Boolean {
        val groups = group
        return (groups == null || groups.applyAsInt(from) == groups.applyAsInt(to)) &&
            (cut.isEmpty() || (from to to) !in cut)
    }

    /** Delays of the copies that arrive: none, one, or two. */
    internal fun copies(from: Int, to: Int): LongArray {
        if (!reaches(from, to)) return NONE
        if (loss > 0 && random.nextDouble() < loss) return NONE
        if (duplication > 0 && random.nextDouble() < duplication) return longArrayOf(delay(), delay())
        return longArrayOf(delay())
    }

    internal fun delay(): Long {
        val extra = -ln(1 - random.nextDouble()) * meanExtraDelayMicros
        return (minDelayMicros * MICRO) + (extra * MICRO).toLong()
    }

    private companion object {
        val NONE = LongArray(0)
        const val MICRO = 1_000L

        fun part(name: String, value: Double): Double {
            require(value in 0.0..1.0) { "$name must be in 0.0..1.0, was $value" }
            return value
        }
    }
}
