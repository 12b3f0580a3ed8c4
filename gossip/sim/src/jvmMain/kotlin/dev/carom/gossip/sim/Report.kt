package dev.carom.gossip.sim

import dev.carom.gossip.GossipNotice
import dev.carom.gossip.LifeguardPolicy
import dev.carom.gossip.SwimPolicy
import kotlin.math.E
import kotlin.random.Random

private const val MILLIS = 1_000_000L

/** Prints what the protocol costs and how fast it is, for clusters of as many members as the arguments say. */
internal fun main(args: Array<String>) {
    val sizes = args.map { it.toInt() }.ifEmpty { listOf(10, 100, 1_000) }
    println("Carom gossip, simulated: SwimPolicy.lan(), packets take 0.2 ms + 0.3 ms on average.")
    println()
    println("One member crashes, no loss: from its end to the first and the last that knows; and a member joins.")
    println("  SWIM expects the first suspicion after e/(e-1) = %.2f periods of 1 s.".format(E / (E - 1)))
    row("n", "first suspects", "first declares", "all know", "join known to all")
    for (size in sizes) row("$size", *crash(size).map { "%.1f s".format(it / 1_000.0) }.toTypedArray())
    println()
    println("Nothing happens, no loss: bytes each member sends per second, and packets.")
    row("n", "bytes/s", "packets/s", "stream bytes/s")
    for (size in sizes) row("$size", *idle(size).map { "%.1f".format(it) }.toTypedArray())
    println()
    println("A tenth of the members stop for 5 to 20 s and run for up to 2 s, again and again; 2 % loss:")
    println(
        "healthy members declared dead, per member and day. The paper (arXiv:1707.00788): over 50 times fewer.",
    )
    row("n", "SWIM", "Lifeguard")
    for (size in sizes.filter { it <= MANY }) {
        row("$size", *listOf(null, LifeguardPolicy()).map { "%.1f".format(falseAlarms(size, it)) }.toTypedArray())
    }
}

private const val MANY = 200
private const val MOST = 2_000

private fun row(vararg cells: String): Unit = println(cells.joinToString("") { it.padStart(18) })

private fun cluster(size: Int, seed: Long, policy: SwimPolicy): Simulation {
    val simulation = Simulation(seed)
    for (host in 0 until size) {
        simulation.start(host, policy, 0, 1)
    }
    simulation.acquaint()
    // Members that start in the same instant probe in the same instant: pauses before anything happens spread them.
    val random = Random(seed)
    simulation.nodes.forEach { simulation.pause(it, random.nextLong(2_000)) }
    simulation.runMillis(10_000 + random.nextLong(1_000))
    return simulation
}

/** Medians, in milliseconds: to the first suspicion, the first declaration, everyone's; to all knowing a newcomer. */
private fun crash(size: Int): List<Double> {
    val runs = if (size > MOST) {
        1
    } else if (size > MANY) {
        3
    } else {
        15
    }
    val times = (0L until runs).map { seed ->
        val simulation = cluster(size, seed, SwimPolicy.lan())
        val victim = simulation.node(size / 2)!!
        var suspected = 0L
        var declared = 0L
        simulation.listen { _, notice, nanos ->
            if (suspected == 0L && notice is GossipNotice.MemberSuspected && notice.member.host == victim.host) {
                suspected = nanos
            }
            if (declared == 0L && notice is GossipNotice.MemberDown && notice.member.host == victim.host) {
                declared = nanos
            }
        }
        val begin = simulation.nanos
        simulation.crash(victim)
        simulation.awaitMillis(600_000, 20) { simulation.converged() }
        val all = simulation.nanos
        simulation.start(size, SwimPolicy.lan(), 0)
        simulation.awaitMillis(120_000, 20) { simulation.converged() }
        listOf(suspected - begin, declared - begin, all - begin, simulation.nanos - all)
    }
    return (0..3).map { column -> times.map { it[column] }.sorted()[runs / 2] / MILLIS.toDouble() }
}

private fun idle(size: Int): List<Double> {
    val simulation = cluster(size, 1, SwimPolicy.lan())
    fun sum(value: (SimNode) -> Long) = simulation.nodes.sumOf(value)
    fun totals() = listOf(
        sum { it.swim.counters().bytesSent },
        sum { it.swim.counters().packetsSent },
        sum { it.streamBytes },
    )
    val before = totals()
    val seconds = 120
    simulation.runMillis(seconds * 1_000L)
    return totals().zip(before) { after, first -> (after - first).toDouble() / seconds / size }
}

/** Live members that others declared dead, per member and day. */
private fun falseAlarms(size: Int, lifeguard: LifeguardPolicy?): Double {
    val policy = SwimPolicy(lifeguard = lifeguard)
    val simulation = cluster(size, 7, policy)
    simulation.network.loss = 0.02
    var alarms = 0L
    val minutes = 60
    val slow = maxOf(1, size / 10)
    val declared = HashSet<SimId>()
    simulation.listen { _, notice, _ ->
        if (notice is GossipNotice.MemberDown) {
            val host = notice.member.host
            // Paused members are late, not dead, but nobody can know: only the healthy ones count.
            if (host >= slow && declared.add(notice.member)) alarms++
        }
    }
    val random = Random(7)
    fun stumble(host: Int) {
        val pause = random.nextLong(5_000, 20_000)
        simulation.node(host)?.let { simulation.pause(it, pause) }
        simulation.after((pause + random.nextLong(2_000)) * MILLIS) { stumble(host) }
    }
    for (host in 0 until slow) simulation.after(random.nextLong(30_000) * MILLIS) { stumble(host) }
    simulation.runMillis(minutes * 60_000L)
    return alarms / (size - slow).toDouble() / (minutes / 1_440.0)
}
