package dev.carom.samples.messaging

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.util.concurrent.TimeUnit

/** `spperf` as it is used: a server and a client, two processes. */
class PerfProcessesSpec :
    FunSpec({
        for (protocol in listOf("reqrep", "pair", "pipeline", "pubsub", "survey")) {
            test("round trips of $protocol between two processes") {
                val numbers = listOf("--count=200", "--warmup=20", "--size=16")
                PerfPair("lat", protocol, numbers).use { pair ->
                    pair.measured(pair.client.lines()).run {
                        number("count") shouldBe 200.0
                        number("p99_us") shouldBeGreaterThan 0.0
                    }
                    pair.await()
                }
            }
        }

        for (protocol in listOf("reqrep", "pair", "pipeline", "pubsub")) {
            test("throughput of $protocol between two processes") {
                val numbers = listOf("--count=5000", "--warmup=500", "--size=64")
                PerfPair("thr", protocol, numbers).use { pair ->
                    pair.measured(pair.server.lines()).run {
                        number("messages_per_second") shouldBeGreaterThan 0.0
                        if (protocol != "pubsub") getValue("lost").jsonPrimitive.int shouldBe 0
                    }
                    pair.await()
                }
            }
        }

        for ((mode, protocol) in listOf("lat" to "reqrep", "thr" to "pipeline")) {
            test("$mode of $protocol by threads that block") {
                PerfPair(mode, protocol, listOf("--count=500", "--size=16", "--dispatcher=blocking")).use { pair ->
                    val teller = if (mode == "lat") pair.client else pair.server
                    pair.measured(teller.lines()).number("count") shouldBe 500.0
                    pair.await()
                }
            }
        }

        for ((mode, protocol, who) in listOf(
            Triple("lat", "reqrep", "default"),
            Triple("thr", "pipeline", "default"),
            Triple("lat", "reqrep", "blocking"),
            Triple("thr", "pipeline", "blocking"),
        )) {
            test("windows of $mode ($who): each line of the input is measured, over one connection") {
                PerfPair(mode, protocol, listOf("--windows", "--dispatcher=$who")).use { pair ->
                    val teller = if (mode == "lat") pair.client else pair.server
                    val said = teller.lines().iterator()
                    for (size in listOf(1, 300)) {
                        pair.client.say("$size 20")
                        Json.parseToJsonElement(said.next()).jsonObject.number("size") shouldBe size.toDouble()
                    }
                    pair.client.end()
                    pair.server.end()
                    pair.await()
                }
            }
        }
    })

private fun JsonObject.number(name: String): Double = getValue(name).jsonPrimitive.double

/** Both processes of one run; whatever is left of them ends with the test. */
private class PerfPair(mode: String, protocol: String, numbers: List<String>) : AutoCloseable {
    class Part(arguments: List<String>) : AutoCloseable {
        private val process = ProcessBuilder(
            listOf(
                System.getProperty("java.home") + "/bin/java",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.carom.samples.messaging.perf.SpperfKt",
            ) + arguments,
        ).start()
        private val input = process.outputStream.bufferedWriter()

        /** Where it listens. The JVM may have its say before, of its options for one. */
        fun url(): String {
            val said = process.errorStream.bufferedReader().lineSequence().firstOrNull { SAYS in it }
            return checkNotNull(said) { "it did not say where it listens" }.substringAfter(SAYS)
        }

        /** The figures, and not what the JVM says. */
        fun lines(): Sequence<String> =
            process.inputStream.bufferedReader().lineSequence().filter { it.startsWith("{") }

        fun say(line: String) {
            input.write("$line\n")
            input.flush()
        }

        fun end() = input.close()

        fun exit(): Int {
            check(process.waitFor(60, TimeUnit.SECONDS)) { "it did not end" }
            return process.exitValue()
        }

        override fun close() {
            process.destroyForcibly().waitFor()
        }

        private companion object {
            const val SAYS = "listening at "
        }
    }

    val server = Part(listOf(mode, "--role=server", "--url=tcp://127.0.0.1:0", "--proto=$protocol", "--json") + numbers)
    private val url = server.url()
    val client = Part(listOf(mode, "--role=client", "--url=$url", "--proto=$protocol", "--json") + numbers)

    fun measured(lines: Sequence<String>): JsonObject = Json.parseToJsonElement(lines.single()).jsonObject

    fun await() {
        client.exit() shouldBe 0
        server.exit() shouldBe 0
    }

    override fun close() {
        client.close()
        server.close()
    }
}
