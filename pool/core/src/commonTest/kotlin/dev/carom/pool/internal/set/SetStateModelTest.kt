package dev.carom.pool.internal.set

import dev.carom.pool.Backend
import dev.carom.pool.BackoffPolicy
import dev.carom.pool.PoolSnapshot.Phase
import dev.carom.pool.Refused
import dev.carom.pool.Removal
import dev.carom.pool.SetNotice
import dev.carom.pool.SetPolicy
import dev.carom.pool.backend
import io.kotest.core.spec.style.FunSpec
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.INFINITE
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * Random honest worlds: the real state, a network and users of the test's own, a clock it turns by hand. After every step
 * the invariants must hold; on failure the seed and the last steps are in the message.
 */
class SetStateModelTest :
    FunSpec({
        val worlds = System.getProperty("carom.worlds")?.toIntOrNull() ?: 2_000

        test("in $worlds random worlds the invariants hold after every step") {
            for (seed in 1..worlds) SetWorld(seed).live(steps = 150)
        }
    })

private class SetWorld(private val seed: Int) {
    private enum class Stage { Connecting, Live, Draining, Ending }

    private class Conn(val slot: Long, val backend: Backend) {
        var stage = Stage.Connecting
        var opened = false
        var users = 0
        var checking = false
    }

    private val random = Random(seed)
    private val preference = Preference.entries.random(random)
    private val policy = randomPolicy()
    private val backends = (0 until random.nextInt(1, 7)).map {
        backend("b${it / 2}", priority = random.nextInt(2), weight = random.nextInt(3), port = 1_000 + it)
    }
    private val healthy = backends.associateWithTo(mutableMapOf()) { random.nextInt(4) > 0 }
    private val conns = LinkedHashMap<Long, Conn>()
    private val state = SetState(policy, preference, Random(seed)) { conns[it]?.users ?: 0 }
    private val log = ArrayList<String>()
    private var listed = emptySet<Backend>()
    private val unlistedAt = HashMap<Backend, Duration>()
    private var now = Duration.ZERO
    private var connects = 0
    private var closing = false

    private fun randomPolicy(): SetPolicy {
        val limited = random.nextBoolean()
        val target = if (limited) random.nextInt(1, 4) else Int.MAX_VALUE
        return SetPolicy(
            target = target,
            maximum = if (limited) target + random.nextInt(3) else target,
            checkInterval = if (random.nextBoolean()) INFINITE else 20.seconds,
            checkLeased = random.nextBoolean(),
            drainTimeout = random.nextInt(0, 20).seconds,
            replaceWithin = random.nextInt(0, 20).seconds,
            decoherenceInterval = if (random.nextBoolean()) INFINITE else 5.seconds,
            backoff = BackoffPolicy(max = 2.seconds),
        )
    }

    fun live(steps: Int) {
        try {
            list()
            repeat(steps) { step() }
            recover()
            close()
        } catch (e: Throwable) {
            val last = log.takeLast(40).joinToString("\n")
            throw AssertionError("seed $seed, $preference, $policy, last steps:\n$last", e)
        }
    }

    private fun step() {
        now += random.nextInt(0, 400).milliseconds
        when (random.nextInt(15)) {
            0 -> list()

            1 -> backends.random(random).let { healthy[it] = random.nextBoolean() }

            2, 3 -> any(Stage.Live)?.let { if (!it.checking || policy.checkLeased) it.users++ }

            4, 5 -> release(conns.values.filter { it.users > 0 }.randomOrNull(random))

            6 -> any(Stage.Live)?.let {
                give(SetEvent.Lost(it.slot, if (random.nextBoolean()) Refused("reset") else null))
            }

            7 -> conns.values.randomOrNull(random)?.let { give(SetEvent.Failed(it.slot, null)) }

            8 -> now += random.nextInt(1, 40).seconds

            9 -> give(SetEvent.Tick)

            else -> progress()
        }
        pass()
        check()
    }

    private fun any(stage: Stage) = conns.values.filter { it.stage == stage }.randomOrNull(random)

    private fun list() {
        val next = backends.filter { random.nextInt(3) > 0 }.toSet()
        for (backend in backends) {
            if (backend in next) {
                unlistedAt -= backend
            } else if (backend in listed) {
                unlistedAt[backend] = now
            }
        }
        listed = next
        give(SetEvent.BackendsListed(next))
    }

    private fun release(conn: Conn?) {
        if (conn == null || --conn.users > 0 || conn.stage != Stage.Draining) return
        give(SetEvent.Drained(conn.slot))
    }

    /** Something that was ordered comes true, in any order between slots. */
    private fun progress() {
        val conn = conns.values.filter { it.checking || it.stage == Stage.Connecting || it.stage == Stage.Ending }
            .randomOrNull(random) ?: return
        when {
            conn.stage == Stage.Connecting -> finishConnect(conn)

            conn.stage == Stage.Ending -> end(conn, null)

            else -> {
                conn.checking = false
                give(SetEvent.Checked(conn.slot, if (random.nextInt(4) == 0) Refused("check") else null))
            }
        }
    }

    private fun finishConnect(conn: Conn) {
        if (healthy.getValue(conn.backend)) give(SetEvent.Connected(conn.slot)) else end(conn, Refused("no"))
    }

    private fun end(conn: Conn, cause: Throwable?) {
        conns -= conn.slot
        give(SetEvent.Ended(conn.slot, cause))
    }

