package dev.carom.sockets.internal.nio

/**
 * How long a loop should look again and again before it sleeps. To sleep and be woken takes some ten microseconds, more
 * than many an answer on a loopback or a local network does; so where something has come soon, time after time, it is
 * waited for awake. Where it has not, the loop sleeps at once: an idle one costs nothing. Not thread-safe.
 *
 * @param most nanoseconds that one wait may be spent awake; 0 is none at all.
 */
internal class Waits(private val most: Long) {
    /** A moving average, nanoseconds. */
    private var typical = LONG

    /** Nanoseconds to be awake now, when the next timer is due in [due] nanoseconds. */
    fun patience(due: Long): Long = if (typical >= SHORT) 0 else minOf(most, due)

    /** A wait took [nanos]; [inVain] if it began awake and slept in the end. */
    fun ended(nanos: Long, inVain: Boolean) {
        // One in vain weighs so much that it is not tried again before a dozen short ones, which it then costs a tenth of.
        val wait = if (inVain) VAIN else minOf(nanos, LONG)
        typical += (wait - typical) / WEIGHT
    }

    companion object {
        /** Waits of less are worth an attempt: two wake-ups or three are in them, which then fall away. */
        private const val SHORT = 200_000L
        private const val LONG = 2 * SHORT
        private const val VAIN = 8 * SHORT
        private const val WEIGHT = 8

        private const val MOST_MICROS = 100
        private const val PROPERTY = "carom.sockets.awakeMicros"

        /** As the system property says, 0 to 1,000; none on one processor, which what is waited for needs. */
        fun byProperty(): Waits {
            val micros = Integer.getInteger(PROPERTY, MOST_MICROS).coerceIn(0, 1_000)
            return Waits(if (Runtime.getRuntime().availableProcessors() == 1) 0 else micros * 1_000L)
        }
    }
}
