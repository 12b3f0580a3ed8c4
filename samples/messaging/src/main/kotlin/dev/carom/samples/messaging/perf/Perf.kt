package dev.carom.samples.messaging.perf

import kotlinx.coroutines.CompletableDeferred

/** Runs both sides, or one: the server listens, the client connects and measures round trips; it sends where the server measures. */
class Perf(private val plan: PerfPlan) {
    /** The server of [latency]: gives everything back until it has given back all. [bound] is told where it listens. */
    suspend fun echo(bound: CompletableDeferred<String>): Unit = RoundTrips(plan).echo(bound)

    /** The client of [echo]. */
    suspend fun latency(url: String): Measured = RoundTrips(plan).asking(url) { trip ->
        repeat(plan.warmup) { trip(plan.message(it)) }
        val nanos = LongArray(requireNotNull(plan.count) { "round trips end: they need a count" })
        for (i in nanos.indices) nanos[i] = timed(trip, plan.message(i))
        Measured.Latency(plan.name, plan.size, nanos)
    }

    /** The server that measures how fast messages come. */
    suspend fun throughput(bound: CompletableDeferred<String>): Measured = Floods(plan).measure(bound)

    /** The client that sends to [throughput] as fast as it can. */
    suspend fun flood(url: String): Unit = Floods(plan).send(url)
}

/** Nanoseconds of one round trip. */
internal suspend fun timed(trip: Trip, message: ByteArray): Long {
    val start = System.nanoTime()
    val back = trip(message)
    val nanos = System.nanoTime() - start
    check(back.size == message.size) { "${message.size} bytes were sent, ${back.size} came back" }
    return nanos
}
