package dev.carom.pool.testkit

/** How a [FaultProxy] treats a connection. */
public class Fault private constructor(
    internal val kind: Kind,
    internal val bytesPerSecond: Int,
    internal val delayMillis: Long,
) {
    internal enum class Kind { PASS, BLACK_HOLE, RESET, NEVER_FIN, SLOW, DELAY }

    override fun toString(): String = when (kind) {
        Kind.SLOW -> "SLOW($bytesPerSecond bytes/s)"
        Kind.DELAY -> "DELAY($delayMillis ms)"
        else -> kind.name
    }

    public companion object {
        /** Everything goes through, ends and resets too. */
        @JvmField
        public val PASS: Fault = Fault(Kind.PASS, 0, 0)

        /**
         * Accepts and keeps: nothing goes through in either direction, no end, no reset. Up to 16 KiB on the way are held and
         * go on when this ends.
         */
        @JvmField
        public val BLACK_HOLE: Fault = Fault(Kind.BLACK_HOLE, 0, 0)

        /** New connections are reset (RST) as soon as they are accepted, open ones with their next byte. */
        @JvmField
        public val RESET: Fault = Fault(Kind.RESET, 0, 0)

        /** Bytes go through, ends do not: who closes never gets the other side's FIN. */
        @JvmField
        public val NEVER_FIN: Fault = Fault(Kind.NEVER_FIN, 0, 0)

        /**
         * One byte at a time, each a segment of its own, at most [bytesPerSecond] in each direction.
         *
         * @param bytesPerSecond 1..1000000000.
         */
        @JvmStatic
        public fun slow(bytesPerSecond: Int): Fault {
            require(bytesPerSecond in 1..NANOS) { "bytesPerSecond must be in 1..$NANOS, was $bytesPerSecond" }
            return Fault(Kind.SLOW, bytesPerSecond, 0)
        }

        /**
         * Whatever is read at once goes on [millis] later.
         *
         * @param millis 0..600000.
         */
        @JvmStatic
        public fun delay(millis: Long): Fault {
            require(millis in 0..MAX_DELAY) { "millis must be in 0..$MAX_DELAY, was $millis" }
            return Fault(Kind.DELAY, 0, millis)
        }

        internal const val NANOS = 1_000_000_000
        private const val MAX_DELAY = 600_000L
    }
}
