package dev.carom.gossip.internal

import kotlin.math.ceil
import kotlin.math.ln
import kotlin.math.log10
import kotlin.math.log2
import kotlin.math.max
import kotlin.math.roundToLong

private const val NANOS_PER_MILLI = 1_000_000L
private const val MAX_COUNT = 4_294_967_295L
private const val SYNC_THRESHOLD = 32

/** 4 log10(n + 1), truncated, 1..255: foca's count of copies; n and n + 1 stay below 2³². */
internal fun maxTransmissionsFor(members: Long): Int {
    require(members >= 1) { "members must be at least 1, was $members" }
    return (4 * log10(minOf(members + 1, MAX_COUNT).toDouble())).toInt().coerceIn(1, 255)
}

/** multiplier · max(1, log10 n) · period. */
internal fun suspicionNanosFor(members: Long, multiplier: Int, periodNanos: Long): Long {
    require(members >= 1) { "members must be at least 1, was $members" }
    return (max(1.0, log10(members.toDouble())) * multiplier * periodNanos).roundToLong()
}

/**
 * How long a suspicion lasts in all, when [confirmed] of [needed] members confirmed it: Lifeguard's logarithmic way
 * from [max] to [min], in whole milliseconds. The first confirmations shorten it most.
 */
internal fun suspicionNanos(confirmed: Int, needed: Int, min: Long, max: Long): Long {
    if (needed < 1) return min
    val part = ln(confirmed + 1.0) / ln(needed + 1.0)
    val nanos = (max - part * (max - min)).toLong()
    return maxOf(min, nanos / NANOS_PER_MILLI * NANOS_PER_MILLI)
}

/**
 * By how much the time between two syncs is stretched, so that a big cluster does not sync all the time
 * (memberlist).
 */
internal fun syncScale(members: Int): Int =
    if (members <= SYNC_THRESHOLD) 1 else ceil(log2(members.toDouble()) - 5).toInt() + 1
