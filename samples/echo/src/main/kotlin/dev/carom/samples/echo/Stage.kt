package dev.carom.samples.echo

import dev.carom.pool.CloseReport
import dev.carom.pool.Pool
import dev.carom.pool.PoolSnapshot
import dev.carom.pool.net.TcpConnection
import dev.carom.pool.testkit.DnsBehaviour
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.ComparableTimeMark
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** What can happen to the service; in this order it makes sense. */
enum class Step { GROW, MOVE, KILL, FAIL, EMPTY, SHRINK }

/** Everything on loopback: the zone, the servers, the pool and its users. Changes the world and times the pool. */
class Stage(
    private val pool: Pool<TcpConnection>,
    private val zone: EchoZone,
    private val load: Load,
    private val watch: Watch,
    private val screen: Screen,
    private val pace: Pace,
    private val bound: Duration,
) {
    /** Then it is missed, and the show goes on. */
    private val giveUp = bound + 8.seconds

    /** How long after a reset a user may still get the connection: the pool, too, may be told late. */
    private val noticing = bound + 3.seconds
    private val all = mutableListOf<EchoBackend>()
    private var listed = emptyList<EchoBackend>()
    private val deaths = mutableListOf<Death>()
    private val checks = mutableListOf<Check>()
    private var report: CloseReport? = null

    private class Death(val backend: EchoBackend, val at: ComparableTimeMark, val reset: Int)

    /** Starts one backend and waits for the pool to have it. */
    suspend fun open() = follow("open with 1 backend") { list(listOf(start("echo1"))) }

    suspend fun take(step: Step) {
        when (step) {
            Step.GROW -> follow("grow to 4 backends") {
                val missing = (1..FULL).map { "echo$it" } - living().map { it.name }.toSet()
                list(living() + missing.map(::start))
            }

            Step.MOVE -> follow("move one backend to a new port") {
                val mover = living().last()
                list(living().map { if (it == mover) start(it.name) else it })
            }

            Step.KILL -> follow("kill one backend without warning") {
                val victim = living().first()
                val reset = victim.kill()
                deaths += Death(victim, TimeSource.Monotonic.markNow(), reset)
            }

            Step.FAIL -> keep("DNS fails for ${pace.outage}") {
                val before = watch.dns.value.failed
                zone.behaviour = DnsBehaviour.SERVFAIL
                delay(pace.outage)
                watch.dns.first { it.failed > before }
                zone.behaviour = DnsBehaviour.ANSWER
            }

            Step.EMPTY -> keep("DNS answers empty once") {
                val before = watch.dns.value.empty
                zone.behaviour = DnsBehaviour.EMPTY
                watch.dns.first { it.empty > before }
            }

            Step.SHRINK -> follow("shrink to 2 backends") { list(living().takeLast(2)) }
        }
    }

    /** Closes the pool and waits, not for ever, for the servers to see it; then closes them. */
    suspend fun close() {
        if (report != null) return
        screen.step("close the pool")
        report = pool.close()
        withTimeoutOrNull(giveUp) {
            while (all.any { it.open > 0 }) delay(5.milliseconds)
        }
        checks += leaks()
        all.forEach { it.close() }
    }

    fun verdict(elapsed: Duration): List<Check> {
        // Whoever gets more time to follow may need more for all of it.
        val most = 60.seconds + (bound - Pace.WATCHED.bound) * Step.entries.size
        return checks + claims() + Check("time", "${elapsed.inWholeSeconds} s", "$most", elapsed < most)
    }

    private fun living() = listed.filter { backend -> deaths.none { it.backend == backend } }

    private fun start(name: String) = EchoBackend(name).also { all += it }

    private fun list(backends: List<EchoBackend>) {
        listed = backends
        zone.list(*backends.toTypedArray())
    }

    private suspend fun follow(name: String, change: () -> Unit) {
        screen.step(name)
        val start = TimeSource.Monotonic.markNow()
        change()
        val took = withTimeoutOrNull(giveUp) {
            pool.snapshot.first { it.follows() }
            start.elapsedNow()
        }
        val measured = took?.let { "${it.inWholeMilliseconds} ms" } ?: "not in $giveUp"
        checks += Check(name, measured, "${bound.inWholeMilliseconds} ms", took != null && took <= bound)
    }

    /** The living and listed are in use; the others get no claim and have no idle connection. */
    private fun PoolSnapshot.follows(): Boolean {
        val ports = living().map { it.port }
        val (wanted, others) = backends.partition { it.backend.port in ports }
        return wanted.count { it.online && it.active } == ports.size &&
            others.all { !it.online || (!it.active && it.ready + it.checking == 0) }
    }

    /** Whatever DNS does: once it answers again, no backend was lost, and none is missing. */
    private suspend fun keep(name: String, trouble: suspend () -> Unit) {
        screen.step(name)
        val before = watch.dns.value
        val back = withTimeoutOrNull(pace.outage + giveUp) {
            trouble()
            val then = watch.dns.value.good
            watch.dns.first { it.good > then }
        }
        val troubled = back != null && back.empty + back.failed > before.empty + before.failed
        // Of those listed none was ever taken back; what the pool says of others may come late.
        val lost = watch.removed.count { gone -> listed.any { it.port == gone.port } }
        val kept = withTimeoutOrNull(giveUp) { pool.snapshot.first { it.follows() } } != null
        checks += Check(name, if (troubled) "$lost lost" else "no trouble", "0 lost", troubled && lost == 0 && kept)
    }

    /** A connection is in flight if its user got it before the reset can have been noticed; it can break only once. */
    private fun claims(): List<Check> {
        val broken = load.broken.toList()
        val inFlight = broken.filter { each ->
            deaths.any { it.backend.port == each.backend.port && each.granted < it.at + noticing }
        }
        val late = inFlight.count { each ->
            deaths.any { it.backend.port == each.backend.port && each.granted > it.at }
        }
        val failed =
            load.refused.map { it.toString() } + (broken - inFlight.toSet()).map { "${it.backend}: ${it.cause}" }
        failed.take(SHOWN).forEach { screen.say("failed claim: $it") }
        val held = deaths.sumOf { it.reset }
        return listOf(
            Check(
                "claims lost with the killed backend",
                "${inFlight.size} ($late not yet told)",
                "$held open",
                inFlight.size <= held,
            ),
            Check("other failed claims", "${failed.size} of ${pool.snapshot.value.claims}", "0", failed.isEmpty()),
            Check("lines echoed", "${load.echoes}", "some", load.echoes > 0),
        )
    }

    private fun leaks(): Check {
        val accepted = all.sumOf { it.accepted }
        val open = all.sumOf { it.open }
        val measured = "$open of $accepted (pool opened ${watch.opened}; $report)"
        return Check("sockets leaked, by the servers' count", measured, "0", open == 0 && report?.stuck == 0)
    }

    private companion object {
        const val FULL = 4
        const val SHOWN = 5
    }
}
