package dev.carom.samples.messaging.perf

import dev.carom.sockets.transport.KtorTransports
import dev.carom.sockets.transport.NioTransports
import dev.carom.sockets.transport.Transports
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import picocli.CommandLine
import picocli.CommandLine.Command
import picocli.CommandLine.Option
import picocli.CommandLine.Parameters
import java.util.concurrent.Callable
import kotlin.system.exitProcess

/** What is measured. */
enum class PerfMode { Lat, Thr }

/** Who this process is. */
enum class PerfRole { Server, Client, Both }

/** Measures round trips (not half of them) and throughput, after a warm-up, in one process or between two. */
@Command(
    name = "spperf",
    mixinStandardHelpOptions = true,
    version = ["spperf of Carom 0.1"],
    description = [
        "Measures sockets of the scalability protocols.",
        "lat: the client measures round trips. thr: the server measures what the client sends.",
    ],
    sortOptions = false,
)
class Spperf : Callable<Int> {
    @Parameters(paramLabel = "MODE", description = ["lat or thr."])
    lateinit var mode: PerfMode

    @Option(names = ["--proto"], description = ["reqrep, pair, pipeline, pubsub or bus: reqrep."])
    var protocol: PerfProtocol = PerfProtocol.ReqRep

    @Option(names = ["--role"], description = ["server, client or both: both."])
    var role: PerfRole = PerfRole.Both

    @Option(names = ["--url"], description = ["Where: tcp://127.0.0.1:0 if both are here."])
    var url: String = "tcp://127.0.0.1:0"

    @Option(names = ["--size"], paramLabel = "BYTES", description = ["Of each message: 64."])
    var size: Int = 64

    @Option(names = ["--count"], paramLabel = "N", description = ["Measured: 10000."])
    var count: Int = 10_000

    @Option(names = ["--warmup"], paramLabel = "N", description = ["Before that, and not measured: 10000."])
    var warmup: Int = 10_000

    @Option(names = ["--engine"], description = ["nio or ktor: nio."])
    var engine: String = "nio"

    @Option(names = ["--json"], description = ["Print one JSON object."])
    var json = false

    override fun call(): Int {
        val measured = runBlocking(Dispatchers.Default) { measure() } ?: return 0
        if (json) println(measured.json()) else measured.lines().forEach(::println)
        return 0
    }

    /** Null if the other side knows. */
    suspend fun measure(): Measured? {
        val perf = Perf(PerfPlan(protocol, url, size, count, warmup, transports()))
        val bound = CompletableDeferred<String>()
        return when (role) {
            PerfRole.Both -> both(perf, bound)
            PerfRole.Server -> if (mode == PerfMode.Lat) null.also { perf.echo(bound) } else perf.throughput(bound)
            PerfRole.Client -> if (mode == PerfMode.Lat) perf.latency(url) else null.also { perf.flood(url) }
        }
    }

    private suspend fun both(perf: Perf, bound: CompletableDeferred<String>): Measured = coroutineScope {
        if (mode == PerfMode.Lat) {
            launch { perf.echo(bound) }
            perf.latency(bound.await())
        } else {
            val measured = async { perf.throughput(bound) }
            perf.flood(bound.await())
            measured.await()
        }
    }

    private fun transports(): Transports = when (engine) {
        "nio" -> NioTransports.all()
        "ktor" -> Transports(KtorTransports.tcp(), KtorTransports.ipc())
        else -> throw IllegalArgumentException("the engine must be nio or ktor, was $engine")
    }
}

fun main(args: Array<String>) {
    exitProcess(CommandLine(Spperf()).setCaseInsensitiveEnumValuesAllowed(true).execute(*args))
}
