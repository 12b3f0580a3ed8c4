package dev.carom.samples.messaging.perf

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put

/** What one run of `spperf` found. */
sealed interface Measured {
    /** For people: a few lines. */
    fun lines(): List<String>

    /** For programs: one object. */
    fun json(): JsonObject

    /** Round trips, in nanoseconds each. */
    class Latency(private val what: String, private val size: Int, nanos: LongArray) : Measured {
        private val sorted = nanos.sortedArray()

        /** The round trip, in microseconds, that so many percent of all do not exceed. */
        fun micros(percent: Double): Double {
            // 99.9 % of 1000 are 999, whatever binary fractions say.
            val rank = Math.ceil(percent * sorted.size / 100 - 1e-6).toInt().coerceIn(1, sorted.size)
            return sorted[rank - 1] / 1_000.0
        }

        val mean: Double get() = sorted.average() / 1_000

        override fun lines() = listOf(
            "$what: ${sorted.size} round trips of $size bytes",
            PERCENTILES.joinToString("  ", prefix = "round trip, µs: mean %.1f  ".format(mean)) {
                "%s %.1f".format(name(it), micros(it))
            },
        )

        override fun json() = buildJsonObject {
            put("mode", "lat")
            put("proto", what)
            put("size", size)
            put("count", sorted.size)
            put("mean_us", mean)
            for (percent in PERCENTILES) put("${name(percent)}_us", micros(percent))
        }

        private fun name(percent: Double) = when (percent) {
            0.0 -> "min"
            100.0 -> "max"
            else -> "p${if (percent % 1.0 == 0.0) percent.toInt().toString() else percent.toString()}"
        }

        private companion object {
            val PERCENTILES = listOf(0.0, 50.0, 90.0, 99.0, 99.9, 100.0)
        }
    }

    /** Messages that came in [nanos], and those that did not come. */
    class Throughput(
        private val what: String,
        private val size: Int,
        private val received: Long,
        private val lost: Long,
        private val nanos: Long,
    ) : Measured {
        val perSecond: Double get() = received * 1e9 / nanos
        private val megabytes: Double get() = perSecond * size / 1e6

        override fun lines() = listOf(
            "$what: $received messages of $size bytes in %.3f s, $lost lost".format(nanos / 1e9),
            "throughput: %.0f messages/s, %.1f MB/s".format(perSecond, megabytes),
        )

        override fun json() = buildJsonObject {
            put("mode", "thr")
            put("proto", what)
            put("size", size)
            put("count", received)
            put("lost", lost)
            put("seconds", nanos / 1e9)
            put("messages_per_second", perSecond)
            put("megabytes_per_second", megabytes)
        }
    }
}
