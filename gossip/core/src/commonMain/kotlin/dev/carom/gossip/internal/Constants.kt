package dev.carom.gossip.internal

import kotlin.time.Duration

internal val NO_BYTES = ByteArray(0)

/** A deadline that never comes. */
internal const val NEVER = Long.MAX_VALUE

/** [delay] after [now]; an infinite delay is never over. */
internal fun after(now: Long, delay: Duration): Long {
    val nanos = delay.inWholeNanoseconds
    return if (nanos >= NEVER - now) NEVER else now + nanos
}

/** FNV-1a, then the finish of MurmurHash3: the low bits decide the bucket. */
internal fun digestOf(bytes: ByteArray): Long {
    var hash = -0x340d631b7bdddcdbL
    for (byte in bytes) hash = (hash xor (byte.toLong() and 0xff)) * 0x100000001b3L
    return mix(hash)
}

internal fun mix(value: Long): Long {
    var hash = value
    hash = (hash xor (hash ushr 33)) * -0xae502812aa7333L
    hash = (hash xor (hash ushr 33)) * -0x3b314601e57a13adL
    return hash xor (hash ushr 33)
}

/** Compares as unsigned bytes. */
internal fun compareBytes(a: ByteArray, b: ByteArray): Int {
    for (i in 0 until minOf(a.size, b.size)) {
        val difference = (a[i].toInt() and 0xff) - (b[i].toInt() and 0xff)
        if (difference != 0) return difference
    }
    return a.size - b.size
}
