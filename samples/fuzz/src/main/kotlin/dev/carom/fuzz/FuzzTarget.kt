package dev.carom.fuzz

/**
 * A decoder, to be tried with any bytes whatever. A finding is what it throws, and an input for which it allocates more
 * than [fixed] bytes and [perByte] for each byte of the input: twice what was seen and more, for the first inputs load
 * classes, and the fuzzer's traces are in it.
 *
 * Its class has a constructor without parameters. Its corpus is in `src/jvmTest/corpus/` followed by the class's name:
 * a file per input.
 */
abstract class FuzzTarget(private val fixed: Long, private val perByte: Long) {
    /** Makes what is tried, afresh for each input; only what the result does is metered. It throws for a finding. */
    abstract fun prepare(): (ByteArray) -> Unit

    /** The largest share of its bound that an input has had allocated: from 1 on it is a finding. */
    var largestShare: Double = 0.0
        private set

    /** @throws Finding if the input is one. */
    fun attempt(input: ByteArray) {
        val bound = fixed + perByte * input.size
        var allocated = Long.MAX_VALUE
        // The first time may load classes, which are no fault of the input's.
        repeat(ATTEMPTS) {
            if (allocated > bound) allocated = minOf(allocated, metered(input))
        }
        largestShare = maxOf(largestShare, allocated.toDouble() / bound)
        if (allocated > bound) throw Finding("$allocated bytes allocated for ${input.size}, at most $bound allowed")
    }

    private fun metered(input: ByteArray): Long {
        val trial = prepare()
        val copy = input.copyOf()
        val before = Meter.allocated()
        try {
            trial(copy)
        } catch (e: Throwable) {
            throw Finding("${javaClass.simpleName} failed on ${input.size} bytes: $e", e)
        }
        return Meter.allocated() - before
    }

    private companion object {
        const val ATTEMPTS = 3
    }
}

/** A target did what it must not. */
class Finding(message: String, cause: Throwable? = null) : AssertionError(message, cause)