    /** Every timer that is due. */
    private fun pass() {
        var ticks = 0
        while (state.nextDeadline?.let { it <= now } == true) {
            check(++ticks < 100) { "the state asks for one tick after the other" }
            give(SetEvent.Tick)
        }
    }

    private fun give(event: SetEvent) {
        log += "$now $event"
        val livesBefore = conns.values.count { it.stage == Stage.Live }
        val effects = state.on(event, now)
        for (effect in effects) {
            log += "    $effect"
            perform(effect)
        }
        breakOnlyAfterMake(effects, livesBefore)
    }

    private fun perform(effect: SetEffect) {
        when (effect) {
            is SetEffect.Connect -> {
                connects++
                check(effect.backend in listed) { "connects to a backend that is not listed" }
                check(conns.put(effect.slot, Conn(effect.slot, effect.backend)) == null)
            }

            is SetEffect.Disconnect -> {
                val conn = conns.getValue(effect.slot)
                check(conn.stage != Stage.Live && conn.stage != Stage.Ending) { "disconnects $effect, ${conn.stage}" }
                conn.stage = Stage.Ending
                conn.checking = false
            }

            is SetEffect.Check -> {
                val conn = conns.getValue(effect.slot)
                check(conn.stage == Stage.Live && !conn.checking)
                check(policy.checkLeased || conn.users == 0) { "checks a leased connection" }
                conn.checking = true
            }

            is SetEffect.Admit -> conns.getValue(effect.slot).let {
                check(it.stage == Stage.Connecting)
                it.stage = Stage.Live
                it.opened = true
            }

            is SetEffect.Retire -> conns.getValue(effect.slot).let {
                check(it.stage == Stage.Live) { "retires what was not in the set" }
                it.stage = Stage.Draining
                it.checking = false
                if (it.users == 0 && random.nextBoolean()) later += SetEvent.Drained(it.slot)
            }

            is SetEffect.Tell -> Unit
        }
    }

    private val later = ArrayList<SetEvent>()

    private fun breakOnlyAfterMake(effects: List<SetEffect>, livesBefore: Int) {
        val given = effects.filterIsInstance<SetEffect.Retire>()
            .filter { it.reason == Removal.Replaced || it.reason == Removal.Unlisted }
        if (given.isEmpty()) return
        check(livesBefore > 0)
        check(conns.values.any { it.stage == Stage.Live }) { "gave up the last connection that works" }
        val removed = effects.filterIsInstance<SetEffect.Tell>().map { it.notice }.filterIsInstance<SetNotice.Removed>()
        for (retired in given) check(removed.any { it.connection == retired.slot && it.reason == retired.reason })
    }

    private fun check() {
        while (later.isNotEmpty()) give(later.removeFirst())
        pass()
        val live = conns.values.filter { it.stage == Stage.Live }
        check(live.groupBy { it.backend }.all { it.value.size == 1 }) { "two live connections to one backend" }
        val connecting = conns.values.filter { it.stage == Stage.Connecting }
        check(connecting.groupBy { it.backend }.all { it.value.size == 1 }) { "two attempts at one backend" }
        check(connecting.none { mine -> live.any { it.backend == mine.backend } }) { "connects where it is connected" }
        check(live.size + connecting.size <= policy.maximum.toLong() + 1) {
            "${live.size} + ${connecting.size} connections"
        }
        overdue(live)
        val snapshot = state.snapshot("model", Phase.Open)
        check(snapshot.live == live.size && snapshot.connecting == connecting.size) { "snapshot $snapshot" }
        check(snapshot.draining == conns.size - live.size - connecting.size) { "snapshot $snapshot, $conns" }
    }

    private fun overdue(live: List<Conn>) {
        val late = live.filter { conn -> unlistedAt[conn.backend]?.let { now >= it + policy.replaceWithin } ?: false }
        check(late.isEmpty() || (late.size == 1 && live.size == 1)) {
            "removed backends are kept too long: ${late.size}"
        }
    }

    /** Everything works again: as many as are wanted get connected, and to the best. */
    private fun recover() {
        for (backend in backends) healthy[backend] = true
        give(SetEvent.BackendsListed(backends.toSet()).also { listed = backends.toSet() })
        unlistedAt.clear()
        val best = backends.groupBy { it.priority }.minBy { it.key }.value
        val wanted = minOf(policy.target, best.size)
        repeat(400) {
            now += 100.milliseconds
            pass()
            conns.values.toList().forEach { conn ->
                if (conn.stage == Stage.Connecting) finishConnect(conn)
                if (conn.checking) give(SetEvent.Checked(conn.slot, null)).also { conn.checking = false }
                if (conn.stage == Stage.Ending) end(conn, null)
            }
            check()
        }
        val live = conns.values.filter { it.stage == Stage.Live }
        // A check or a place drawn anew may be under way at this very moment.
        check(live.size in wanted..wanted + 1) { "${live.size} live, $wanted wanted, after all was well for 40 s" }
        check(live.all { it.backend in best }) { "not on the best priority" }
    }

    private fun close() {
        give(SetEvent.CloseRequested(3.seconds))
        check(conns.values.none { it.stage == Stage.Live || it.stage == Stage.Connecting })
        while (state.report == null) {
            conns.values.filter { it.stage == Stage.Ending }.forEach { end(it, null) }
            now = maxOf(now, state.nextDeadline ?: break)
            give(SetEvent.Tick)
        }
        check(conns.isEmpty()) { "left open: ${conns.keys}" }
        check(state.report?.stuck == 0) { "report ${state.report}" }
        check(now < 10.minutes * 10 && connects > 0)
    }
}
