package dev.carom.bench.gossip

import com.sun.management.OperatingSystemMXBean
import dev.carom.gossip.SwimPolicy
import java.lang.management.ManagementFactory
import java.util.concurrent.locks.LockSupport
import java.util.logging.LogManager
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

private const val MEMBERS = 20
private const val CRASHES = 3
private val QUIET = 60.seconds

/** SwimPolicy.lan and ScaleCube's default LAN: probes each 1 s, 500 ms for an answer, 3 relays, gossip each 200 ms to 3. */
private val cases: Map<String, () -> Members> = linkedMapOf(
    "Carom, as delivered, AES-GCM" to { CaromMembers(true, SwimPolicy.lan()) },
    "Carom, as delivered, insecure" to { CaromMembers(false, SwimPolicy.lan()) },
    "ScaleCube, as delivered" to { ScalecubeMembers(5) },
    "Carom, 5 s to refute, AES-GCM" to
        { CaromMembers(true, SwimPolicy(suspicionTimeout = 5.seconds, lifeguard = null)) },
    "ScaleCube, 5 s to refute" to { ScalecubeMembers(1) },
)

/**
 * What does a cluster of 20 members in one JVM cost while nothing happens, and how long does it take until all the others
 * know of a crash: with Carom, and with ScaleCube? Each case in a JVM of its own, one after the other.
 */
internal fun main(args: Array<String>) {
    val number = args.firstOrNull()?.toIntOrNull()
    if (number != null) return measure(cases.entries.elementAt(number))
    println("%-32s%14s%16s%22s%22s".format("20 members", "CPU, ms/s", "all joined, s", "first knows, s", "all know, s"))
    for (case in cases.keys.indices) {
        val command = listOf(
            System.getProperty("java.home") + "/bin/java",
            "-Xmx512m",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.carom.bench.gossip.BesideScalecubeKt",
            "$case",
        )
        val exit = ProcessBuilder(command).inheritIO().start().waitFor()
        check(exit == 0) { "case $case ended with $exit" }
    }
}

private fun measure(case: Map.Entry<String, () -> Members>) {
    // Netty tells at length that the crashed member has no network.
    LogManager.getLogManager().reset()
    case.value().use { members ->
        val begin = TimeSource.Monotonic.markNow()
        repeat(MEMBERS) { members.start() }
        await { (0 until MEMBERS).all { members.seenBy(it) == MEMBERS - 1 } }
        val joined = begin.elapsedNow()
        // Compilers first.
        pause(30.seconds)
        val cpu = cpuNanos()
        pause(QUIET)
        val used = (cpuNanos() - cpu) / QUIET.inWholeSeconds / 1e6
        val crashes = (1..CRASHES).map { crash(members, MEMBERS - it, MEMBERS - it) }
        println(
            "%-32s%14.1f%16.1f%22s%22s".format(
                case.key,
                used,
                seconds(joined),
                crashes.joinToString(" ") { "%.1f".format(seconds(it.first)) },
                crashes.joinToString(" ") { "%.1f".format(seconds(it.second)) },
            ),
        )
    }
}

/** Ends member [victim] of [running] that see each other; when the first of the others knows, and when all do. */
private fun crash(members: Members, victim: Int, running: Int): Pair<Duration, Duration> {
    val begin = TimeSource.Monotonic.markNow()
    members.crash(victim)
    val others = 0 until victim
    await { others.any { members.seenBy(it) < running } }
    val first = begin.elapsedNow()
    await { others.all { members.seenBy(it) == running - 1 } }
    return first to begin.elapsedNow()
}

private fun seconds(time: Duration) = time.inWholeMilliseconds / 1_000.0

private fun await(condition: () -> Boolean) {
    val begin = TimeSource.Monotonic.markNow()
    while (!condition()) {
        check(begin.elapsedNow() < 5.minutes) { "not within 5 minutes" }
        pause(10.milliseconds)
    }
}

private fun pause(time: Duration) {
    val end = TimeSource.Monotonic.markNow() + time
    while (end.hasNotPassedNow()) LockSupport.parkNanos((-end.elapsedNow()).inWholeNanoseconds)
}

private fun cpuNanos(): Long =
    (ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean).processCpuTime
