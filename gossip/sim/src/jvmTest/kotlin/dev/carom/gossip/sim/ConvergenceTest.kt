package dev.carom.gossip.sim

import dev.carom.gossip.SwimEvent
import dev.carom.gossip.SwimPolicy
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.milliseconds

/** A lone member of many needs up to eight seconds for each of the others: Lifeguard blames the lonely. */
private fun forgetMillis(members: Int) = maxOf(10_000L, members * 2_000L)

private fun policy(members: Int = 1) = SwimPolicy(forgetDownAfter = forgetMillis(members).milliseconds)

/** How long, in milliseconds, after a split of [first] against the rest and a heal until all see all again; null: over a minute. */
private fun healing(seed: Long, members: Int, first: Int): Long? {
    val simulation = Simulation(seed)
    for (host in 0 until members) simulation.start(host, policy(members), 0, members - 1)
    simulation.acquaint()
    simulation.runMillis(5_000)
    check(simulation.converged()) { "seed $seed: no start" }
    simulation.network.partition { if (it < first) 0 else 1 }
    // Ten times what it takes to forget the dead.
    simulation.runMillis(10 * forgetMillis(members))
    check(simulation.nodes.all { it.swim.knowledge().none { m -> (m.id.host < first) != (it.host < first) } }) {
        "seed $seed: the other side was not forgotten"
    }
    simulation.network.heal()
    val begin = simulation.nanos
    if (!simulation.awaitMillis(60_000, 50) { simulation.converged() }) return null
    return (simulation.nanos - begin) / 1_000_000
}

class ConvergenceTest :
    FunSpec({
        // -Dcarom.worlds=50000: a thousand seeds for twenty members too.
        val worlds = System.getProperty("carom.worlds")?.toIntOrNull() ?: 2_000
        for ((members, seeds) in listOf(2 to 1_000, 3 to 1_000, 5 to 1_000, 20 to worlds / 50, 50 to worlds / 250)) {
            test("AT-08: $members members split in every way find each other within a minute, $seeds seeds") {
                val splits = (1..members / 2).toList()
                val times = (0 until seeds).map { seed ->
                    val first = splits[seed % splits.size]
                    healing(seed.toLong(), members, first)
                        ?: error("seed $seed: $members members split after $first have not found each other")
                }.sorted()
                val p99 = times[(times.size * 99 + 99) / 100 - 1]
                println("AT-08 n=$members: p50 ${times[times.size / 2]} ms, p99 $p99 ms, max ${times.last()} ms")
                p99 shouldBeLessThanOrEqual 60_000
            }
        }

        test("AT-08: a member whose seeds cannot be reached joins within two seed intervals after they appear") {
            for (seed in 0L until 200L) {
                val simulation = Simulation(seed)
                val lonely = simulation.start(0, policy(), 1, 2)
                simulation.runMillis(60_000 + seed * 97)
                simulation.start(1, policy())
                simulation.awaitMillis(20_000, 100) { lonely.swim.memberCount == 1 } shouldBe true
            }
        }

        test(
            "AT-08: when all addresses change at once, seeds included, the cluster is whole and the old ones are gone",
        ) {
            for (seed in 0L until 30L) {
                val simulation = Simulation(seed)
                for (host in 0 until 5) simulation.start(host, policy(), 0, 1)
                simulation.awaitMillis(20_000, 100) { simulation.converged() } shouldBe true
                // A rolling restart: each host goes, and another comes; the seeds of all are resolved anew.
                for (host in 0 until 5) {
                    simulation.crash(simulation.node(host)!!)
                    simulation.start(100 + host, policy())
                    val seeds = simulation.nodes.map { SimId(it.host, 0) }
                    simulation.nodes.forEach { simulation.submit(it, SwimEvent.SeedsResolved(seeds)) }
                    simulation.runMillis(3_000)
                }
                // The longest suspicion of five members lasts 24 s; and the dead are forgotten after 10 s.
                simulation.runMillis(60_000)
                simulation.nodes.forEach { node -> node.view() shouldBe (100 until 105).toSet() }
                simulation.nodes.forEach { node -> node.swim.knowledge().none { it.id.host < 100 } shouldBe true }
            }
        }
    })
