package dev.carom.samples.messaging

import dev.carom.samples.messaging.perf.Measured
import dev.carom.samples.messaging.perf.PerfMode
import dev.carom.samples.messaging.perf.Spperf
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.jsonPrimitive
import picocli.CommandLine
import kotlin.time.Duration.Companion.seconds

class PerfSpec :
    FunSpec({
        suspend fun measure(line: String): Measured? {
            val tool = Spperf()
            CommandLine(tool).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(*line.split(' ').toTypedArray())
            return withContext(Dispatchers.Default) { withTimeout(60.seconds) { tool.measure() } }
        }

        for (protocol in listOf("reqrep", "pair", "bus", "pipeline", "pubsub", "survey")) {
            test("round trips of $protocol") {
                val measured = measure("lat --proto $protocol --count 200 --warmup 50 --size 10")
                measured.shouldBeInstanceOf<Measured.Latency>()
                measured.micros(50.0) shouldBeGreaterThan 0.0
                measured.json()["count"]!!.jsonPrimitive.content shouldBe "200"
            }
        }

        for (protocol in listOf("reqrep", "pair", "pipeline", "pubsub", "bus")) {
            test("throughput of $protocol") {
                val measured = measure("thr --proto $protocol --count 5000 --warmup 500 --size 64")
                measured.shouldBeInstanceOf<Measured.Throughput>()
                val (count, lost) = listOf("count", "lost").map { measured.json()[it]!!.jsonPrimitive.content.toInt() }
                count + lost shouldBe 5_000
                // Those that drop what nobody takes in time may lose all of it on a busy machine.
                if (protocol != "pubsub" && protocol != "bus") {
                    lost shouldBe 0
                    measured.perSecond shouldBeGreaterThan 0.0
                }
            }
        }

        test("percentiles are those of the sorted round trips") {
            val measured = Measured.Latency("x", 1, LongArray(1000) { (1000L - it) * 1000 })
            listOf(0.0, 50.0, 99.0, 99.9, 100.0).map(measured::micros) shouldBe listOf(1.0, 500.0, 990.0, 999.0, 1000.0)
            measured.lines().size shouldBe 2
            PerfMode.entries.size shouldBe 2
        }
    })
