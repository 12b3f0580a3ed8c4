package dev.carom.samples.messaging.perf

import dev.carom.sockets.transport.KtorTransports
import dev.carom.sockets.transport.NioTransports
import dev.carom.sockets.transport.Transports
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.runInterruptible
import picocli.CommandLine
import picocli.CommandLine.Command
import picocli.CommandLine.Option
import picocli.CommandLine.Parameters
import java.util.concurrent.Callable
import kotlin.coroutines.CoroutineContext
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
        "lat: the client measures round trips; where a socket goes one way only, over another one back.",
        "thr: the server measures what the client sends.",
    ],
    sortOptions = false,
)
class Spperf : Callable<Int> {
    @Parameters(paramLabel = "MODE", description = ["lat or thr."])
    lateinit var mode: PerfMode

    @Option(names = ["--proto"], description = ["reqrep, pair, pipeline, pubsub, bus or survey: reqrep."])
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

    @Option(
        names = ["--dispatcher"],
        description = [
            "default; or unconfined: who waits is resumed on the engine's thread;",
            "or blocking: threads and the facade for Java, with reqrep (lat) and pipeline (thr).",
        ],
    )
    var dispatcher: String = "default"

    @Option(
        names = ["--back"],
        paramLabel = "URL",
        description = ["Where the client of lat listens, if one socket goes one way only."],
    )
    var back: String? = null

    @Option(
        names = ["--windows"],
        description = ["Measure once for each line 'BYTES MILLISECONDS' of the standard input, until that ends."],
    )
    var windows = false

    @Option(names = ["--json"], description = ["Print one JSON object."])
    var json = false

    override fun call(): Int {
        val measured = runBlocking(context()) { measure() } ?: return 0
        print(measured)
        return 0
    }

    /** Null if the other side knows. */
    suspend fun measure(): Measured? {
        val bound = CompletableDeferred<String>()
        if (windows) {
            measureWindows(bound)
            return null
        }
        val perf = Perf(plan(count))
        return when (role) {
            PerfRole.Both -> both(perf, bound)
            PerfRole.Server -> serving(bound) { serve(perf, bound) }
            PerfRole.Client -> ask(perf)
        }
    }

    private suspend fun ask(perf: Perf): Measured? {
        if (mode == PerfMode.Lat) return perf.latency(url)
        perf.flood(url)
        return null
    }

    private suspend fun serve(perf: Perf, bound: CompletableDeferred<String>): Measured? {
        if (mode == PerfMode.Thr) return perf.throughput(bound)
        perf.echo(bound)
        return null
    }

    private suspend fun measureWindows(bound: CompletableDeferred<String>) {
        val plan = plan(count = null)
        val input = System.`in`.bufferedReader()
        val measured = PerfWindows(plan, input, ::print)
        when (role) {
            PerfRole.Both -> throw IllegalArgumentException(
                "windows are measured between two processes: server, client",
            )

            PerfRole.Client -> if (mode == PerfMode.Lat) measured.latency(url) else measured.flood(url)

            PerfRole.Server -> serving(bound) {
                val work = launch {
                    if (mode == PerfMode.Lat) Perf(plan).echo(bound) else measured.throughput(bound)
                }
                runInterruptible(Dispatchers.IO) { input.forEachLine {} }
                work.cancel()
            }
        }
    }

    /** Says where, for whoever is to connect: the port may be the system's choice. */
    private suspend fun <R> serving(bound: CompletableDeferred<String>, work: suspend CoroutineScope.() -> R): R =
        coroutineScope {
            val says = launch { System.err.println("listening at ${bound.await()}") }
            work().also { says.cancel() }
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

    private fun print(measured: Measured) {
        if (json) println(measured.json()) else measured.lines().forEach(::println)
    }

    private fun plan(count: Int?): PerfPlan {
        val blocking = dispatcher == "blocking"
        val plan = PerfPlan(protocol, url, size, count, warmup, transports(), blocking = blocking)
        val back = back ?: return plan
        return PerfPlan(protocol, url, size, count, warmup, transports(), back, blocking)
    }

    private fun context(): CoroutineContext = when (dispatcher) {
        "default" -> Dispatchers.Default

        "unconfined" -> Dispatchers.Unconfined

        "blocking" -> Dispatchers.IO

        else -> throw IllegalArgumentException(
            "the dispatcher must be default, unconfined or blocking, was $dispatcher",
        )
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
